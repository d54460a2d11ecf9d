"""Entropy weights: entropies known in closed form, and what weights must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from slidecloud.kernels.entropy_weights import EntropySums, entropy_sums, entropy_weights

GROUND = arrays.arrays(
    np.float64, st.tuples(st.integers(2, 20), st.integers(1, 5)), elements=st.integers(0, 100).map(lambda k: k / 100)
).filter(lambda values: (np.ptp(values, axis=0) > 0).any())


def test_by_hand():
    """Of four cells: half of them alike leaves ln 2 of ln 4, so H is 1/2; a single one leaves 0; all alike leave 1."""
    values = np.array([[1.0, 1.0, 0.3], [1.0, 0.0, 0.3], [0.0, 0.0, 0.3], [0.0, 0.0, 0.3]])
    np.testing.assert_allclose(entropy_weights(entropy_sums(values)), [1 / 3, 2 / 3, 0.0], atol=1e-15)


def test_against_the_printed_formula():
    values = np.random.default_rng(1).uniform(0.01, 1.0, (500, 4)) ** [1, 2, 4, 8]
    share = values / values.sum(axis=0)
    gain = 1 + (share * np.log(share)).sum(axis=0) / np.log(500)
    found = entropy_weights(entropy_sums(values))
    np.testing.assert_allclose(found, gain / gain.sum(), rtol=1e-10)
    # The more a factor's values are gathered in few cells, the more it weighs.
    assert (np.diff(found) > 0).all()


@settings(deadline=None)
@given(GROUND, st.integers(1, 7))
def test_blocks_sum_to_the_whole(values, rows):
    whole = entropy_weights(entropy_sums(values))
    blocks = [entropy_sums(values[start : start + rows]) for start in range(0, len(values), rows)]
    sums = EntropySums(*(np.sum(parts, axis=0) for parts in zip(*blocks, strict=True)))
    np.testing.assert_allclose(entropy_weights(sums), whole, rtol=1e-9, atol=1e-12)
    assert whole.sum() == pytest.approx(1)
    assert (whole >= 0).all()


@settings(deadline=None)
@given(GROUND, st.integers(2, 50), st.floats(0.1, 10))
def test_neither_repeated_ground_nor_unit_matters(values, times, unit):
    once = entropy_weights(entropy_sums(values))
    often = entropy_weights(entropy_sums(unit * values, count=np.full(values.shape, times)))
    np.testing.assert_allclose(often, once, rtol=1e-7, atol=1e-9)


def test_missing_cells_are_left_out():
    values = np.array([[0.1, 0.5], [0.9, 0.2], [np.nan, 0.4]])
    kept = entropy_sums(values[:2, :1])
    found = entropy_sums(values)
    assert (found.cells[0], found.total[0], found.logs[0]) == (2, kept.total[0], kept.logs[0])
    assert found.cells[1] == 3


def test_a_factor_that_is_zero_everywhere_weighs_nothing():
    np.testing.assert_array_equal(entropy_weights(entropy_sums([[0.0, 1.0], [0.0, 0.5]])), [0.0, 1.0])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[0.5, -0.1], [0.5, 0.1]], "values: found -0.1"),
        ([[np.inf], [1.0]], "expected finite"),
        ([0.1, 0.2], "shapes"),
        ([[0.4, 0.4]], "factor 1: found 1 known cells"),
        ([[0.1, np.nan], [0.2, 0.4]], "factor 2: found 1 known cells"),
        ([[0.1, 0.2], [0.1, 0.2], [0.1, 0.2]], "the same everywhere"),
    ],
)
def test_bad_ground_is_named(values, says):
    with pytest.raises(ValueError, match=says):
        entropy_weights(entropy_sums(values))


def test_bad_counts_are_named():
    with pytest.raises(ValueError, match="count: found -1"):
        entropy_sums([[0.1], [0.2]], count=[[1], [-1]])
