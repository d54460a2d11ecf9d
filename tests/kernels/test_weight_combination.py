"""Weights of judgement and of data together: the published combination and its limits."""

from __future__ import annotations

import dexing
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.ahp import priorities
from slidecloud.kernels.weight_combination import combine

PAIRS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        *[st.lists(st.integers(1, 100), min_size=n, max_size=n).map(lambda w: np.array(w) / sum(w))] * 2
    )
)


def test_published_shares_and_weights():
    printed = combine(dexing.SUBJECTIVE, dexing.ENTROPY)
    assert (round(printed.first, 5), round(printed.second, 5)) == (0.60251, 0.39749)
    whole = combine(priorities(dexing.MATRIX).weights, dexing.ENTROPY)
    # Four printed digits of the weights leave the shares good to about 1e-5.
    assert whole.first == pytest.approx(0.60251, abs=1e-5)
    for found in (printed, whole):
        np.testing.assert_allclose(found.weights, dexing.COMBINED, rtol=0, atol=1e-4)


@settings(deadline=None)
@given(PAIRS)
def test_shares_solve_their_two_equations(pair):
    found = combine(*pair)
    assert found.first + found.second == pytest.approx(1)
    assert (found.first - found.second) ** 2 == pytest.approx(np.sum((pair[0] - pair[1]) ** 2) / 2, abs=1e-12)
    assert found.first >= found.second >= 0
    assert found.weights.sum() == pytest.approx(1)
    low, high = np.minimum(*pair), np.maximum(*pair)
    assert ((found.weights >= low - 1e-12) & (found.weights <= high + 1e-12)).all()


def test_sets_that_agree_count_alike_and_sets_apart_not_at_all():
    assert combine([0.3, 0.7], [0.3, 0.7])[1:] == (0.5, 0.5)
    np.testing.assert_array_equal(combine([1.0, 0.0], [0.0, 1.0]).weights, [1.0, 0.0])


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([0.5, 0.5], [1.0], "shapes"),
        ([0.5, 0.6], [0.5, 0.5], "first: found .* sum to 1.1"),
        ([0.5, 0.5], [1.2, -0.2], "second: found weights from -0.2"),
        ([0.5, np.nan], [0.5, 0.5], "first"),
    ],
)
def test_bad_sets_are_named(first, second, says):
    with pytest.raises(ValueError, match=says):
        combine(first, second)
