"""What a model heeds: weights while learning, losses on held-out space, shares in single predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from slidecloud.hazard.design import Design
from slidecloud.hazard.evaluation import Evaluation, Predictor
from slidecloud.hazard.scores import auc
from slidecloud.hazard.spatial_cv import Fold
from slidecloud.types import Float64


class Permuted(NamedTuple):
    """Loss of AUC on held-out places when a factor's values change places: `mean` and standard deviation `spread` over
    the folds, float64 (factor,)."""

    mean: Float64
    spread: Float64


class Shares(NamedTuple):
    """Shapley values: `share` float64 (n, factor), `mean` (n,), which add up to what the model says: the probability
    for a forest, its logit for the others, both as in the sample. NaN where a factor is missing."""

    share: Float64
    mean: Float64


def weights(predictor: Predictor) -> Float64:
    """Weight of each factor while learning, float64 (factor,), of sum 1.

    Gini importance for a forest, gain of all splits for boosted trees, standardised coefficients for a logistic
    regression. It favours factors of many values, and splits the weight of factors that tell the same by chance:
    `permutation` says what is lost on other ground.
    """
    found: Float64 = _by_factor(predictor.model.weight()[None], predictor.design)[0]
    return found


def permutation(
    table: pd.DataFrame, evaluation: Evaluation, splits: Sequence[Fold], *, draws: int = 5, seed: int = 0
) -> Permuted:
    """Spatial permutation importance: what each fold's model loses on its own test places (Brenning, 2012).

    Parameters
    ----------
    table
        (n,) rows of factors of the places evaluated.
    evaluation, splits
        Of these places; the models of the first repeat are asked.
    draws
        Permutations of each factor in each fold.
    seed
        Of the permutations.

    Raises
    ------
    ValueError
        If no fold of the first repeat tests both kinds.
    """
    rng = np.random.default_rng(seed)
    first = [each for each in splits if each.repeat == 0]
    lost = []
    for split, member in zip(first, evaluation.members, strict=True):
        rows = member.design.matrix(table.iloc[split.test])
        known = np.isfinite(rows).all(axis=1)
        rows, slid = rows[known], evaluation.event[split.test][known]
        if slid.any() and not slid.all():
            whole = auc(member.of(rows), slid)
            lost.append(
                [whole - _shuffled(member, rows, slid, k, draws, rng) for k in range(len(member.design.factors))]
            )
    if not lost:
        raise ValueError("splits: found no fold of the first repeat whose test holds both kinds")
    return Permuted(np.mean(lost, axis=0), np.std(lost, axis=0, ddof=min(1, len(lost) - 1)))


def shap(predictor: Predictor, table: pd.DataFrame) -> Shares:
    """Shapley values of each factor in each prediction, those of its columns added up.

    Exact: path-dependent for trees (Lundberg et al., 2020; for a forest by `slidecloud.kernels.tree_shapley`), for a
    logistic regression those of independent columns, coefficient times distance from the mean.
    """
    matrix = predictor.design.matrix(table)
    known = np.isfinite(matrix).all(axis=1)
    share = np.full((len(matrix), len(predictor.design.factors)), np.nan)
    mean = np.full(len(matrix), np.nan)
    if known.any():
        found = predictor.model.shapley(matrix[known])
        share[known], mean[known] = _by_factor(found[:, :-1], predictor.design), found[:, -1]
    return Shares(share, mean)


def _by_factor(values: Float64, design: Design) -> Float64:
    """Sums over the columns of each factor: (n, column) to (n, factor)."""
    total = np.zeros((len(design.factors), len(values)))
    np.add.at(total, np.array(design.factor_of), values.T)
    return total.T


def _shuffled(
    member: Predictor, rows: Float64, slid: ArrayLike, factor: int, draws: int, rng: np.random.Generator
) -> float:
    """Mean AUC over permutations of all columns of one factor together."""
    columns = np.nonzero(np.array(member.design.factor_of) == factor)[0]
    found = []
    for _ in range(draws):
        mixed = rows.copy()
        mixed[:, columns] = rows[rng.permutation(len(rows))][:, columns]
        found.append(auc(member.of(mixed), slid))
    return float(np.mean(found))
