"""What must be told of an assessment beside its maps: scores, gains, curves, weights and caveats, as plain values."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard.assessment import INSAR, Assessment
from slidecloud.hazard.calibration import cross_fitted
from slidecloud.hazard.evaluation import Evaluation
from slidecloud.hazard.importance import permutation, weights
from slidecloud.hazard.scores import auc, calibration_error
from slidecloud.hazard.susceptibility import Susceptibility
from slidecloud.kernels.interval import Interval
from slidecloud.types import Float64

_FLATTERS: Final = 0.02
"""Excess of a split of chance over one in space from which it is spoken of."""
_FEW: Final = 100
"""Slides below which everything rests on few."""


def report(assessment: Assessment) -> dict[str, Any]:
    """All that a reader of the maps needs, of numbers, strings, lists and dicts alone; missing numbers are None."""
    return {
        "sample": assessment.sample.record(),
        "places": int(assessment.places.event.size),
        "true_share": assessment.places.true_share,
        "variogram_range_m": assessment.reach,
        "buffer_m": assessment.buffer,
        "block_m": assessment.block,
        "models": {name: _model(assessment, name, model) for name, model in assessment.models.items()},
        "gains": {
            name: {kind: _interval(each) for kind, each in gain._asdict().items()}
            for name, gain in assessment.gains.items()
        },
        "caveats": list(caveats(assessment)),
    }


def caveats(assessment: Assessment) -> tuple[str, ...]:
    """What speaks against the numbers, in sentences, the gravest first."""
    sample, told = assessment.sample, []
    slides = int(assessment.places.event.sum())
    if slides < _FEW:
        told.append(
            f"Only {slides} slides were learnt from: intervals are wide, and scores of single folds say little."
        )
    if slides < sample.slides:
        told.append(f"{sample.slides - slides} slides older than the end of their deformation series were left out.")
    told.append(f"Absences were drawn by the method {sample.method}: {sample.caveat}.")
    if assessment.reach is None:
        told.append(
            f"{assessment.places.event.size} places are too few to see how far residuals of neighbours are alike: "
            "scores may flatter where folds meet."
        )
    elif assessment.buffer < assessment.reach:
        told.append(
            f"Residuals of neighbours are alike within {assessment.reach:.0f} m, and only {assessment.buffer:.0f} m "
            "were kept out around tests: scores still flatter where folds meet."
        )
    for name, chance in assessment.optimistic.items():
        excess = chance.auc - assessment.models[name].evaluation.auc
        if excess > _FLATTERS:
            told.append(
                f"A split of chance would have promised {name} an AUC of {chance.auc:.3f}, {excess:.3f} above what it "
                "reaches on other ground."
            )
    for name, gain in assessment.gains.items():
        if gain.folds.holds(0.0):
            told.append(
                f"The gain of {name}{INSAR} over {name}, {gain.folds.value:+.3f} in AUC, cannot be told from none "
                f"({gain.folds.low:+.3f} to {gain.folds.high:+.3f})."
            )
    return tuple(told)


def _model(assessment: Assessment, name: str, model: Susceptibility) -> dict[str, Any]:
    evaluation, predictor = model.evaluation, model.predictor
    scores = evaluation.scores
    places = assessment.places
    folds = [each.auc for each in evaluation.fold_scores]
    chance = assessment.optimistic.get(name)
    lost = permutation(places.table, evaluation, assessment.splits, draws=3)
    return {
        "auc": _known(evaluation.auc),
        "apparent_auc": _known(_apparent(model, assessment)),
        "auc_of_folds": [_known(each) for each in folds],
        "average_precision": _known(scores.average_precision),
        "brier": _known(scores.brier),
        "calibration_error": _known(scores.calibration_error),
        "calibration_error_corrected": _known(calibration_error(*cross_fitted_first(assessment, evaluation))),
        "optimistic_auc": None if chance is None else _known(chance.auc),
        "parameters": dict(predictor.parameters),
        "factors": list(predictor.design.factors),
        "weights": weights(predictor).tolist(),
        "permutation_loss": lost.mean.tolist(),
        "permutation_loss_spread": lost.spread.tolist(),
    }


def _apparent(model: Susceptibility, assessment: Assessment) -> float:
    """AUC on the very places that were learnt from."""
    told = model.predictor.probability(assessment.places.table)
    known = np.isfinite(told)
    return auc(told[known], assessment.places.event[known])


def cross_fitted_first(assessment: Assessment, evaluation: Evaluation) -> tuple[Float64, NDArray[np.bool_]]:
    """Probabilities and outcomes in the first repeat, with lines that had not seen the fold they speak of."""
    fold = np.zeros(evaluation.event.size, np.intp)
    for each in assessment.splits:
        if each.repeat == 0:
            fold[each.test] = each.fold
    told = cross_fitted(evaluation.predicted[0], evaluation.event, fold, method=assessment.method)
    known = np.isfinite(told)
    return told[known], evaluation.event[known]


def _interval(found: Interval) -> dict[str, float | None]:
    return {name: _known(value) for name, value in found._asdict().items()}


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
