"""Places of a risk index: cells of landslides, random ones on the same ground, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.hazard.risk_places import kept, places
from slidecloud.types import DataError, Grid

GRID = Grid("EPSG:32648", 1000.0, 9000.0, 10.0, -10.0, 80, 50)


def test_landslides_fall_into_their_cells():
    found = places([1000.0, 1499.9, 1015.0, 999.9, 1020.0], [9000.0, 8200.1, 8985.0, 8500.0, 9000.1], GRID)
    assert found.row[:3].tolist() == [0, 79, 1]
    assert found.column[:3].tolist() == [0, 49, 1]
    assert found.beyond == 2
    assert found.point.sum() == 3
    x, y = found.metres(GRID)
    assert (x[2], y[2]) == (1015.0, 8985.0)


def test_random_places_cover_the_grid_and_do_not_depend_on_tiles():
    rng = np.random.default_rng(1)
    found = places(rng.uniform(1000, 1500, 1000), rng.uniform(8200, 9000, 1000), GRID, seed=4)
    row, column = found.row[~found.point], found.column[~found.point]
    assert (row.min(), row.max(), column.min(), column.max()) == (0, 79, 0, 49)
    # Uniform over 80 rows: the mean of 8,000 has a standard error of 0.26.
    assert row.mean() == pytest.approx(39.5, abs=1.0)
    halves = [found.within(slice(0, 33), slice(0, 50)), found.within(slice(33, 80), slice(0, 50))]
    np.testing.assert_array_equal(np.sort(np.concatenate(halves)), np.arange(found.row.size))
    again = places(rng.uniform(1000, 1500, 1000), rng.uniform(8200, 9000, 1000), GRID, seed=4)
    np.testing.assert_array_equal(again.row[1000:], found.row[1000:])


def test_random_places_are_masked_as_points_are():
    rng = np.random.default_rng(2)
    found = places(rng.uniform(1000, 1500, 200), rng.uniform(8200, 9000, 200), GRID)
    seen = found.column >= 20
    codes = np.zeros((2, found.row.size), np.int16)
    codes[1, found.row < 10] = -1
    use = kept(found, codes, seen)
    point = found.point[use.place]
    assert point.sum() == (~point).sum()
    assert seen[use.place].all()
    assert (codes[:, use.place] >= 0).all()
    assert use.masked + use.unknown + point.sum() == 200
    assert use.masked == (~seen[:200]).sum()


def test_no_place_left_is_told():
    with pytest.raises(DataError, match="points: found 1, none within the grid"):
        places([0.0], [0.0], GRID)
    found = places([1010.0], [8900.0], GRID)
    with pytest.raises(DataError, match="points: 0 of 1 and 0 random places"):
        kept(found, np.zeros((1, found.row.size)), np.zeros(found.row.size, bool))
