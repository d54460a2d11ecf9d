"""Each command does what its help says: results on stdout, words on stderr, the right exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import rasterio
import small

from slidecloud import config
from slidecloud.cli import main
from slidecloud.pipeline import bench
from slidecloud.pipeline.rates import Measurement, Rates
from slidecloud.store import open_run


def test_run_does_all_and_again_nothing(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(own_region / "region.yaml")]) == 0
    first = capsys.readouterr()
    assert first.out.startswith("0 units done")
    assert str(own_region) not in first.out
    config_file = own_region / "other.yaml"
    config_file.write_text((own_region / "region.yaml").read_text().replace("run.zarr", "other.zarr"))
    assert main(["run", str(config_file), "--executor", "threads", "--workers", "2", "--memory", "3 GiB"]) == 0
    second = capsys.readouterr()
    assert not second.out.startswith("0 units done")
    assert "other.zarr" in second.err
    assert open_run(str(own_region / "other.zarr")).bursts == (small.BURST,)


def test_printed_configuration_is_one_that_parses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--print-config"]) == 0
    text = capsys.readouterr().out
    assert config.parse(text) == config.RunConfig(run="./run.zarr", stacks="./stacks")
    assert text.count("#") > 20


def test_status_counts_units(region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(region / "run.zarr")]) == 0
    out = capsys.readouterr().out
    assert "gradients" in out
    assert "timeseries" in out


def test_verify_finds_a_flipped_byte_and_run_mends_it(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = own_region / "run.zarr"
    assert main(["verify", str(store)]) == 0
    assert "0 damaged" in capsys.readouterr().out
    victim = max((store / "bursts").rglob("velocity/c/*/*"), key=lambda path: path.stat().st_size)
    good = victim.read_bytes()
    victim.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert main(["verify", str(store)]) == 1
    found = capsys.readouterr()
    assert "velocity" in found.out
    assert "--repair" in found.err
    assert main(["verify", str(store), "--repair"]) == 0
    assert main(["run", str(own_region / "region.yaml")]) == 0
    assert victim.read_bytes() == good


def test_network_reports_and_draws(region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack, picture = region / "stacks" / f"{small.BURST}.zarr", tmp_path / "network.png"
    assert main(["network", str(stack), "--plot", str(picture), "--coherence"]) == 0
    assert "10 dates" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["network", str(stack), "--max-days", "11"]) == 0
    assert "10 dates" in (none := capsys.readouterr().out)
    assert "0 pairs" in none
    assert main(["network", str(stack), "--max-days", "12"]) == 0
    assert "9 pairs" in capsys.readouterr().out


def test_estimate_uses_the_rates_it_is_given(
    region: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "FULL", bench.Effort(seconds=0.01, shape=(64, 64), dates=8, pixels=64, objects=1))
    rates = tmp_path / "rates.json"
    assert main(["bench", "--location", str(tmp_path), "--out", str(rates)]) == 0
    measured = capsys.readouterr()
    assert "million pair-pixels/s" in measured.out
    assert {m["name"] for m in json.loads(rates.read_text())["measurements"]} >= {"gradients", "sbas", "read", "write"}
    assert main(["estimate", str(region / "region.yaml"), "--rates", str(rates), "--workers", "4"]) == 0
    found = capsys.readouterr()
    assert found.out.splitlines()[-1].split()[0] == "4"
    assert "All workers together read at most" in found.err
    assert "built in" not in found.err
    assert main(["estimate", str(region / "region.yaml")]) == 0
    assert "built in" in capsys.readouterr().err


def test_estimate_of_a_nation_needs_no_region(capsys: pytest.CaptureFixture[str]) -> None:
    nation = ["estimate", "--interferograms", "130977", "--shape", "768", "2816"]
    spot = ["--workers", "1", "64", "2000", "--preemption", "0.1", "--throughput", "20000", "--price", "0.04"]
    assert main([*nation, *spot]) == 0
    found = capsys.readouterr()
    assert "850 GB" in found.out
    assert "less than 3 days" in found.out
    rows = [line.split() for line in found.out.splitlines()[-3:]]
    assert [row[0] for row in rows] == ["1", "64", "2000"]
    assert float(rows[0][-1]) < float(rows[2][-1])
    assert "at most 20000 MB/s" in found.err
    assert "built in" in found.err


def test_bench_prints_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "bench", lambda *_, **__: Rates((Measurement("gradients", "pair-pixels/s", 1e8),)))
    assert main(["bench", "--json", "--quick", "--out", str(tmp_path / "rates.json")]) == 0
    assert capsys.readouterr().out == (tmp_path / "rates.json").read_text()


def test_export_prints_the_files_it_wrote(region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", str(region / "run.zarr"), "--out", str(tmp_path / "maps"), "--names", "velocity", "pair_count"]
    assert main(words) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [file.name for file in files] == [f"{small.BURST}_velocity.tif", f"{small.BURST}_pair_count.tif"]
    styles = [file.with_suffix(".qml") for file in files]
    assert sorted([*files, *styles]) == sorted((tmp_path / "maps").iterdir())
    with rasterio.open(files[0]) as raster:
        assert raster.units == ("m year-1",)


def test_demo_leaves_a_report_and_a_second_one_computes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["demo", str(tmp_path / "demo"), "--executor", "serial", "--size", "96", "--dates", "10"]
    assert main(words) == 0
    first = capsys.readouterr().out
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert "http" not in page
    assert "no displacement series, as nothing was found" in first
    assert "slidecloud export" in first
    assert (tmp_path / "demo" / "report.png").read_bytes().startswith(b"\x89PNG")
    assert main(words) == 0
    again = capsys.readouterr().out
    assert again.startswith("0 units done")
    assert first.splitlines()[1:] == again.splitlines()[1:]
    assert main([*words, "--seed", "5"]) == 2
    assert "another folder" in capsys.readouterr().err


def test_interrupt_says_that_the_run_goes_on(
    own_region: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("slidecloud.pipeline.run.drive", stop)
    assert main(["run", str(own_region / "region.yaml")]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_quarantine_is_exit_code_3(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stack whose ingest never finished is set aside; the other burst is done."""
    broken = own_region / "stacks" / "broken.zarr"
    small.stack(own_region, small.scene(burst="broken"))
    for record in (broken / ".slidecloud" / "done" / "ingest").rglob("*.json"):
        record.unlink()
    assert main(["run", str(own_region / "region.yaml")]) == 3
    found = capsys.readouterr()
    assert "broken" in found.out
    assert "--retry-quarantined" in found.err
    assert main(["status", str(own_region / "run.zarr")]) == 3


def test_unexpected_exception_is_one_line(
    own_region: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("slidecloud.pipeline.run.drive", lambda *_, **__: json.loads("{"))
    words = ["run", str(own_region / "region.yaml")]
    assert main(words) == 1
    err = capsys.readouterr().err
    assert err.startswith("Unexpected JSONDecodeError:")
    assert "--debug" in err
    assert "stored is safe" in " ".join(err.split())
    assert "Traceback" not in err
    assert main([*words, "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_stderr_of_a_pipe_has_no_escape_codes(own_region: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(own_region / "region.yaml")]) == 0
    found = capsys.readouterr()
    assert "\x1b" not in found.out + found.err
    assert not sys.stderr.isatty()
