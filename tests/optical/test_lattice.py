"""The lattice of looks: every pixel is given once, or shared by looks whose weights add up to 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.optical.lattice import lattice

ROWS, COLUMNS = slice(40, 150), slice(0, 97)


def summed(cutting, rows, columns):
    """Weights of all looks, (y, x)."""
    found = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    for look in cutting.looks(rows, columns):
        assert look.top + cutting.side >= look.rows.stop
        assert look.top <= look.rows.start
        assert look.left + cutting.side >= look.columns.stop
        assert look.left <= look.columns.start
        found[
            look.rows.start - rows.start : look.rows.stop - rows.start,
            look.columns.start - columns.start : look.columns.stop - columns.start,
        ] += look.weight
    return found


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([None, 0, 4, 8, 16, 40]), st.sampled_from([32, 64]))
def test_weights_add_up_to_one(row, column, overlap, tile):
    cutting = lattice(stride=4, reach=23, tile=tile, overlap=overlap, offset=(row, column))
    np.testing.assert_allclose(summed(cutting, ROWS, COLUMNS), 1.0, atol=1e-6)


def test_wide_borders_are_whole_strides_and_need_no_blending():
    cutting = lattice(stride=4, reach=23, tile=32)
    assert (cutting.overlap, cutting.side, cutting.blended) == (24, 80, False)
    assert all((look.weight == 1).all() for look in cutting.looks(ROWS, COLUMNS))
    looks = list(cutting.looks(slice(32, 64), slice(0, 32)))
    assert [(look.top, look.left) for look in looks] == [(8, -24)]


def test_narrow_borders_are_blended_evenly():
    cutting = lattice(stride=4, reach=23, tile=32, overlap=8)
    assert cutting.blended
    first, second = cutting.looks(slice(16, 17), slice(24, 40))
    np.testing.assert_allclose(first.weight[0], 1 - (np.arange(16) + 0.5) / 16, atol=1e-6)
    np.testing.assert_allclose(second.weight[0], (np.arange(16) + 0.5) / 16, atol=1e-6)


@pytest.mark.parametrize(
    ("given_", "message"),
    [({"tile": 30}, "tile is 30; expected a multiple of 4"), ({"tile": 32, "overlap": 20}, "at least 40")],
)
def test_what_does_not_fit_is_refused(given_, message):
    with pytest.raises(ValueError, match=message):
        lattice(stride=4, reach=23, **given_)
