"""Susceptibility from a sample of slides and absences: learnt, judged on held-out space, corrected, mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.hazard import calibration
from slidecloud.hazard.applicability import Area, area_of_applicability
from slidecloud.hazard.calibration import Correction
from slidecloud.hazard.evaluation import Evaluation, Predictor, Recipe, cross_validate, learn
from slidecloud.hazard.leakage import Treatment, slides_to_learn_from
from slidecloud.hazard.spatial_cv import Fold
from slidecloud.types import DataError, Float64


@dataclass(frozen=True, slots=True)
class Places:
    """Places to learn from.

    Attributes
    ----------
    table
        (n,) rows of factors.
    event
        bool (n,), whether a slide lies there.
    x, y
        (n,), m, in a metric CRS.
    true_share
        Share of cells with a slide among all cells the places stand for; None: not known.
    slide_date
        datetime64 (n,), of the slides (NaT elsewhere and where not known); None: no slide is dated.
    series_end
        datetime64 (n,) or (), last date of the deformation series; None: there is none.
    """

    table: pd.DataFrame
    event: NDArray[np.bool_]
    x: Float64
    y: Float64
    true_share: float | None = None
    slide_date: NDArray[np.datetime64] | None = None
    series_end: NDArray[np.datetime64] | None = None

    def chosen(self, kept: NDArray[np.bool_]) -> Places:
        """Those of the places."""
        date, end = self.slide_date, self.series_end
        return replace(
            self,
            table=self.table[kept],
            event=self.event[kept],
            x=self.x[kept],
            y=self.y[kept],
            slide_date=None if date is None else date[kept],
            series_end=end if end is None or end.ndim == 0 else end[kept],
        )


class Maps(NamedTuple):
    """One value a row: float64 `probability` of a slide on the ground, `spread` (standard deviation of it over the
    models of the folds), `dissimilarity` (above 1: ground unlike any learnt from). NaN where a factor is missing."""

    probability: Float64
    spread: Float64
    dissimilarity: Float64


@dataclass(frozen=True, slots=True)
class Mapper:
    """All that a map needs: the model, those of the folds, the way to probabilities, and the ground it knows."""

    predictor: Predictor
    members: tuple[Predictor, ...]
    correction: Correction
    area: Area

    def maps(self, table: pd.DataFrame) -> Maps:
        """Maps of any cells or units.

        Cells that were learnt from are told too surely by models that can remember single places, forests most: small
        where the sample is a small part of the land, not where it is most of it.

        Parameters
        ----------
        table
            (n,) rows of factors.
        """
        probability = self.correction.apply(self.predictor.probability(table))
        members = np.array([self.correction.apply(each.probability(table)) for each in self.members])
        # A category that one fold never met is unknown to that fold's model alone.
        told = np.isfinite(members)
        count = told.sum(axis=0)
        mean = np.where(told, members, 0.0).sum(axis=0) / np.maximum(count, 1)
        square = np.where(told, (members - mean) ** 2, 0.0).sum(axis=0)
        spread = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)
        unlike = self.area.dissimilarity(self.predictor.design.matrix(table))
        return Maps(probability, spread, unlike)


@dataclass(frozen=True, slots=True)
class Susceptibility:
    """A model with all that its numbers need: how it did on held-out space, and the way to probabilities."""

    predictor: Predictor
    evaluation: Evaluation
    correction: Correction
    area: Area

    @property
    def mapper(self) -> Mapper:
        """What its maps are made with."""
        return Mapper(self.predictor, self.evaluation.members, self.correction, self.area)


def to_learn_from(
    places: Places, recipe: Recipe, *, deformation: Sequence[str] = (), older_slides: Treatment = "refuse"
) -> Places:
    """Places that a recipe may learn from: with deformation among its factors, no slide that the series already saw.

    Parameters
    ----------
    places, recipe
        As for `susceptibility`.
    deformation
        Factors made from deformation series, whether the recipe takes them or not.
    older_slides
        As `older` of `leakage.slides_to_learn_from`.

    Raises
    ------
    DataError
        As there, and if the end of the series is not known.
    """
    taken = sorted(set(deformation) & set(recipe.factors))
    if not taken:
        return places
    if places.series_end is None:
        raise DataError(
            f"series_end: found none, expected the last date of the series behind {', '.join(taken)}: slides must be "
            "younger than it"
        )
    slid = places.event
    date = np.full(slid.shape, "NaT", "datetime64[s]") if places.slide_date is None else places.slide_date
    end = places.series_end if places.series_end.ndim == 0 else places.series_end[slid]
    kept = np.ones(slid.shape, bool)
    if slid.any():
        kept[slid] = slides_to_learn_from(date[slid], end, older=older_slides)
    return places.chosen(kept)


def susceptibility(
    places: Places,
    *,
    recipe: Recipe,
    splits: Sequence[Fold],
    deformation: Sequence[str] = (),
    older_slides: Treatment = "refuse",
    method: calibration.Method = "logistic",
) -> Susceptibility:
    """Learn, judge and correct.

    Parameters
    ----------
    places
        From `sampling.sample`, or a user's own.
    recipe
        The model and its factors.
    splits
        Of these places in this order, by `spatial_cv.folds`; where slides may be dropped, take them from
        `to_learn_from` first.
    deformation, older_slides
        As for `to_learn_from`.
    method
        Of calibration, see `calibration.correction`.

    Raises
    ------
    ValueError
        If the share of slides on the ground is not known, or the splits are of other places.
    DataError
        Where slides are too old for the deformation, or a kind of places is missing.
    """
    used = to_learn_from(places, recipe, deformation=deformation, older_slides=older_slides)
    size = max(int(each.test.max(initial=-1)) for each in splits) + 1
    if size != used.event.size:
        raise ValueError(
            f"splits: found ones of {size} places, expected {used.event.size}; make them from what to_learn_from keeps"
        )
    given = used.table, used.event, used.x, used.y
    evaluation = cross_validate(*given, recipe=recipe, splits=splits)
    corrected = calibration.correction(*evaluation.judged, true_share=used.true_share, method=method)
    predictor = learn(*given, recipe=recipe)
    area = area_of_applicability(predictor.design.matrix(used.table), predictor.model.weight(), splits)
    return Susceptibility(predictor, evaluation, corrected, area)
