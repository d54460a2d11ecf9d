"""Where patches, tiles and bursts end: no seam, whatever the geometry; what has no data stands aside with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
import steady

from slidecloud.store import open_run

BURST, SHAPE, BOX = "t026_000001_iw2", (64, 64), (18, 18, 46, 46)
CHUNKS = (32, 16, 16)
SLIDE = steady.velocity(SHAPE, (32, 32))
QUICK = "resources: {executor: serial, memory: 2 GiB}"


def make(folder: Path, *made: Any, boxes: tuple[Any, ...] = (BOX,), more: tuple[str, ...] = (QUICK,)) -> Any:
    for one in made:
        runs.ingest(one, str(folder / "stacks"), chunks=CHUNKS)
    file = steady.polygons(folder / "places.geojson", steady.header(SHAPE), *boxes)
    return runs.rerun(folder, *steady.lines(file, *more))


@pytest.fixture(scope="module")
def one_tile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patch around a polygon, made as one tile; read it only."""
    folder = tmp_path_factory.mktemp("one")
    summary = make(folder, steady.source(steady.header(SHAPE), SLIDE, seed=1))
    assert summary.exit_code == 0, summary.lines()
    return folder


def test_polygons_make_patches_whose_velocity_is_the_truth(one_tile):
    run = open_run(str(one_tile / "run.zarr"))
    assert {name: (w.top, w.bottom, w.left, w.right) for name, w in run.patches(BURST).items()} == {
        "r000008_c000008": (8, 56, 8, 56)
    }
    series = run.timeseries(BURST, "r000008_c000008")
    true = SLIDE[8:56, 8:56]
    still = series["stable"].values == 1
    error = series["velocity"].values - (true - np.median(true[still]))
    sigma = series["velocity_sigma"].values
    assert np.isfinite(error).all()
    # Noise of 0.2 rad is 0.9 mm a pair; the whole slide moves by 12 mm over the 84 days.
    assert np.abs(error).max() < 6 * sigma.max()
    assert np.sqrt((error**2).mean()) < 0.01


def test_a_slide_across_four_tiles_is_that_of_one(one_tile, tmp_path):
    """Tiles of 16 pixels of a patch of 48: nine, whose borders cross in the slide."""
    tiles = "resources: {executor: serial, memory: 2 GiB, tile: [16, 16]}"
    summary = make(tmp_path, steady.source(steady.header(SHAPE), SLIDE, seed=1), more=(tiles,))
    assert summary.exit_code == 0
    assert summary.done > 9
    one, many = (runs.arrays(folder / "run.zarr" / "bursts") for folder in (one_tile, tmp_path))
    assert one == many


def test_two_bursts_agree_on_the_slide_that_lies_in_both(tmp_path):
    """Bursts with noise of their own that overlap by 40 rows: the one sees the slide low, the other high."""
    shift = 24
    upper = steady.header(SHAPE)
    lower = steady.header(SHAPE, burst="t026_000002_iw2", top=upper.grid.top - shift * steady.STEP)
    tall = steady.velocity((SHAPE[0] + shift, SHAPE[1]), (44, 32), width=5.0)
    halves = tall[: SHAPE[0]], tall[shift:]
    box = (32, 20, 56, 44)
    made = [
        steady.source(head, half, seed=7 + k) for k, (head, half) in enumerate(zip((upper, lower), halves, strict=True))
    ]
    summary = make(tmp_path, *made, boxes=(box,))
    assert summary.exit_code == 0, summary.lines()
    corner = steady.position(upper, 26.5, 14.5)
    run = open_run(str(tmp_path / "run.zarr")).referenced(point=corner)
    seen = []
    for burst in (upper.id, lower.id):
        ((name, window),) = run.patches(burst).items()
        series = run.timeseries(burst, name).load()
        seen.append((series, window, shift if burst == lower.id else 0))
    top = max(window.top + down for _, window, down in seen)
    bottom = min(window.bottom + down for _, window, down in seen)
    assert bottom - top >= 35
    maps = [
        {
            key: series[key].values[top - down - window.top : bottom - down - window.top]
            for key in ("velocity", "velocity_sigma")
        }
        for series, window, down in seen
    ]
    difference = maps[0]["velocity"] - maps[1]["velocity"]
    # Both maps carry the noise of their one reference pixel, which is common to all pixels of the difference.
    sigma = np.hypot(maps[0]["velocity_sigma"], maps[1]["velocity_sigma"])
    both = np.abs(difference - np.median(difference)) / sigma
    assert np.isfinite(both).all()
    assert (both < 1).mean() > 0.5
    assert (both < 3).mean() > 0.95
    assert abs(np.median(difference)) < 4 * np.median(sigma)
    found = run.at(*steady.position(upper, 44.5, 32.5))
    assert found.sizes["burst"] == 2


