"""Lattices: whole pixels are snapped, everything else is refused by name, and spacing is in true metres."""

from __future__ import annotations

import dataclasses

import miniature as mini
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from slidecloud.stack import open_source
from slidecloud.stack.grids import majority, mismatch, placement, spacing, union
from slidecloud.types import DataError, Grid

GRID = Grid("EPSG:4326", 100.0, 30.0, 0.001, -0.001, 40, 50)
integers = st.integers(-14, 14)


def moved(rows: float, columns: float, *, height: int = 40, width: int = 50) -> Grid:
    return dataclasses.replace(
        GRID, left=GRID.left + columns * GRID.dx, top=GRID.top + rows * GRID.dy, height=height, width=width
    )


@given(st.lists(st.tuples(integers, integers, st.integers(30, 60), st.integers(30, 60)), min_size=1, max_size=6))
def test_the_union_holds_each_grid_where_it_belongs(places):
    grids = [moved(r, c, height=h, width=w) for r, c, h, w in places]
    whole = union(grids)
    for grid in grids:
        row, column = placement(grid, whole)
        assert 0 <= row <= row + grid.height <= whole.height
        assert 0 <= column <= column + grid.width <= whole.width
        assert whole.x[column] == pytest.approx(grid.x[0], abs=1e-9)
        assert whole.y[row] == pytest.approx(grid.y[0], abs=1e-9)
    corners = [placement(grid, whole) for grid in grids]
    assert min(row for row, _ in corners) == min(column for _, column in corners) == 0


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_only_whole_pixels_are_one_lattice(rows, columns):
    apart = max(abs(rows), abs(columns))
    if abs(apart - 0.02) > 1e-6:
        assert bool(mismatch(moved(3 + rows, -2 + columns), GRID)) == (apart > 0.02)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"crs": "EPSG:32645"}, "is in EPSG:32645, expected EPSG:4326"),
        ({"dx": 0.00101}, "pixel spacing of 0.00101 x -0.001, expected 0.001 x -0.001"),
        ({"left": 100.0005}, "shifted by 0.500 columns and 0.000 rows"),
        ({"top": 50.0}, "without touching"),
    ],
)
def test_other_lattices_are_refused_by_name(change, said):
    with pytest.raises(DataError, match=said):
        placement(dataclasses.replace(GRID, **change), GRID)


def test_the_majority_wins_and_of_equals_the_first():
    half = moved(0.5, 0)
    assert majority([half, GRID, moved(1, 1)]).top == GRID.top
    assert majority([half, GRID]) == half


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 27.7, 45.0, 79.0])
def test_spacing_on_the_ellipsoid(latitude):
    grid = Grid("EPSG:4326", 10.0, latitude + 0.001, 0.002, -0.001, 2, 3)
    geod = Geod(ellps="WGS84")
    north = geod.inv(10, latitude - 0.0005, 10, latitude + 0.0005)[2]
    east = geod.inv(10, latitude, 10.002, latitude)[2]
    assert spacing(grid) == pytest.approx((north, east), rel=1e-6)


def test_spacing_of_projected_grids():
    assert spacing(Grid("EPSG:32645", 0, 0, 25.0, -20.0, 5, 5)) == (20.0, 25.0)
    feet = spacing(Grid("EPSG:2227", 0, 0, 10.0, -10.0, 5, 5))
    assert feet == pytest.approx((3.048006, 3.048006), abs=1e-6)


def test_pairs_that_differ_by_whole_pixels_are_read_onto_their_union(tmp_path):
    root = mini.gamma(tmp_path / "field")
    key = mini.KEYS[0]
    name = key.replace("_", "-")
    wide, tall = mini.unwrapped(key, height=14, width=20), mini.coherence(key, height=14, width=20)
    wide += 0.1
    mini.write(root / f"tifs/crop_{name}_VV_8rlks_eqa_unw.tif", wide, left=mini.LEFT - 0.003, top=mini.TOP + 0.002)
    mini.write(root / f"tifs/crop_{name}_VV_8rlks_flat_eqa_cc.tif", tall, left=mini.LEFT - 0.003, top=mini.TOP + 0.002)
    source = open_source(root)
    assert source.rejected == ()
    assert source.header.shape == (14, 20)
    assert (source.header.grid.left, source.header.grid.top) == pytest.approx((mini.LEFT - 0.003, mini.TOP + 0.002))
    large = source.read(source.pairs[0], slice(None))
    known = tall > 0
    assert np.array_equal(large.unwrapped[known], wide[known])
    small = source.read(source.pairs[1], slice(None))
    truth = mini.unwrapped(mini.KEYS[1])
    inside = small.unwrapped[2:, 3:19]
    assert np.array_equal(inside[np.isfinite(inside)], truth[(truth != 0) & (mini.coherence(mini.KEYS[1]) > 0)])
    assert not small.coherence[:2].any()
    assert not small.coherence[:, :3].any()
    assert not small.coherence[:, 19:].any()
    assert np.isnan(source.static()["elevation"][:2]).all()


def test_an_existing_grid_is_kept_and_files_are_cut_or_padded_to_it(tmp_path):
    root = mini.gamma(tmp_path / "field")
    whole = open_source(root)
    grid = dataclasses.replace(whole.header.grid, left=mini.LEFT + 0.002, top=mini.TOP - 0.001, height=20, width=10)
    source = open_source(root, grid=grid)
    assert source.header.grid == grid
    assert source.header.shape == (20, 10)
    for item, same in zip(source.pairs, whole.pairs, strict=True):
        block, expected = source.read(item, slice(0, 20)), whole.read(same, slice(None))
        assert np.array_equal(block.phase[:11], expected.phase[1:, 2:12])
        assert not block.coherence[11:].any()
        only = source.read(item, slice(12, 20))
        assert not only.coherence.any()


def test_pairs_off_the_lattice_of_the_others_are_refused_and_the_rest_goes_on(tmp_path):
    root = mini.gamma(tmp_path / "field")
    path = root / "tifs/crop_20180106-20180118_VV_8rlks_eqa_unw.tif"
    mini.write(path, mini.unwrapped(mini.KEYS[0]), left=mini.LEFT + 0.0005)
    source = open_source(root)
    assert [item.pair.key for item in source.pairs] == list(mini.KEYS[1:])
    (rejected,) = source.rejected
    assert rejected.key == mini.KEYS[0]
    assert "eqa_unw.tif is shifted by 0.500 columns" in rejected.reason
    assert rejected.fingerprint
