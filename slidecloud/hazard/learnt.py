"""What models of susceptibility have learnt: probabilities, weights of columns and their shares in a prediction."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from slidecloud.kernels.tree_mean import tree_mean
from slidecloud.kernels.tree_shapley import tree_shapley
from slidecloud.libraries import library
from slidecloud.types import Float64


class Model(Protocol):
    """What has been learnt; matrices are those of a `design.Design`, without missing values."""

    def probability(self, matrix: Float64) -> Float64:
        """Probability of a slide, (n,), as in the sample learnt from."""

    def weight(self) -> Float64:
        """Weight of each column while learning, (column,), not negative, of sum 1 (or all 0)."""

    def shapley(self, matrix: Float64) -> Float64:
        """Share of each column in each prediction, (n, column + 1), the last of them the mean.

        They add up to the probability for a forest, to its logit for the others.
        """


@dataclass(frozen=True, slots=True)
class Logistic:
    """Coefficients of the raw columns; `mean` and `spread` are those of the columns learnt from."""

    intercept: float
    coefficient: Float64
    mean: Float64
    spread: Float64

    def probability(self, matrix: Float64) -> Float64:
        # Column by column: a matrix product adds in an order that depends on how many rows there are.
        total = np.full(len(matrix), self.intercept)
        for column, coefficient in zip(matrix.T, self.coefficient, strict=True):
            total += column * coefficient
        result: Float64 = expit(total)
        return result

    def weight(self) -> Float64:
        return _to_one(np.abs(self.coefficient) * self.spread)

    def shapley(self, matrix: Float64) -> Float64:
        mean = np.full((len(matrix), 1), self.intercept + self.mean @ self.coefficient)
        return np.concatenate([(matrix - self.mean) * self.coefficient, mean], axis=1)


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees of a random forest, one after the other.

    Attributes
    ----------
    first
        int64 (tree + 1,): number of the first node of each tree, and of all nodes.
    left, right, column
        int64 (node,), see `slidecloud.kernels.tree_mean.tree_mean`.
    threshold, cover, share
        float64 (node,): border between the children, weight of what was learnt from, share of slides in it.
    gini
        float64 (column,), of sum 1.
    """

    first: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    column: NDArray[np.int64]
    threshold: Float64
    cover: Float64
    share: Float64
    gini: Float64

    @classmethod
    def of(cls, estimator: Any) -> Forest:
        """Those of a forest of scikit-learn for two kinds."""
        trees = [each.tree_ for each in estimator.estimators_]

        def whole(name: str, dtype: type[np.generic]) -> NDArray[Any]:
            return np.concatenate([getattr(tree, name) for tree in trees]).astype(dtype)

        return cls(
            first=np.cumsum([0, *(tree.node_count for tree in trees)]),
            left=whole("children_left", np.int64),
            right=whole("children_right", np.int64),
            column=whole("feature", np.int64),
            threshold=whole("threshold", np.float64),
            cover=whole("weighted_n_node_samples", np.float64),
            share=np.concatenate([tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) for tree in trees]),
            gini=_to_one(estimator.feature_importances_),
        )

    def probability(self, matrix: Float64) -> Float64:
        return tree_mean(
            matrix, first=self.first, left=self.left, right=self.right, column=self.column, threshold=self.threshold,
            value=self.share,
        )  # fmt: skip

    def weight(self) -> Float64:
        return self.gini

    def shapley(self, matrix: Float64) -> Float64:
        # scikit-learn compares float32 values with its thresholds.
        rows = np.ascontiguousarray(matrix, np.float32).astype(np.float64)
        total = np.zeros((len(rows), rows.shape[1] + 1))
        for start, stop in itertools.pairwise(self.first):
            tree = slice(start, stop)
            total += tree_shapley(
                rows, left=self.left[tree], right=self.right[tree], column=self.column[tree],
                threshold=self.threshold[tree], cover=self.cover[tree], value=self.share[tree],
            )  # fmt: skip
        return total / (self.first.size - 1)


@dataclass(frozen=True, slots=True)
class LightGbm:
    """Boosted trees of LightGBM."""

    booster: Any

    def probability(self, matrix: Float64) -> Float64:
        return np.asarray(self.booster.predict(matrix, num_threads=1), np.float64)

    def weight(self) -> Float64:
        return _to_one(self.booster.feature_importance(importance_type="gain"))

    def shapley(self, matrix: Float64) -> Float64:
        return np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1), np.float64)


@dataclass(frozen=True, slots=True)
class XgBoost:
    """Boosted trees of XGBoost."""

    booster: Any

    def probability(self, matrix: Float64) -> Float64:
        return np.asarray(self.booster.predict(library("xgboost").DMatrix(matrix)), np.float64)

    def weight(self) -> Float64:
        gain = self.booster.get_score(importance_type="total_gain")
        return _to_one([gain.get(f"f{k}", 0.0) for k in range(self.booster.num_features())])

    def shapley(self, matrix: Float64) -> Float64:
        found = self.booster.predict(library("xgboost").DMatrix(matrix), pred_contribs=True)
        return np.asarray(found, np.float64)


def _to_one(weight: ArrayLike) -> Float64:
    found = np.asarray(weight, np.float64)
    total = found.sum()
    return found / total if total > 0 else np.zeros_like(found)
