"""Maps between their pixels: exact on planes, silent where there is nothing, and places found on uneven ground."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from slidecloud.kernels.sampling import at_places, find_places

SHAPE = (20, 30)
ROW, COLUMN = np.indices(SHAPE) + 0.5


@settings(deadline=None, max_examples=30)
@given(
    row=st.floats(3, 17), column=st.floats(3, 27), down=st.floats(-2, 2), across=st.floats(-2, 2),
    reach=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)  # fmt: skip
def test_a_plane_stays_itself_whatever_the_reach(row, column, down, across, reach):
    found = at_places(down * ROW + across * COLUMN, row, column, reach=reach)
    np.testing.assert_allclose(found, down * row + across * column, atol=1e-4)


def test_pixels_and_gaps():
    values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    np.testing.assert_array_equal(at_places(values, ROW, COLUMN), values)
    values[5, 5] = np.nan
    assert np.isnan(at_places(values, 5.5, 5.5))
    # A quarter of the weight is gone: the rest tells.
    expected = (values[5, 6] + values[6, 5] + values[6, 6]) / 3
    np.testing.assert_allclose(at_places(values, 6.0, 6.0), expected, rtol=1e-6)
    assert np.isnan(at_places(values, [np.nan, -1.0, 40.0], [3.0, 3.0, 3.0])).all()
    assert at_places(values, [[2.0, 3.0]], [[4.0, 5.0]]).shape == (1, 2)


def test_a_wide_reach_averages_noise():
    noise = np.random.default_rng(1).normal(size=(400, 400))
    places = np.meshgrid(np.arange(20, 380, 4.0), np.arange(20, 380, 4.0))
    # Weights of a tent over three pixels each way: the sum of their squares is (19 / 81)^2 at pixel centres.
    spread = at_places(noise, places[0] + 0.5, places[1] + 0.5, reach=(3, 3)).std()
    assert abs(spread - 19 / 81) < 0.01


def turned(rough: float, seed: int = 0):
    """Metres east and north of pixels of 40 m that run askew, moved about by the terrain."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((80, 100)) * 40.0
    hills = ndimage.gaussian_filter(rng.normal(size=y.shape), 3.0)
    hills *= rough / hills.std()
    east, north = 0.98 * x - 0.2 * y + hills, -0.2 * x - 0.98 * y - 0.3 * hills
    return east, north


def test_places_come_back_on_uneven_ground():
    east, north = turned(30.0)
    row, column = np.random.default_rng(2).uniform(3, 77, (2, 500))
    wanted = [at_places(axis, row, column).astype(float) for axis in (east, north)]
    found = find_places(east, north, *wanted)
    np.testing.assert_allclose(found[0], row, atol=0.02)
    np.testing.assert_allclose(found[1], column, atol=0.02)


def test_ground_beyond_the_border_and_in_folds_has_no_place():
    east, north = turned(0.0)
    found = find_places(east, north, np.array([-2000.0, 1000.0]), np.array([0.0, 5000.0]))
    assert np.isnan(found).all()
    # Half a pixel around the outermost centres is still on the map, more is not.
    edge = find_places(east, north, east[40, :1] - [15.0], north[40, :1])
    assert np.isfinite(edge).all()
    east[:, 50:] = np.nan
    there = find_places(east, north, *(axis[40, [20, 30]] for axis in turned(0.0)))
    np.testing.assert_allclose(there, [[40.5, 40.5], [20.5, 30.5]], atol=1e-3)
    assert np.isnan(find_places(east, north, *(axis[40, [80]] for axis in turned(0.0)))).all()
    folded = find_places(*turned(160.0), *turned(0.0))
    assert 0.005 < np.isnan(folded).mean() < 0.5