def test_radar_geometry_makes_the_patch_of_the_map(one_tile, tmp_path):
    head, position = steady.in_radar(steady.header(SHAPE))
    summary = make(tmp_path, steady.source(head, SLIDE, seed=1, static=position))
    assert summary.exit_code == 0, summary.lines()
    run, other = (open_run(str(folder / "run.zarr")) for folder in (tmp_path, one_tile))
    ((name, window),) = run.patches(BURST).items()
    (of_map,) = other.patches(BURST).values()
    for end in ("top", "bottom", "left", "right"):
        # A corner of a polygon is that of the nearest pixel.
        assert abs(getattr(window, end) - getattr(of_map, end)) <= 1
    series = run.timeseries(BURST, name)
    assert np.array_equal(series["latitude"].values, position["latitude"][window.rows, window.columns])
    place = float(position["longitude"][32, 32]), float(position["latitude"][32, 32])
    assert abs(float(run.best(*place)["velocity"]) - float(other.best(*place)["velocity"])) < 0.01


def test_one_pair_gives_a_velocity_that_claims_no_certainty(tmp_path):
    summary = make(tmp_path, steady.source(steady.header(SHAPE), SLIDE, seed=1, links=[(0, 7)]))
    assert summary.exit_code == 0, summary.lines()
    run = open_run(str(tmp_path / "run.zarr"))
    (name,) = run.patches(BURST)
    series = run.timeseries(BURST, name)
    assert series.sizes["time"] == 2
    assert np.isfinite(series["displacement"].values).all()
    assert (series["redundancy"].values == 0).all()
    assert np.isnan(series["temporal_coherence"].values).all()


def test_a_patch_without_data_stands_aside_with_its_reason_and_the_rest_goes_on(tmp_path):
    small, hole = (40, 40, 44, 44), (slice(28, 64), slice(28, 64))
    made = steady.source(steady.header(SHAPE), steady.velocity(SHAPE, (10, 10), width=3.0), seed=2, hole=hole)
    summary = make(tmp_path, made, boxes=((8, 8, 14, 14), small))
    assert summary.exit_code == 3
    reasons = [item.reason for item in summary.quarantined]
    assert any("Patch r000030_c000030 of stack" in reason and "no pixel with" in reason for reason in reasons)
    assert not any("r000000_c000000" in reason for reason in reasons)
    run = open_run(str(tmp_path / "run.zarr"))
    assert np.isfinite(run.timeseries(BURST, "r000000_c000000")["velocity"].values).mean() > 0.9
    assert np.isnan(run.timeseries(BURST, "r000030_c000030")["velocity"].values).all()


def test_polygons_elsewhere_leave_no_patch_and_say_so(tmp_path):
    summary = make(tmp_path, steady.source(steady.header(SHAPE), SLIDE, seed=1), boxes=((900, 900, 910, 910),))
    assert summary.exit_code == 0
    assert any("No displacement series where there is no polygon" in note for note in summary.notes)
