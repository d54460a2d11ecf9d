"""From a model's scores to probabilities on the ground: learnt on held-out space, freed of the sample's share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

from slidecloud.hazard.scores import judged
from slidecloud.kernels import calibration as staircase
from slidecloud.types import Float64

Method = Literal["logistic", "isotonic", "none"]
METHODS: Final[tuple[str, ...]] = get_args(Method)
_LEAST: Final = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken as this: their logit would be infinite."""


class Rising(Protocol):
    """What turns scores into probabilities of the sample, such as `slidecloud.kernels.calibration.Calibration`."""

    def apply(self, scores: ArrayLike) -> Float64: ...


@dataclass(frozen=True, slots=True)
class Logistic:
    """``logit p = intercept + slope * logit score`` (Platt, 1999): keeps the order, needs few places."""

    intercept: float
    slope: float

    def apply(self, scores: ArrayLike) -> Float64:
        """Probability of each score, in its shape; NaN stays NaN."""
        result: Float64 = expit(self.intercept + self.slope * _logit(scores))
        return result


@dataclass(frozen=True, slots=True)
class Correction:
    """From a model's score to a probability on the ground.

    Attributes
    ----------
    line
        From scores to probabilities of the sample; None: scores are these.
    sample_share, true_share
        Share of slides in the sample and on the ground, in (0, 1).
    """

    line: Rising | None
    sample_share: float
    true_share: float

    def apply(self, scores: ArrayLike) -> Float64:
        """Probability of each score, float64 in its shape; NaN stays NaN."""
        found = np.asarray(scores, np.float64)
        told = found if self.line is None else np.where(np.isnan(found), np.nan, self.line.apply(np.nan_to_num(found)))
        return prior_shift(told, sample_share=self.sample_share, true_share=self.true_share)


def prior_shift(probability: ArrayLike, *, sample_share: float, true_share: float) -> Float64:
    """Probability where slides make another share of places than in the sample it was learnt from.

    ``odds = odds_sample * [pi / (1 - pi)] / [rho / (1 - rho)]``, pi the true share and rho that of the sample.

    Parameters
    ----------
    probability
        Any shape, in [0, 1]; NaN stays NaN.
    sample_share, true_share
        In (0, 1).

    Raises
    ------
    ValueError
        If a share is not in (0, 1).

    Notes
    -----
    It is exact where slides and absences were each drawn at random among their kind, whatever the factors (King and
    Zeng, 2001, Political Analysis 9, 137-163; Saerens et al., 2002, Neural Computation 14, 21-41). It keeps the order,
    so that no AUC changes.
    """
    for name, share in (("sample_share", sample_share), ("true_share", true_share)):
        if not 0 < share < 1:
            raise ValueError(f"{name}: found {share}, expected a share of slides between 0 and 1, both excluded")
    found = np.asarray(probability, np.float64)
    factor = true_share / (1 - true_share) * (1 - sample_share) / sample_share
    result: Float64 = found * factor / (found * factor + (1 - found))
    return result


def correction(
    held_out: ArrayLike, event: ArrayLike, *, true_share: float | None, method: Method = "logistic"
) -> Correction:
    """Calibration on predictions of places that the model had not seen, with the sample's share taken out.

    Parameters
    ----------
    held_out
        (n,) predicted probabilities from folds apart in space; NaN = never tested, left out.
    event
        bool (n,).
    true_share
        Share of slides among all cells the sample was drawn from (`sampling.Sample.true_share`). None, not known, is
        refused: the probability of a sample of equal numbers is one half on average, on the ground it may be one in a
        thousand.
    method
        ``logistic``: two numbers, for any sample. ``isotonic``: any rising line, for thousands of places, by
        `slidecloud.kernels.calibration`. ``none``: the shift of the share alone.

    Raises
    ------
    ValueError
        If `true_share` is missing or no share, or one kind of places is missing.
    """
    if true_share is None:
        raise ValueError(
            "true_share: found none, expected the share of cells with a slide among all cells the sample stands for. "
            "Without it the sampling ratio would pass for the probability of a slide; where it cannot be known, give "
            "the share of slides in the sample and read the result as relative"
        )
    if method not in METHODS:
        raise ValueError(f"method: found {method!r}, expected one of {', '.join(METHODS)}")
    value = np.asarray(held_out, np.float64)
    known = np.isfinite(value)
    score, slid = judged(value[known], np.asarray(event, bool)[known])
    if not slid.any() or slid.all():
        raise ValueError(
            f"event: found {int(slid.sum())} slides among {slid.size} held-out places, expected both kinds"
        )
    line: Rising | None = None
    if method == "logistic":
        line = logistic(score, slid)
    elif method == "isotonic":
        line = staircase.fit(score, slid)
    return Correction(line, float(slid.mean()), true_share)


def cross_fitted(scores: ArrayLike, event: ArrayLike, group: ArrayLike, *, method: Method = "logistic") -> Float64:
    """Probabilities of the sample, those of each group by a line learnt from the other groups: for judging calibration.

    Parameters
    ----------
    scores
        (n,) held-out predictions; NaN stays NaN.
    event
        bool (n,).
    group
        (n,) labels, such as the folds of a repeat.
    method
        As for `correction`.

    Returns
    -------
    float64 (n,); NaN also where the other groups hold one kind alone.
    """
    score, slid, label = np.asarray(scores, np.float64), np.asarray(event, bool), np.asarray(group)
    found = np.full(score.shape, np.nan)
    for each in np.unique(label):
        own, others = label == each, (label != each) & np.isfinite(score)
        if slid[others].any() and not slid[others].all():
            share = float(slid[others].mean())
            found[own] = correction(score[others], slid[others], true_share=share, method=method).apply(score[own])
    return found


def logistic(scores: ArrayLike, event: ArrayLike) -> Logistic:
    """Most likely line between the logit of score and of probability.

    Parameters
    ----------
    scores
        (n,) in [0, 1].
    event
        bool (n,), both kinds.

    Returns
    -------
    Logistic
        Its slope is not negative: a model that ranks worse than chance is made to say the mean everywhere.

    Notes
    -----
    Outcomes are drawn in from 0 and 1 by one place of either kind (Platt, 1999), which keeps the slope finite where
    scores part the kinds.
    """
    score, slid = judged(scores, event)
    events, others = int(slid.sum()), int((~slid).sum())
    target = np.where(slid, (events + 1) / (events + 2), 1 / (others + 2))
    x = _logit(score)

    def loss(line: Float64) -> tuple[float, Float64]:
        z = line[0] + line[1] * x
        off = expit(z) - target
        return float(np.mean(np.logaddexp(0, z) - target * z)), np.array([off.mean(), (off * x).mean()])

    found = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, None)])
    return Logistic(float(found.x[0]), float(found.x[1]))


def _logit(scores: ArrayLike) -> Float64:
    result: Float64 = logit(np.clip(np.asarray(scores, np.float64), _LEAST, 1 - _LEAST))
    return result
