"""Curves and shares of an assessment for its report, as plain values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from slidecloud.hazard.assessment import Assessment
from slidecloud.hazard.assessment_report import cross_fitted_first
from slidecloud.hazard.importance import shap
from slidecloud.hazard.scores import Curve, roc
from slidecloud.types import Float64

_POINTS: Final = 200
"""Points that a curve is told with."""
_BINS: Final = 10
_MOST: Final = 300
"""Places, evenly over those learnt from, whose Shapley values are looked at."""


def curves(assessment: Assessment, name: str) -> dict[str, Any]:
    """What a page draws of a model beside its maps.

    Parameters
    ----------
    assessment
        Of the area.
    name
        Of the model.

    Returns
    -------
    dict
        `roc`: of held-out places of the first repeat, `across` and `up`. `reliability`: mean probability `told` by
        lines that had not seen a place, share of slides `found` and number of `places`, over groups of equal number.
        `at_slides`: probabilities on the ground at slides, `learnt` by the model and `unseen` by those of the folds,
        None where a fold's model did not know the ground.
        `shares`: mean absolute Shapley value of each factor.
    """
    model, places = assessment.models[name], assessment.places
    told, event = cross_fitted_first(assessment, model.evaluation)
    first = model.evaluation.predicted[0]
    known = np.isfinite(first)
    some = places.table.iloc[:: -(-len(places.table) // _MOST)]
    learnt = model.correction.apply(model.predictor.probability(places.table[places.event]))
    return {
        "roc": thinned(roc(first[known], places.event[known])),
        "reliability": _reliability(told, event),
        "at_slides": {
            "learnt": _plain(learnt),
            "unseen": _plain(model.correction.apply(first[places.event])),
        },
        "shares": np.nanmean(np.abs(shap(model.predictor, some).share), axis=0).tolist(),
    }


def thinned(curve: Curve) -> dict[str, list[float]]:
    """A curve by some of its points, evenly chosen, its ends among them."""
    count = curve.across.size
    at = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(np.intp))
    return {"across": curve.across[at].tolist(), "up": curve.up[at].tolist()}


def _plain(values: Float64) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _reliability(told: Float64, event: Any) -> dict[str, list[float]]:
    groups = np.array_split(np.argsort(told, kind="stable"), min(_BINS, told.size))
    return {
        "told": [float(told[each].mean()) for each in groups],
        "found": [float(event[each].mean()) for each in groups],
        "places": [int(each.size) for each in groups],
    }
