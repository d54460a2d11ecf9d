"""Scales of factors: their ends, mean and spread, ranks, and what tables must share with cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.scaling import fit

VALUES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=40).map(lambda values: np.array(values, float))
METHODS = ["minmax", "z", "rank"]


def test_by_hand():
    values = [0.0, 4.0, 4.0, 8.0, np.nan]
    np.testing.assert_array_equal(fit(values).apply(values), [0, 0.5, 0.5, 1, np.nan])
    np.testing.assert_allclose(fit(values, method="z").apply(values), [-np.sqrt(2), 0, 0, np.sqrt(2), np.nan])
    # Half of a quarter lies below the middle of the lowest; the two in the middle share the middle half.
    np.testing.assert_array_equal(fit(values, method="rank").apply(values), [0.125, 0.5, 0.5, 0.875, np.nan])


def test_beyond_the_ends():
    values = [0.0, 4.0, 8.0]
    np.testing.assert_allclose(fit(values).apply([-4, 12]), [-0.5, 1.5])
    np.testing.assert_allclose(fit(values, method="rank").apply([-4, 2, 12]), [1 / 6, 1 / 3, 5 / 6])


@settings(deadline=None)
@given(VALUES, st.sampled_from(METHODS))
def test_scaled_ground_has_the_ends_spread_or_ranks_promised(values, method):
    scaled = fit(values, method=method).apply(values)
    assert (np.diff(scaled[np.argsort(values)]) >= -1e-12).all()
    if method == "minmax":
        assert (scaled.min(), scaled.max()) == (0.0, 1.0 if np.ptp(values) else 0.0)
    elif method == "z":
        assert scaled.mean() == pytest.approx(0, abs=1e-9)
        assert scaled.std() == pytest.approx(1 if np.ptp(values) else 0)
    else:
        assert scaled.mean() == pytest.approx(0.5)
        assert ((scaled > 0) & (scaled < 1)).all()


@settings(deadline=None)
@given(VALUES, st.sampled_from(METHODS), st.integers(1, 100), st.integers(-100, 100))
def test_neither_unit_nor_zero_of_the_factor_matters(values, method, unit, zero):
    again = fit(unit * values + zero, method=method).apply(unit * values + zero)
    np.testing.assert_allclose(again, fit(values, method=method).apply(values), atol=1e-9)


@settings(deadline=None)
@given(VALUES, st.sampled_from(METHODS))
def test_a_table_scales_as_its_cells_do(values, method):
    level, number = np.unique(values, return_counts=True)
    table = fit(level, method=method, count=number)
    np.testing.assert_allclose(table.apply(values), fit(values, method=method).apply(values), atol=1e-12)


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        ([], {}, "none that is known"),
        ([np.nan], {}, "none that is known"),
        ([np.inf, 1], {}, "infinite"),
        ([1, 2], {"count": [1]}, "shapes"),
        ([1, 2], {"count": [1, -2]}, "negative count"),
        ([1, 2], {"method": "log"}, "method: found 'log'"),
    ],
)
def test_bad_values_are_named(values, options, says):
    with pytest.raises(ValueError, match=says):
        fit(values, **options)
