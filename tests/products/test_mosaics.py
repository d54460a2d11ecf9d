"""One map a track: the surest burst counts where bursts overlap, whatever their grids."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import handmade
import numpy as np
import pytest
import rasterio
import steady
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from slidecloud.products import cog
from slidecloud.products.mosaics import joined, mosaics
from slidecloud.store import open_run
from slidecloud.store.seams import slug
from slidecloud.types import Grid

UPPER = steady.header((120, 160), burst="t026_000001_iw2")
LOWER = steady.header((120, 160), burst="t026_000002_iw2", top=3_400_000.0 - 90 * steady.STEP)
OTHER = steady.header((120, 160), burst="t099_000003_iw1", top=3_400_000.0 - 40 * steady.STEP)


def test_the_smaller_sigma_counts_where_bursts_overlap(tmp_path: Path) -> None:
    run = open_run(str(handmade.make(tmp_path, [UPPER, LOWER, OTHER], sigma=[0.004, 0.001, 0.002])))
    first, second = cog.export(run, tmp_path / "maps", names=["velocity"], by_track=True)
    assert (first.name, second.name) == ("ascending_026_velocity.tif", "ascending_099_velocity.tif")
    upper, lower = handmade.velocity(UPPER), handmade.velocity(LOWER)
    expected = np.full((210, 160), np.nan, np.float32)
    expected[:120] = upper
    expected[90:] = np.where(np.isfinite(lower), lower, expected[90:210])
    with rasterio.open(first) as raster:
        np.testing.assert_array_equal(raster.read(1), expected)
        assert raster.bounds.top == UPPER.grid.top  # type: ignore[union-attr]
        assert raster.units == ("m year-1",)
        assert np.nanmax(raster.read(1)) < 0
    with rasterio.open(second) as raster:
        np.testing.assert_array_equal(raster.read(1), handmade.velocity(OTHER))


def test_bursts_of_another_zone_are_taken_where_they_lie(tmp_path: Path) -> None:
    """A burst in the next UTM zone, beyond the border of the first: values stay its own, at their places."""
    x, y = Transformer.from_crs("EPSG:32648", "EPSG:32649", always_xy=True).transform(506_800.0, 3_400_000.0)
    grid = Grid("EPSG:32649", float(np.round(x)), float(np.round(y)), 40.0, -40.0, 120, 160)
    other = dataclasses.replace(LOWER, grid=grid)
    run = open_run(str(handmade.make(tmp_path, [UPPER, other])))
    (layer,) = mosaics(run, names=["velocity"])
    assert layer.grid.crs == "EPSG:32648"
    assert layer.grid.width > 320
    found = layer.array.values
    turn = Transformer.from_crs("EPSG:32649", "EPSG:32648", always_xy=True)
    truth = handmade.velocity(other)
    for row, column in ((60, 100), (100, 40), (30, 150)):
        place = turn.transform(float(grid.x[column]), float(grid.y[row]))
        at = int((place[1] - layer.grid.top) / layer.grid.dy), int((place[0] - layer.grid.left) / layer.grid.dx)
        around = truth[row - 1 : row + 2, column - 1 : column + 2]
        assert around.min() <= found[at] <= around.max()


@given(
    shifts=st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=4),
    step=st.integers(1, 3),
)
def test_the_joint_grid_holds_all_on_the_first_lattice(shifts: list[tuple[int, int]], step: int) -> None:
    first = Grid("EPSG:4326", 100.0, 30.0, 0.001, -0.001, 20, 30)
    others = [dataclasses.replace(first, left=100 + 0.001 * dx, top=30 + 0.001 * dy) for dx, dy in shifts]
    found = joined([first, *others], step=step)
    for one in (first, *others):
        assert found.left <= one.left + 1e-9
        assert found.top >= one.top - 1e-9
        assert found.left + found.dx * found.width >= one.left + one.dx * one.width - 1e-9
        assert found.top + found.dy * found.height <= one.top + one.dy * one.height + 1e-9
    offset = (found.left - first.left) / found.dx
    assert offset == pytest.approx(round(offset), abs=1e-6)
    if step == 1:
        columns = [dx for dx, _ in shifts]
        assert found.width == max(0, *columns) - min(0, *columns) + 30


def test_names_of_tracks_are_names_of_files() -> None:
    assert slug("descending 348°") == "descending_348"
