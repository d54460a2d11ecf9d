"""A forest's mean is that of its trees, whatever rows are asked for together."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.tree_mean import tree_mean

# x0 <= 1 ? (x1 <= 0 ? .1 : .3) : .9, and a tree that is one leaf.
FOREST = {
    "first": [0, 5, 6],
    "left": [1, 2, -1, -1, -1, -1],
    "right": [4, 3, -1, -1, -1, -1],
    "column": [0, 1, -2, -2, -2, -2],
    "threshold": [1.0, 0.0, -2, -2, -2, -2],
    "value": [0, 0, 0.1, 0.3, 0.9, 0.5],
}


def test_hand_made_trees():
    rows = [[1, 0], [1, 0.5], [1.5, 0]]
    np.testing.assert_allclose(tree_mean(rows, **FOREST), [0.3, 0.4, 0.7], rtol=1e-15)


def test_it_agrees_with_scikit_learn():
    ensemble = pytest.importorskip("sklearn.ensemble")
    from slidecloud.hazard.learnt import Forest

    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 3))
    slid = rows[:, 0] + random.normal(size=400) > 0
    forest = ensemble.RandomForestClassifier(20, min_samples_leaf=3, random_state=0).fit(rows, slid)
    told = Forest.of(forest).probability(rows)
    np.testing.assert_allclose(told, forest.predict_proba(rows)[:, 1], rtol=0, atol=1e-14)
    parts = [Forest.of(forest).probability(rows[part]) for part in (slice(0, 7), slice(7, 400))]
    np.testing.assert_array_equal(np.concatenate(parts), told)


def test_nodes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match=r"expected \(n, column\) and \(6,\)"):
        tree_mean([[1.0, 0.0]], **{**FOREST, "value": [0.1]})
