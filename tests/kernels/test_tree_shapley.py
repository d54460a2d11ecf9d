"""Shapley values of trees against the sum over all sets that defines them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from slidecloud.kernels.tree_shapley import tree_shapley


def _tree(depth, columns, seed):
    """A full tree with tests of chance, whose covers add up."""
    random = np.random.default_rng(seed)
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    left = np.array([2 * k + 1 if k < inner else -1 for k in range(nodes)])
    cover = np.ones(nodes)
    cover[inner:] = random.integers(1, 9, nodes - inner)
    for k in range(inner - 1, -1, -1):
        cover[k] = cover[2 * k + 1] + cover[2 * k + 2]
    return {
        "left": left,
        "right": np.where(left < 0, -1, left + 1),
        "column": random.integers(0, columns, nodes),
        "threshold": random.uniform(-1, 1, nodes),
        "cover": cover,
        "value": random.normal(size=nodes),
    }


def _expected(tree, row, playing, node=0):
    """Prediction where columns that do not play are averaged over by cover."""
    if tree["left"][node] < 0:
        return tree["value"][node]
    sides = tree["left"][node], tree["right"][node]
    if tree["column"][node] in playing:
        return _expected(tree, row, playing, sides[int(row[tree["column"][node]] > tree["threshold"][node])])
    parts = [tree["cover"][side] * _expected(tree, row, playing, side) for side in sides]
    return sum(parts) / tree["cover"][node]


def _by_definition(tree, row):
    count = row.size
    found = np.zeros(count + 1)
    found[-1] = _expected(tree, row, ())
    for i in range(count):
        others = [k for k in range(count) if k != i]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - 1 - size) / math.factorial(count)
            for chosen in itertools.combinations(others, size):
                found[i] += weight * (_expected(tree, row, (*chosen, i)) - _expected(tree, row, chosen))
    return found


@pytest.mark.parametrize(("depth", "columns"), [(1, 1), (2, 3), (4, 4), (5, 3)])
def test_values_are_those_of_the_definition(depth, columns):
    """Columns tested twice on one way, and others never, are among the cases."""
    random = np.random.default_rng(depth)
    tree = _tree(depth, columns, seed=depth)
    rows = random.uniform(-1, 1, (5, columns))
    np.testing.assert_allclose(
        tree_shapley(rows, **tree), [_by_definition(tree, row) for row in rows], rtol=1e-12, atol=1e-13
    )


def test_they_add_up_to_the_prediction():
    tree = _tree(6, 5, seed=9)
    rows = np.random.default_rng(0).uniform(-1, 1, (40, 5))
    predicted = [_expected(tree, row, range(5)) for row in rows]
    np.testing.assert_allclose(tree_shapley(rows, **tree).sum(axis=1), predicted, rtol=1e-12)


def test_a_lone_leaf_is_the_mean():
    leaf = {"left": [-1], "right": [-1], "column": [0], "threshold": [0.0], "cover": [3.0], "value": [0.4]}
    np.testing.assert_array_equal(tree_shapley([[1.0, 2.0]], **leaf), [[0, 0, 0.4]])


def test_nodes_of_unlike_number_are_refused():
    tree = _tree(2, 2, seed=0)
    with pytest.raises(ValueError, match="rows, nodes: found"):
        tree_shapley([[0.0, 0.0]], **{**tree, "cover": tree["cover"][1:]})
