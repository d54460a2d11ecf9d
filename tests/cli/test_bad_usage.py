"""Whatever a user gets wrong ends in a sentence with the thing and the remedy, and in the right exit code."""

from __future__ import annotations

import errno
import functools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small

from slidecloud.cli import main
from slidecloud.cli.errors import explain
from slidecloud.cluster import choose

Words = Callable[[Path], list[str]]


def _yaml(text: str) -> Words:
    def write(folder: Path) -> list[str]:
        (folder / "bad.yaml").write_text(text)
        return ["run", str(folder / "bad.yaml")]

    return write


def _file(folder: Path) -> list[str]:
    (folder / "plain").write_text("not a store")
    return ["status", str(folder / "plain")]


def _other_zarr(folder: Path) -> list[str]:
    (folder / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    return ["status", str(folder)]


def _rates(folder: Path, content: str = "{}") -> list[str]:
    (folder / "rates.json").write_text(content)
    (folder / "region.yaml").write_text("run: a\nstacks: b\n")
    return ["estimate", str(folder / "region.yaml"), "--rates", str(folder / "rates.json")]


USAGE: dict[str, tuple[Words, str]] = {
    "unknown command": (lambda _: ["rnu"], 'Did you mean "run"'),
    "unknown option": (lambda _: ["status", "x", "--profil", "y"], "--profil"),
    "no argument": (lambda _: ["status"], "RUN"),
    "one argument of two": (lambda _: ["ingest", "here"], "STACKS"),
    "run without a file": (lambda _: ["run"], "--print-config"),
    "workers that are no number": (lambda _: ["run", "a.yaml", "--workers", "two"], "two"),
    "no workers": (lambda _: ["run", "a.yaml", "--workers", "0"], "0"),
    "unknown executor": (lambda _: ["run", "a.yaml", "--executor", "spark"], "spark"),
    "unknown format": (lambda _: ["export", "r.zarr", "--format", "shp"], "shp"),
    "unknown kind": (lambda _: ["ingest", "a", "b", "--kind", "isce"], "isce"),
    "storage without a value": (lambda _: ["status", "r.zarr", "--storage", "profile"], "NAME=VALUE"),
    "ingest: scheduler with threads": (
        lambda _: ["ingest", "a", "b", "--executor", "threads", "--scheduler", "tcp://h:1"],
        "--scheduler",
    ),
    "ingest: memory that is none": (lambda _: ["ingest", "a", "b", "--memory", "lots"], "--memory"),
    "ingest: storage of the source": (
        lambda _: ["ingest", "s3://a/b", "c", "--source-storage", "x"],
        "--source-storage",
    ),
    "scheduler with threads": (
        lambda _: ["run", "a.yaml", "--executor", "threads", "--scheduler", "tcp://h:1"],
        "--scheduler",
    ),
    "serial with workers": (lambda _: ["ingest", "a", "b", "--executor", "serial", "--workers", "3"], "--workers"),
    "coherence without picture": (lambda _: ["network", "s.zarr", "--coherence"], "--plot"),
    "picture of unknown format": (lambda _: ["network", "s.zarr", "--plot", "n.doc"], ".png"),
    "negative limit": (lambda _: ["network", "s.zarr", "--max-days", "-3"], "-3"),
    "estimate of nothing": (lambda _: ["estimate"], "--interferograms"),
    "estimate of a run and a nation": (lambda _: ["estimate", "a.yaml", "--interferograms", "9"], "--interferograms"),
    "shape of a run": (lambda _: ["estimate", "a.yaml", "--shape", "768", "2816"], "--interferograms"),
    "no interferograms": (lambda _: ["estimate", "--interferograms", "0"], "0"),
    "tiny demo": (lambda folder: ["demo", str(folder / "d"), "--size", "8"], "64 pixels"),
}

ERRORS: dict[str, tuple[Words, str]] = {
    "no such run": (lambda folder: ["status", str(folder / "none.zarr")], "none.zarr"),
    "no such configuration": (lambda folder: ["run", str(folder / "none.yaml")], "--print-config"),
    "no such source": (lambda folder: ["ingest", str(folder / "none"), str(folder / "s")], "none"),
    "empty source": (lambda folder: ["ingest", str(folder), str(folder / "s")], "LiCSAR"),
    "no such store to verify": (lambda folder: ["verify", str(folder / "none.zarr")], "none.zarr"),
    "nothing of ours to verify": (lambda folder: ["verify", str(folder)], "records"),
    "no such stack": (lambda folder: ["network", str(folder / "none.zarr")], "slidecloud ingest"),
    "no such run to export": (lambda folder: ["export", str(folder / "none.zarr")], "slidecloud run"),
    "a file for a store": (_file, "plain"),
    "another Zarr store": (_other_zarr, "expected a run"),
    "not YAML": (_yaml("run: [a"), "not valid YAML"),
    "YAML that is a list": (_yaml("- a\n- b\n"), "expected keys"),
    "empty YAML": (_yaml(""), "expected keys"),
    "unknown key": (_yaml("run: a\nstack: b\n"), "'stacks'"),
    "missing key": (_yaml("run: a\n"), "'stacks' is missing"),
    "wrong value": (_yaml("run: a\nstacks: b\nnetwork: {max_days: -3}\n"), "max_days"),
    "secret in clear": (_yaml("run: a\nstacks: b\nstorage_options: {secret: abc}\n"), "env:NAME"),
    "no stacks": (_yaml("run: a.zarr\nstacks: none\nresources: {executor: serial}\n"), "none"),
    "no scheduler": (
        _yaml("run: a.zarr\nstacks: none\nresources: {executor: dask, scheduler: 'tcp://127.0.0.1:1'}\n"),
        "127.0.0.1:1",
    ),
    "secret among the options": (lambda folder: ["status", str(folder), "--storage", "secret=abc"], "env:NAME"),
    "variable that is not set": (
        lambda _: ["status", "s3://bucket/run.zarr", "--storage", "secret=env:SLIDECLOUD_NO_SUCH"],
        "SLIDECLOUD_NO_SUCH",
    ),
    "unknown protocol": (lambda _: ["status", "ftpx://host/run.zarr"], "ftpx"),
    "bad rates": (_rates, "slidecloud bench"),
    "rates of an earlier version": (
        lambda folder: _rates(folder, '{"gradients": 1e8, "sbas": 3e8, "read": 100.0, "write": 60.0}'),
        "another version of slidecloud",
    ),
    "more pairs than images make": (
        lambda _: ["estimate", "--interferograms", "9", "--pairs-per-burst", "500"],
        "expected 1 to 357 pairs",
    ),
    "no such rates": (
        lambda folder: ["estimate", _yaml("run: a\nstacks: b\n")(folder)[1], "--rates", str(folder / "none.json")],
        "slidecloud bench",
    ),
    "demo where a file is": (lambda folder: ["demo", _file(folder)[1]], "plain"),
    "bench where a file is": (lambda folder: ["bench", "--location", _file(folder)[1]], "plain"),
    "plot where a file is": (
        lambda folder: ["export", str(folder / "none.zarr"), "--out", _file(folder)[1]],
        "none.zarr",
    ),
}


@pytest.mark.parametrize(("code", "name"), [(2, name) for name in USAGE] + [(1, name) for name in ERRORS])
def test_ends_in_a_sentence(
    code: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choose, "connect", functools.partial(choose.connect, timeout=1))
    words, expected = (USAGE if code == 2 else ERRORS)[name]
    assert main(words(tmp_path)) == code
    found = capsys.readouterr()
    assert expected in found.err, found.err
    assert found.out == ""
    assert "Traceback" not in found.err
    assert "Unexpected" not in found.err, found.err


ON_A_RUN: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "a stack for a run": (lambda region: ["status", str(region / "stacks" / f"{small.BURST}.zarr")], "expected a run"),
    "a run for a stack": (lambda region: ["network", str(region / "run.zarr")], "expected a burst stack"),
    "unknown burst": (lambda region: ["export", str(region / "run.zarr"), "--bursts", "t9"], small.BURST),
    "unknown map": (lambda region: ["export", str(region / "run.zarr"), "--names", "speed"], "velocity_sigma"),
    "files where a file is": (
        lambda region: ["export", str(region / "run.zarr"), "--out", str(region / "region.yaml")],
        "region.yaml",
    ),
    "below a file": (
        lambda region: ["export", str(region / "run.zarr"), "--out", str(region / "region.yaml" / "maps")],
        "region.yaml",
    ),
    "unwritable picture": (
        lambda region: ["network", str(region / "stacks" / f"{small.BURST}.zarr"), "--plot", "/proc/none/n.png"],
        "/proc/none",
    ),
    "little memory": (lambda region: ["run", _other(region), "--memory", "1 MiB"], "memory"),
}


