"""Displacement relative to a place whose motion is known: in the run, on reading, and written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
import steady

from slidecloud.cli import main
from slidecloud.pipeline.verify import verify
from slidecloud.store import open_run
from slidecloud.types import DataError

BURST, SHAPE, BOX, PATCH = "t026_000001_iw2", (64, 64), (18, 18, 46, 46), "r000008_c000008"
SLIDE = steady.velocity(SHAPE, (32, 32))
RATE = 0.03
"""m/yr, of all the ground: what no stable area of the scene can know."""
ROW, COLUMN = 12, 13


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run against its stable area, with a filtered series; read it only."""
    folder = tmp_path_factory.mktemp("plain")
    runs.ingest(steady.source(steady.header(SHAPE), SLIDE, seed=1), str(folder / "stacks"), chunks=(32, 16, 16))
    assert make(folder).exit_code == 0
    return folder


def make(folder: Path, reference: str = "kind: stable") -> Any:
    file = steady.polygons(folder / "places.geojson", steady.header(SHAPE), BOX)
    more = f"recovered: false, reference: {{{reference}}}, atmosphere: {{filter: true, filter_years: 0.05}}"
    lines = [line.replace("recovered: false", more) for line in steady.lines(file)]
    return runs.rerun(folder, *lines, "resources: {executor: serial, memory: 2 GiB}")


def gnss(folder: Path) -> Path:
    """A station that moves with all the ground, and swings in between."""
    days = steady.DATES[0] + np.arange(-2, 30) * np.timedelta64(3, "D")
    moved = 0.4 + given(days)
    rows = "".join(f"{day}Z,{value},0.001\n" for day, value in zip(days, moved, strict=True))
    path = folder / "gnss.csv"
    path.write_text("time,displacement,sigma\n" + rows)
    return path


def given(days: np.ndarray) -> np.ndarray:
    years = (days - steady.DATES[0]) / steady.YEAR
    return RATE * years + 0.004 * np.sin(2 * np.pi * years / 0.1)


def place() -> tuple[float, float]:
    return steady.position(steady.header(SHAPE), ROW + 0.5, COLUMN + 0.5)


def test_the_place_moves_as_given_and_all_else_with_it(plain):
    table, (lon, lat) = gnss(plain), place()
    before = open_run(str(plain / "run.zarr")).timeseries(BURST, PATCH).load()
    run = open_run(str(plain / "run.zarr")).referenced(point=(lon, lat), series=str(table))
    series = run.timeseries(BURST, PATCH).load()
    own = series["displacement"].values[:, ROW - 8, COLUMN - 8]
    expected = given(steady.DATES) - given(steady.DATES)[0]
    # Between its times, three days apart, the station is taken to move straight: 4 mm of swing bend by 0.2 mm.
    np.testing.assert_allclose(own, expected, atol=3e-4)
    best_line = np.polyfit((steady.DATES - steady.DATES[0]) / steady.YEAR, expected, 1)[0]
    assert float(series["velocity"][ROW - 8, COLUMN - 8]) == pytest.approx(best_line, abs=2e-3)
    for name in ("displacement", "displacement_filtered"):
        moved = series[name].values - before[name].values
        assert np.isfinite(moved).all()
        assert np.ptp(moved, axis=(1, 2)).max() < 1e-6
    assert "with the series gnss.csv" in series.attrs["reference"]


def test_what_is_written_is_what_was_read(plain, tmp_path):
    folder, (lon, lat) = Path(shutil.copytree(plain, tmp_path / "copy")), place()
    store, table = str(folder / "run.zarr"), str(gnss(tmp_path))
    read = open_run(store).referenced(point=(lon, lat), series=table).timeseries(BURST, PATCH).load()
    words = ["reference", store, "--point", f"{lon},{lat}", "--series", table]
    assert main([*words, "--write"]) == 0
    written = open_run(store).timeseries(BURST, PATCH)
    for name in ("displacement", "displacement_filtered", "velocity", "reference_displacement"):
        np.testing.assert_allclose(written[name].values, read[name].values, atol=1e-7)
    assert not verify(store).damaged
    assert runs.rerun(folder, *_stored(folder)).done == 0
    assert main([*words[:2], "--stable", "--series", table]) == 2


def _stored(folder: Path) -> list[str]:
    """The configuration of the run in a copied folder."""
    text = (folder / "run.zarr/.slidecloud/run.yaml").read_text()
    settings = runs.config.parse(text).timeseries.model_dump(mode="json")
    return [
        "stages: [timeseries]",
        f"timeseries: {json.dumps(settings)}",
        "resources: {executor: serial, memory: 2 GiB}",
    ]


def test_a_run_against_a_given_series_is_the_run_moved_to_it(plain, tmp_path):
    table, (lon, lat) = gnss(tmp_path), place()
    shutil.copytree(plain / "stacks", tmp_path / "stacks")
    summary = make(tmp_path, f"kind: series, point: [{lon}, {lat}], series: {table}")
    assert summary.exit_code == 0, summary.lines()
    series = open_run(str(tmp_path / "run.zarr")).timeseries(BURST, PATCH).load()
    other = open_run(str(plain / "run.zarr")).referenced(point=(lon, lat), series=str(table))
    moved = other.timeseries(BURST, PATCH).load()
    # The run takes the place's own adjusted series off the pairs, the move that of its inversion: weights differ.
    np.testing.assert_allclose(series["displacement"].values, moved["displacement"].values, atol=2e-3)
    expected = given(steady.DATES) - given(steady.DATES)[0]
    np.testing.assert_allclose(series["displacement"].values[:, ROW - 8, COLUMN - 8], expected, atol=1e-3)
    again = make(tmp_path, f"kind: series, point: [{lon}, {lat}], series: {table}")
    assert again.done == 0


def test_a_series_that_ends_too_early_is_refused_by_name(plain, tmp_path, capsys):
    table, (lon, lat) = tmp_path / "short.csv", place()
    table.write_text("date,displacement\n2021-01-05,0\n2021-02-05,0.01\n")
    run = open_run(str(plain / "run.zarr")).referenced(point=(lon, lat), series=str(table))
    with pytest.raises(DataError, match=r"short\.csv reaches from 2021-01-05"):
        run.timeseries(BURST, PATCH)
    with pytest.raises(ValueError, match="a series without a point"):
        open_run(str(plain / "run.zarr")).referenced(series=str(table))
    shutil.copytree(plain / "stacks", tmp_path / "stacks")
    summary = make(tmp_path, f"kind: series, point: [{lon}, {lat}], series: {table}")
    assert summary.exit_code == 3
    assert "5 of 8 acquisitions lie outside" in summary.quarantined[0].reason
    (tmp_path / "other").mkdir()
    shutil.copytree(plain / "stacks", tmp_path / "other/stacks")
    with pytest.raises(FileNotFoundError, match="There is no series"):
        make(tmp_path / "other", f"kind: series, point: [{lon}, {lat}], series: {tmp_path}/absent.csv")
