"""Weights from judgements in pairs: published numbers, matrices whose weights are known, random judgements."""

from __future__ import annotations

import dexing
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.ahp import RANDOM_INDEX, priorities, unreciprocal

METHODS = ["column_mean", "geometric_mean", "eigenvector"]
WEIGHTS = st.lists(st.floats(0.1, 10.0), min_size=1, max_size=9).map(lambda raw: np.array(raw) / np.sum(raw))


def reciprocal(above):
    """The matrix whose cells above the diagonal are given."""
    count = round((1 + np.sqrt(1 + 8 * len(above))) / 2)
    matrix = np.ones((count, count))
    matrix[np.triu_indices(count, 1)] = above
    return np.triu(matrix) + np.tril(1 / matrix.T, -1)


JUDGEMENTS = st.integers(2, 8).flatmap(
    lambda n: st.lists(
        st.sampled_from([*range(1, 10), *(1 / k for k in range(2, 10))]),
        min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2,
    ).map(reciprocal)
)  # fmt: skip


def test_published_weights_and_consistency():
    found = priorities(dexing.MATRIX, method="column_mean")
    np.testing.assert_array_equal(np.round(found.weights, 4), dexing.SUBJECTIVE)
    assert found.eigenvalue == pytest.approx(11.4606, abs=5e-5)
    assert round(found.consistency_ratio, 4) == 0.0303
    assert found.random_index == 1.52


def test_the_printed_cell_that_is_not_reciprocal_is_named():
    assert unreciprocal(dexing.PRINTED) == [(3, 1)]
    with pytest.raises(ValueError, match=r"rain against slope \(row 4, column 2\) is 0.2 while .* is 4, .* 0.25"):
        priorities(dexing.PRINTED, names=dexing.NAMES)


def test_three_by_hand():
    """Judgements 2, 4 and 3: the eigenvalue of three factors is 1 + r + 1/r with r the cube root of a12 a23 / a13."""
    matrix = reciprocal([2.0, 4.0, 3.0])
    root = (2.0 * 3.0 / 4.0) ** (1 / 3)
    for method in METHODS:
        assert priorities(matrix, method=method).eigenvalue == pytest.approx(1 + root + 1 / root, rel=1e-12)
    geometric = np.array([8.0, 1.5, 1 / 12]) ** (1 / 3)
    np.testing.assert_allclose(priorities(matrix, method="geometric_mean").weights, geometric / geometric.sum())
    # Columns sum to 7/4, 10/3 and 8.
    column = [4 / 7 + 6 / 10 + 4 / 8, 2 / 7 + 3 / 10 + 3 / 8, 1 / 7 + 1 / 10 + 1 / 8]
    np.testing.assert_allclose(priorities(matrix, method="column_mean").weights, np.array(column) / 3)
    # Of three factors the eigenvector is the geometric mean.
    np.testing.assert_allclose(priorities(matrix, method="eigenvector").weights, geometric / geometric.sum())


@settings(deadline=None)
@given(WEIGHTS, st.sampled_from(METHODS))
def test_consistent_judgements_give_back_their_weights(weights, method):
    found = priorities(weights[:, None] / weights, method=method)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-9)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-12)


@settings(deadline=None)
@given(JUDGEMENTS, st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_weights_follow_their_factors(matrix, method, random):
    found = priorities(matrix, method=method)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights > 0).all()
    assert found.eigenvalue >= len(matrix)
    order = np.array(random.sample(range(len(matrix)), len(matrix)))
    again = priorities(matrix[np.ix_(order, order)], method=method)
    np.testing.assert_allclose(again.weights, found.weights[order], rtol=1e-8)
    assert again.consistency_ratio == pytest.approx(found.consistency_ratio, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(JUDGEMENTS)
def test_eigenvector_solves_its_equation(matrix):
    found = priorities(matrix, method="eigenvector")
    np.testing.assert_allclose(matrix @ found.weights, found.eigenvalue * found.weights, rtol=1e-8)


@pytest.mark.parametrize("count", range(3, 16))
def test_random_index_is_that_of_random_judgements(count):
    """Within four standard errors of the mean of 1,000 matrices, and what the table rounds away.

    At 3 rows a standard error is .021, at 15 it is .004.
    """
    random = np.random.default_rng(count)
    scale = np.array([*range(1, 10), *(1 / k for k in range(2, 10))])
    above = random.choice(scale, (1000, count * (count - 1) // 2))
    largest = np.linalg.eigvals(np.array([reciprocal(row) for row in above])).real.max(axis=1)
    index = (largest - count) / (count - 1)
    assert index.mean() == pytest.approx(RANDOM_INDEX[count - 1], abs=4 * index.std() / np.sqrt(1000) + 0.005)


def test_two_factors_cannot_contradict_each_other():
    found = priorities([[1, 3], [1 / 3, 1]])
    np.testing.assert_allclose(found.weights, [0.75, 0.25])
    assert found.consistency_ratio == 0.0
    assert priorities([[1.0]]).weights == 1.0


def test_another_random_index():
    assert priorities(dexing.MATRIX, random_index=1.51).consistency_ratio == pytest.approx(0.0305, abs=5e-5)
    sixteen = np.ones((16, 16))
    with pytest.raises(ValueError, match="known up to 15: pass random_index"):
        priorities(sixteen)
    assert priorities(sixteen, random_index=1.6).consistency_ratio == 0.0


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([[1, 2]], "shape"),
        ([[1, 0.5], [0, 1]], "row 2, column 1.* is 0, expected a positive"),
        ([[1, np.nan], [1, 1]], "row 1, column 2"),
        ([[1, 3], [0.33, 1]], "which expects 0.3333"),
        ([[2, 1], [1, 1]], "against itself"),
    ],
)
def test_bad_matrices_are_named(matrix, says):
    with pytest.raises(ValueError, match=says):
        priorities(matrix)


def test_all_cells_at_fault_are_named_and_thirds_may_be_rounded():
    assert priorities([[1, 3], [0.333, 1]]).weights[0] == pytest.approx(0.75, abs=1e-3)
    with pytest.raises(ValueError, match=r"C2 against C1.*C3 against C2"):
        priorities([[1, 2, 1], [1, 1, 2], [1, 2, 1]])


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="method: found 'mean'"):
        priorities(np.ones((2, 2)), method="mean")
    with pytest.raises(ValueError, match="names: found 1, expected 2"):
        priorities(np.ones((2, 2)), names=["slope"])
    with pytest.raises(ValueError, match="random_index: found 0"):
        priorities(np.ones((3, 3)), random_index=0.0)
