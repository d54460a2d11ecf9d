"""What models of susceptibility have learnt: probabilities, weights of columns and their shares in a prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

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
        result: Float64 = expit(self.intercept + matrix @ self.coefficient)
        return result

    def weight(self) -> Float64:
        return _to_one(np.abs(self.coefficient) * self.spread)

    def shapley(self, matrix: Float64) -> Float64:
        mean = np.full((len(matrix), 1), self.intercept + self.mean @ self.coefficient)
        return np.concatenate([(matrix - self.mean) * self.coefficient, mean], axis=1)


@dataclass(frozen=True, slots=True)
class Forest:
    """A random forest of scikit-learn."""

    estimator: Any

    def probability(self, matrix: Float64) -> Float64:
        result: Float64 = self.estimator.predict_proba(matrix)[:, 1]
        return result

    def weight(self) -> Float64:
        return _to_one(self.estimator.feature_importances_)

    def shapley(self, matrix: Float64) -> Float64:
        # scikit-learn compares float32 values with its thresholds.
        rows = np.ascontiguousarray(matrix, np.float32).astype(np.float64)
        total = np.zeros((len(rows), rows.shape[1] + 1))
        for each in self.estimator.estimators_:
            tree = each.tree_
            share = tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1)
            total += tree_shapley(
                rows,
                left=tree.children_left,
                right=tree.children_right,
                column=tree.feature,
                threshold=tree.threshold,
                cover=tree.weighted_n_node_samples,
                value=share,
            )
        return total / len(self.estimator.estimators_)


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
