"""Maps and polygons on the one grid: exact where they can be, and the same for any window."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import terrain_files as files
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.laying import check_map, lay, reach
from slidecloud.hazard.painting import paint
from slidecloud.stack.map_files import MapFile, open_map
from slidecloud.types import Grid

# A spacing whose multiples have no exact binary form: windows must not round another way than the whole.
GRID = Grid(files.CRS, 400_000.1, 3_308_100.3, 27.3, -27.3, 120, 150)


def inclined(x: Any, y: Any) -> Any:
    return 0.02 * (x - 400_000) - 0.05 * (y - 3_300_000)


def metric_map(path: Path, step: float, *, shift: float = 0.0) -> MapFile:
    """An inclined plane that covers the grid, on a lattice of its own."""
    left, top = GRID.left - 20 * step + shift, GRID.top + 20 * step + shift
    size = int(150 * 27.3 / step) + 45
    x = left + step * (np.arange(size) + 0.5)
    y = top - step * (np.arange(size) + 0.5)
    values = inclined(*np.meshgrid(x, y)).astype(np.float32)
    return open_map(str(files.write_map(path, values, crs=files.CRS, left=left, top=top, step=step)))


@pytest.mark.parametrize("step", [90.0, 27.3, 10.0])
def test_planes_stay_planes_whatever_the_pixels_of_the_map(tmp_path, step):
    source = metric_map(tmp_path / "map.tif", step, shift=3.7)
    found = lay(source, GRID, slice(0, 120), slice(0, 150), how="linear")
    np.testing.assert_allclose(found, inclined(*np.meshgrid(GRID.x, GRID.y)), atol=2e-3)
    assert reach(source.grid, GRID) == (max(1, round(27.3 / step)),) * 2


def test_on_the_grids_own_lattice_values_are_taken_as_they_are(tmp_path):
    source = metric_map(tmp_path / "map.tif", 27.3)
    found = lay(source, GRID, slice(-2, 30), slice(5, 40), how=None)
    np.testing.assert_array_equal(found, source.read(18, 25, 32, 35))
    check_map("factors.ndvi", source, GRID, None)


def test_the_nearest_pixel_is_the_one_that_holds_the_centre(tmp_path):
    source = metric_map(tmp_path / "map.tif", 90.0, shift=3.7)
    found = lay(source, GRID, slice(0, 120), slice(0, 150), how="nearest")
    x, y = np.meshgrid(GRID.x, GRID.y)
    column, row = np.floor((x - source.grid.left) / 90.0), np.floor((source.grid.top - y) / 90.0)
    whole = source.read(0, 0, source.grid.height, source.grid.width)
    np.testing.assert_array_equal(found, whole[row.astype(int), column.astype(int)])


@pytest.fixture(scope="module")
def degrees(tmp_path_factory):
    return open_map(str(files.write_degrees(tmp_path_factory.mktemp("degrees") / "map.tif", step=0.0004)))


@settings(deadline=None, max_examples=12)
@given(
    st.integers(0, 119),
    st.integers(0, 149),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(["nearest", "linear"]),
)
def test_a_window_holds_the_bits_of_the_whole(degrees, top, left, height, width, how):
    whole = lay(degrees, GRID, slice(0, 180), slice(0, 210), how=how)
    rows, columns = slice(top, top + height), slice(left, left + width)
    np.testing.assert_array_equal(lay(degrees, GRID, rows, columns, how=how), whole[rows, columns])


def test_beyond_a_map_nothing_is_known(tmp_path):
    source = metric_map(tmp_path / "map.tif", 90.0, shift=3.7)
    far = dataclasses.replace(GRID, left=GRID.left + 1e6)
    assert np.isnan(lay(source, far, slice(0, 4), slice(0, 4), how="linear")).all()
    with pytest.raises(ConfigError, match=r"factors\.ndvi: .*map.tif reaches from .* beside the grid's bounds"):
        check_map("factors.ndvi", source, far, "linear")


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 500), st.integers(0, 900), st.integers(1, 300), st.integers(1, 400))
def test_painting_does_not_depend_on_the_window(top, left, height, width):
    grid = dataclasses.replace(GRID, height=800, width=1300)
    # Borders along pixel centres, where the last bit decides.
    east, north = grid.x[450], grid.y[300]
    shapes = np.array([
        shapely.box(0, 0, east, north), shapely.box(east, 0, 1e7, north), shapely.Point(east, north).buffer(3000),
    ])  # fmt: skip
    tree, numbers = shapely.STRtree(shapes), np.array([4, 7, 9], np.int16)
    whole = paint(tree, numbers, grid, slice(0, 800), slice(0, 1300), missing=-1)
    rows, columns = slice(top, min(top + height, 800)), slice(left, min(left + width, 1300))
    np.testing.assert_array_equal(paint(tree, numbers, grid, rows, columns, missing=-1), whole[rows, columns])
    x, y = np.meshgrid(grid.x[7:800:97], grid.y[5:800:83])
    away = np.hypot(x - east, y - north)
    expected = np.where(away < 3000, 9, np.where(y > north, -1, np.where(x < east, 4, 7)))
    clear = (np.abs(away - 3000) > 30) & (np.abs(y - north) > 1) & (np.abs(x - east) > 1)
    np.testing.assert_array_equal(whole[5:800:83, 7:800:97][clear], expected[clear])
