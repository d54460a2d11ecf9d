"""``slidecloud timeseries`` from a user's seat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import runs
import steady

from slidecloud.cli import main
from slidecloud.store import open_run

BURST, SHAPE = "t026_000001_iw2", (56, 56)
SLIDE = steady.velocity(SHAPE, (20, 20), width=4.0)
HOLE = slice(44, 56), slice(44, 56)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stacks of a burst with a slide and a corner without data, polygons and settings; runs go elsewhere."""
    folder = tmp_path_factory.mktemp("series")
    head = steady.header(SHAPE)
    assert runs.ingest(steady.source(head, SLIDE, seed=1, hole=HOLE), str(folder / "stacks")).exit_code == 0
    steady.polygons(folder / "slide.geojson", head, (14, 14, 26, 26))
    steady.polygons(folder / "hole.geojson", head, (14, 14, 26, 26), (50, 50, 54, 54))
    return folder


@pytest.fixture
def settings(region: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for file in region.glob("*.geojson"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "region.yaml").write_text(
        f"run: run.zarr\nstacks: {region}/stacks\nstages: [timeseries]\n"
        "detect: {method: classical}\nresources: {executor: serial}\n"
        "timeseries: {integrate: false, recovered: false, halo: 200}\n"
    )
    return "region.yaml"


def test_a_polygon_is_done_once(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["timeseries", settings, "--where", "slide.geojson", "--halo", "400"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert f"{BURST}: 1 patches, " in printed
    run = open_run("run.zarr")
    ((name, window),) = run.patches(BURST).items()
    assert (window.top, window.bottom, window.left, window.right) == (4, 36, 4, 36)
    found = run.timeseries(BURST, name)
    stable = found["stable"].values == 1
    true = SLIDE[window.rows, window.columns]
    error = found["velocity"].values - (true - np.median(true[stable]))
    assert np.sqrt(np.nanmean(error**2)) < 0.01
    assert f"{window.pixels / np.prod(SHAPE):.1%}".replace("%", " %") in printed
    assert main(words) == 0
    again = capsys.readouterr().out
    assert again.startswith("0 units done")
    assert f"{BURST}: 1 patches, " in again
    # One run store holds one configuration.
    assert main(["timeseries", settings, "--where", "everywhere"]) == 1
    assert "was made with another configuration: timeseries." in capsys.readouterr().err


def test_a_whole_burst(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeseries", settings, "--where", "everywhere", "--executor", "threads", "--memory", "3 GiB"]) == 0
    assert f"{BURST}: 1 patches, 100.0 % of the burst" in capsys.readouterr().out
    velocity = open_run("run.zarr").timeseries(BURST)["velocity"].values
    known = np.ones(SHAPE, bool)
    known[HOLE] = False
    assert np.array_equal(np.isfinite(velocity), known)


def test_detections_come_first_where_they_are_asked_for(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeseries", settings, "--where", "detections"]) == 0
    capsys.readouterr()
    assert main(["status", "run.zarr"]) == 0
    printed = capsys.readouterr().out
    assert all(stage in printed for stage in ("gradients", "detect", "merge"))
    assert open_run("run.zarr").inventory is not None


def test_what_is_set_aside_is_said_and_the_rest_is_there(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["timeseries", settings, "--where", "hole.geojson"]
    assert main(words) == 3
    printed = capsys.readouterr()
    assert "has no pixel with unwrapped phase" in printed.out
    assert "--retry-quarantined" in printed.err
    first, second = (
        open_run("run.zarr").timeseries(BURST, name)["velocity"].values for name in open_run("run.zarr").patches(BURST)
    )
    assert np.isfinite(first).all()
    assert np.isnan(second).all()
    # Bad data is not tried again by itself, and the exit code stays until it is mended.
    assert main(words) == 3
    assert capsys.readouterr().out.startswith("0 units done")
    assert main([*words, "--retry-quarantined"]) == 3


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--where", "villages.txt"], 2, "expected auto, detections, everywhere, or a file of polygons"),
        (["--where", "nowhere.geojson"], 1, "there is no file"),
        (["--halo", "-1"], 2, "halo"),
        (["--halo", "far"], 2, "far"),
        (["--memory", "lots"], 2, "--memory"),
        (["--memory", "1 MiB", "--where", "slide.geojson"], 1, "memory"),
        (["--executor", "magic"], 2, "magic"),
    ],
)
def test_options_that_cannot_be_end_in_a_sentence(
    settings: str, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["timeseries", settings, *words]) == code
    assert message in capsys.readouterr().err
    assert not list(Path().rglob("done/timeseries"))


def test_a_configuration_that_is_not_there(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeseries", "other.yaml"]) == 1
    assert "There is no configuration 'other.yaml'" in capsys.readouterr().err
