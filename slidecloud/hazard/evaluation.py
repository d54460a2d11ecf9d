"""What a model says of places it has not seen: repeated splits, and tuning inside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from slidecloud.hazard import models
from slidecloud.hazard.design import Design, design
from slidecloud.hazard.learnt import Model
from slidecloud.hazard.models import Name, Parameters
from slidecloud.hazard.scores import Scores, auc, score
from slidecloud.hazard.spatial_cv import Fold, folds
from slidecloud.types import DataError, Float64

_INNER_FOLDS: Final = 3


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to learn: the model, its factors, and whether its parameters are tuned among `models.GRIDS`."""

    model: Name
    factors: tuple[str, ...]
    categories: tuple[str, ...] = ()
    circular: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    tuned: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model with the design of its columns and the parameters it was learnt with."""

    design: Design
    model: Model
    parameters: Parameters

    def probability(self, table: pd.DataFrame) -> Float64:
        """Probability of each row as in the sample learnt from, (n,); NaN where a factor is missing or unknown."""
        return self.of(self.design.matrix(table))

    def of(self, matrix: Float64) -> Float64:
        """The same from columns of the design."""
        known = np.isfinite(matrix).all(axis=1)
        found = np.full(len(matrix), np.nan)
        if known.any():
            found[known] = self.model.probability(matrix[known])
        return found


class FoldScore(NamedTuple):
    """One split: `auc` on its `test` places (NaN where these are of one kind), learnt from `train` places."""

    repeat: int
    fold: int
    auc: float
    train: int
    test: int
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Predictions of places by models that had not seen them.

    Attributes
    ----------
    predicted
        float64 (repeat, n), probabilities as in the sample; NaN where a place was not tested.
    event
        bool (n,).
    fold_scores
        One each split.
    members
        Predictors of the splits of the first repeat, for the spread of maps.
    """

    predicted: Float64
    event: NDArray[np.bool_]
    fold_scores: tuple[FoldScore, ...]
    members: tuple[Predictor, ...]

    @property
    def auc(self) -> float:
        """Mean AUC over the splits whose test holds both kinds."""
        found = np.array([each.auc for each in self.fold_scores])
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")

    @property
    def held_out(self) -> Float64:
        """Mean prediction of each place over the repeats, (n,); NaN where it was never tested.

        A mean of models ranks better than one of them: it is for comparing, not for scoring.
        """
        count = np.isfinite(self.predicted).sum(axis=0)
        return np.where(count > 0, np.nansum(self.predicted, axis=0) / np.maximum(count, 1), np.nan)

    @property
    def judged(self) -> tuple[Float64, NDArray[np.bool_]]:
        """Every prediction of every repeat with its outcome, both (repeat * place,): what calibration learns from."""
        known = np.isfinite(self.predicted)
        return self.predicted[known], np.broadcast_to(self.event, self.predicted.shape)[known]

    @property
    def scores(self) -> Scores:
        """Scores of each repeat as in the sample, their mean over the repeats; counts are those of the first."""
        known = np.isfinite(self.predicted)
        found = [score(row[good], self.event[good]) for row, good in zip(self.predicted, known, strict=True)]
        ranks, precision, brier, error = np.mean([each[:4] for each in found], axis=0).tolist()
        return Scores(ranks, precision, brier, error, found[0].events, found[0].others)


def learn(table: pd.DataFrame, event: ArrayLike, x: ArrayLike, y: ArrayLike, *, recipe: Recipe) -> Predictor:
    """Learn from all places whose factors are known.

    Parameters
    ----------
    table
        (n,) rows of factors.
    event
        bool (n,).
    x, y
        (n,), m, for the inner splits of tuning.
    recipe
        How.

    Raises
    ------
    DataError
        If places of either kind with all factors known are missing.
    """
    made = design(table, factors=recipe.factors, categories=recipe.categories, circular=recipe.circular)
    matrix, slid = made.matrix(table), np.asarray(event, bool)
    known = np.isfinite(matrix).all(axis=1)
    matrix, slid = matrix[known], slid[known]
    if not slid.any() or slid.all():
        raise DataError(
            f"found {int(slid.sum())} slides among {slid.size} places with all of {', '.join(recipe.factors)}, of "
            f"{known.size} in all; expected both kinds: check where the factors are missing, or take larger folds"
        )
    chosen = dict(recipe.parameters)
    if recipe.tuned:
        east, north = (np.asarray(axis, np.float64)[known] for axis in (x, y))
        chosen |= _tuned(matrix, slid, east, north, recipe)
    model = models.fit(matrix, slid, model=recipe.model, parameters=chosen, seed=recipe.seed)
    return Predictor(made, model, models.settled(recipe.model, chosen))


def cross_validate(
    table: pd.DataFrame,
    event: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    recipe: Recipe,
    splits: Sequence[Fold],
) -> Evaluation:
    """Learn on the training of each split, judge on its test.

    Parameters
    ----------
    table, event, x, y, recipe
        As for `learn`, which is called with the training places alone: categories, scales and tuning know nothing of
        the test.
    splits
        Those of `spatial_cv.folds`.

    Raises
    ------
    DataError
        If a split leaves one kind alone to learn from; it is named.
    """
    slid, east, north = np.asarray(event, bool), np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not slid.shape == east.shape == north.shape == (len(table),):
        raise ValueError(f"event, x, y: found {slid.shape}, {east.shape}, {north.shape}, expected ({len(table)},)")
    predicted = np.full((1 + max(each.repeat for each in splits), slid.size), np.nan)
    scored, members = [], []
    for each in splits:
        train, test = each.train, each.test
        try:
            found = learn(table.iloc[train], slid[train], east[train], north[train], recipe=recipe)
        except DataError as error:
            raise DataError(f"fold {each.fold} of repeat {each.repeat}: {error}") from error
        told = found.probability(table.iloc[test])
        predicted[each.repeat, test] = told
        known = np.isfinite(told)
        area = auc(told[known], slid[test][known])
        scored.append(FoldScore(each.repeat, each.fold, area, train.size, int(known.sum()), found.parameters))
        if each.repeat == 0:
            members.append(found)
    return Evaluation(predicted, slid, tuple(scored), tuple(members))


def _tuned(matrix: Float64, slid: NDArray[np.bool_], x: Float64, y: Float64, recipe: Recipe) -> Parameters:
    """The change to the parameters that ranks best across inner groups of places, the first among equals."""
    splits = folds(x, y, number=_INNER_FOLDS, repeats=1, seed=recipe.seed)
    best, chosen = -np.inf, models.GRIDS[recipe.model][0]
    for change in models.GRIDS[recipe.model]:
        areas = [_inner(matrix, slid, each, recipe, {**recipe.parameters, **change}) for each in splits]
        mean = float(np.nanmean(areas)) if np.isfinite(areas).any() else -np.inf
        if mean > best:
            best, chosen = mean, change
    return chosen


def _inner(matrix: Float64, slid: NDArray[np.bool_], split: Fold, recipe: Recipe, parameters: Parameters) -> float:
    learnt = slid[split.train]
    if not learnt.any() or learnt.all():
        return float("nan")
    model = models.fit(matrix[split.train], learnt, model=recipe.model, parameters=parameters, seed=recipe.seed)
    return auc(model.probability(matrix[split.test]), slid[split.test])