def _other(region: Path) -> str:
    path = region / "other.yaml"
    path.write_text((region / "region.yaml").read_text().replace("run.zarr", "other.zarr"))
    return str(path)


@pytest.mark.parametrize("name", ON_A_RUN)
def test_ends_in_a_sentence_on_a_run(name: str, own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, expected = ON_A_RUN[name]
    assert main(words(own_region)) == 1
    err = capsys.readouterr().err
    assert expected in err, err
    assert "Traceback" not in err
    assert "Unexpected" not in err, err


def test_other_configuration_into_the_same_store(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = own_region / "region.yaml"
    file.write_text(file.read_text() + "network: {max_days: 20}\n")
    assert main(["run", str(file)]) == 1
    assert "max_days" in capsys.readouterr().err


def test_radar_geometry_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small.finished(tmp_path, small.scene(geometry="radar"))
    assert main(["export", str(run), "--out", str(tmp_path / "maps")]) == 1
    err = capsys.readouterr().err
    assert small.BURST in err
    assert "radar geometry" in err
    assert not (tmp_path / "maps").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked = own_region / "locked"
    locked.mkdir(mode=0o500)
    assert main(["export", str(own_region / "run.zarr"), "--out", str(locked / "maps")]) == 1
    assert "No permission" in capsys.readouterr().err


def test_permission_error_is_named(
    own_region: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def deny(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", deny)
    assert main(["export", str(own_region / "run.zarr"), "--out", "maps"]) == 1
    assert capsys.readouterr().err.startswith("Error: No permission for 'maps'")


def test_a_full_disk_is_one_sentence() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert explain(full).startswith("Error: No space left on device. What is stored is safe")
    full.filename = "/data/run.zarr"
    assert explain(full).startswith("Error: No space left on device: '/data/run.zarr'. What is stored is safe")


def test_truncated_chunk_of_a_run(own_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = next((own_region / "run.zarr" / "bursts").rglob("velocity/c/0/0"))
    chunk.write_bytes(chunk.read_bytes()[:20])
    assert main(["export", str(own_region / "run.zarr"), "--out", str(tmp_path / "maps")]) == 1
    err = capsys.readouterr().err
    assert "slidecloud verify" in " ".join(err.split())
    assert not list((tmp_path / "maps").glob("*velocity.tif"))


def test_damaged_metadata_of_a_run(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own_region / "run.zarr" / "zarr.json").write_text("{")
    assert main(["status", str(own_region / "run.zarr")]) == 1
    assert "run.zarr" in (err := capsys.readouterr().err)
    assert "Unexpected" not in err


def test_lost_stacks(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(own_region / "stacks")
    assert main(["run", str(own_region / "region.yaml")]) == 1
    assert "stacks" in capsys.readouterr().err


def test_warnings_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import warnings

    def warn(*_: object, **__: object) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn("the wavelength differs", UserWarning, stacklevel=1)
        return "# nothing\n"

    monkeypatch.setattr("slidecloud.config.template", warn)
    assert main(["run", "--print-config"]) == 0
    assert capsys.readouterr().err == "Warning: the wavelength differs.\n"
