"""Information values by hand, their limits, simulated rates, and what is said of classes without points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.information_value import ABSENT, EMPTY, KNOWN, MASKED, RARE, information_value

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10_000)), min_size=1, max_size=8).filter(
    lambda rows: any(points for points, _ in rows)
)


def test_by_hand():
    """10 of 40 points on a tenth of the ground: 2.5 times the average; unsmoothed its logarithm."""
    found = information_value([10, 30], [100, 900], smoothing=0.0)
    np.testing.assert_allclose(found.value, [math.log(2.5), math.log(30 / 36)])
    np.testing.assert_allclose(found.expected, [4, 36])
    smooth = information_value([10, 30], [100, 900])
    np.testing.assert_allclose(smooth.value, [math.log(11 / 5), math.log(31 / 37)])
    # Trigamma of 11 is pi^2 / 6 less the first ten inverse squares.
    assert smooth.sigma[0] == pytest.approx(math.sqrt(math.pi**2 / 6 - sum(1 / k**2 for k in range(1, 11))))


def test_a_class_without_points_is_not_average():
    """A large one is far below it; of a small one nothing is known."""
    found = information_value([40, 0, 0], [500, 490, 10])
    assert found.value[1] == pytest.approx(math.log(1 / (40 * 0.49 + 1)))
    assert found.value[2] == pytest.approx(math.log(1 / 1.4))
    assert found.state.tolist() == [KNOWN, EMPTY, RARE]
    assert (found.sigma[1:] > 1.0).all()
    assert np.isnan(information_value([40, 0], [500, 500], smoothing=0.0).value[1])


def test_ground_that_the_mask_took_is_told_from_ground_without_slides():
    """Slopes that face the radar are masked: a class without points for that reason says nothing against them."""
    points, cells, seen = [20, 0, 0, 0, 0], [400, 300, 200, 90, 0], [400, 300, 0, 3, 0]
    found = information_value(points, cells, open_cells=seen)
    assert found.state.tolist() == [KNOWN, EMPTY, MASKED, MASKED, ABSENT]
    assert found.value[2] == 0.0
    assert abs(found.value[3]) < 0.1
    assert found.value[1] < -2
    assert np.isnan(found.value[4])
    # Were masked ground counted as ground without slides, the rest would look more dangerous than it is.
    np.testing.assert_allclose(found.expected.sum(), 20)
    assert found.value[0] < information_value(points, cells).value[0]


def test_known_rates_are_found_within_their_sigma():
    random = np.random.default_rng(3)
    rate = np.array([0.2, 0.5, 1.0, 3.0])
    cells = np.array([40_000, 30_000, 20_000, 10_000])
    truth = np.log(rate * cells.sum() / (rate * cells).sum())
    points = random.poisson(0.1 * rate * cells, (400, 4))
    found = [information_value(row, cells) for row in points]
    away = np.array([(one.value - truth) / one.sigma for one in found])
    # Also the average is estimated, which takes some from the spread of the class that holds most points.
    assert np.abs(away.mean(axis=0)).max() < 0.2
    assert (away.std(axis=0) < 1.1).all()
    assert away[:, :2].std() == pytest.approx(1.0, abs=0.1)


@settings(deadline=None)
@given(COUNTS, st.integers(2, 100), st.floats(0, 5))
def test_unit_of_area_and_order_do_not_matter(rows, unit, smoothing):
    points, cells = np.array(rows, float).T
    once = information_value(points, cells, smoothing=smoothing)
    again = information_value(points[::-1], unit * cells[::-1], smoothing=smoothing)
    np.testing.assert_allclose(again.value[::-1], once.value, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(again.state[::-1], once.state)


@settings(deadline=None)
@given(COUNTS)
def test_smoothing_draws_to_the_average_and_keeps_the_sign(rows):
    points, cells = np.array(rows, float).T
    found = [information_value(points, cells, smoothing=a).value for a in (0.01, 1.0, 10.0, 1e9)]
    for strong, weak in zip(found[1:], found, strict=False):
        assert (np.abs(strong) <= np.abs(weak) + 1e-12).all()
        assert (strong * weak >= -1e-12).all()
    np.testing.assert_allclose(found[-1], 0.0, atol=1e-4)


@settings(deadline=None)
@given(COUNTS)
def test_values_are_the_published_ones_where_nothing_is_smoothed(rows):
    points, cells = np.array(rows, float).T
    found = information_value(points, cells, smoothing=0.0).value
    held = points > 0
    np.testing.assert_allclose(
        found[held], np.log((points / points.sum())[held] / (cells / cells.sum())[held]), atol=1e-12
    )
    assert np.isnan(found[~held]).all()


@pytest.mark.parametrize(
    ("points", "cells", "seen", "says"),
    [
        ([1, 2], [3], None, "shapes"),
        ([0, 0], [3, 4], None, "found none in any class"),
        ([-1, 2], [3, 4], None, "points: found -1"),
        ([1, 2], [3, np.nan], None, "cells"),
        ([1, 2], [3, 4], [3, 5], "class 2 has more"),
        ([1, 2], [3, 4], [3, 0], "class 2 has 2 of them but no open cell"),
    ],
)
def test_bad_counts_are_named(points, cells, seen, says):
    with pytest.raises(ValueError, match=says):
        information_value(points, cells, open_cells=seen)


def test_bad_smoothing_is_named():
    with pytest.raises(ValueError, match="smoothing: found -1"):
        information_value([1], [2], smoothing=-1)
