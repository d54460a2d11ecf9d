"""How good predicted probabilities are: ranking, sharpness, calibration, and curves over the area."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from slidecloud.kernels.calibration import expected_error
from slidecloud.types import Float64


class Curve(NamedTuple):
    """A rising line from (0, 0) to (1, 1): `across` and `up` float64 (k,)."""

    across: Float64
    up: Float64

    @property
    def area(self) -> float:
        """Area below the line, in [0, 1]."""
        return float(np.trapezoid(self.up, self.across))


class Scores(NamedTuple):
    """All scores of one set of predictions.

    `auc` and `average_precision` in [0, 1], higher is better; `brier` and `calibration_error` in [0, 1], lower is
    better; `events` and `others` are counts. Average precision, Brier score and calibration error depend on the share
    of events: they speak of the sample as it is, not of the land it was drawn from.
    """

    auc: float
    average_precision: float
    brier: float
    calibration_error: float
    events: int
    others: int


def score(probability: ArrayLike, event: ArrayLike) -> Scores:
    """All scores at once; arguments as those of `auc`."""
    value, slid = judged(probability, event)
    return Scores(
        auc(value, slid),
        average_precision(value, slid),
        brier(value, slid),
        calibration_error(value, slid),
        int(slid.sum()),
        int((~slid).sum()),
    )


def auc(probability: ArrayLike, event: ArrayLike) -> float:
    """Chance that an event has a higher value than a place without one, ties counting half (Mann and Whitney, 1947).

    Parameters
    ----------
    probability
        (n,), finite; any rising function of it gives the same.
    event
        bool (n,).

    Returns
    -------
    float
        In [0, 1]; NaN where one of the two kinds is missing.

    Raises
    ------
    ValueError
        If shapes disagree or a value is not finite.
    """
    value, slid = judged(probability, event)
    events = int(slid.sum())
    others = slid.size - events
    if not events or not others:
        return float("nan")
    return float((rankdata(value)[slid].sum() - events * (events + 1) / 2) / (events * others))


def average_precision(probability: ArrayLike, event: ArrayLike) -> float:
    """Area below precision against recall, as a staircase: mean precision over the events, equal values judged as one.

    Pure chance gives the share of events, not one half. NaN without an event; otherwise as `auc`.
    """
    value, slid = judged(probability, event)
    if not slid.any():
        return float("nan")
    number, caught = _passed(value, slid)
    gained = np.diff(caught, prepend=0.0)
    return float(np.sum(gained * caught / number) / slid.sum())


def brier(probability: ArrayLike, event: ArrayLike) -> float:
    """Mean squared difference of probability and outcome (Brier, 1950); NaN without a place.

    Raises
    ------
    ValueError
        As `auc`, and if a probability lies outside [0, 1].
    """
    value, slid = _probable(probability, event)
    return float(np.mean((value - slid) ** 2)) if slid.size else float("nan")


def calibration_error(probability: ArrayLike, event: ArrayLike, *, bins: int = 15) -> float:
    """Expected calibration error over bins of equal mass, as `slidecloud.kernels.calibration.expected_error`.

    Raises
    ------
    ValueError
        As `brier`.
    """
    value, slid = _probable(probability, event)
    return expected_error(value, slid, bins=bins)


def roc(probability: ArrayLike, event: ArrayLike) -> Curve:
    """Share of events found against share of other places taken for one; its area is `auc`.

    Raises
    ------
    ValueError
        As `auc`, and where one of the two kinds is missing.
    """
    value, slid = judged(probability, event)
    if not slid.any() or slid.all():
        raise ValueError(f"event: found {int(slid.sum())} of {slid.size}, expected both kinds")
    number, caught = _passed(value, slid)
    false = (number - caught) / (~slid).sum()
    return Curve(np.r_[0.0, false], np.r_[0.0, caught / slid.sum()])


def rate_curve(surface: ArrayLike, at_events: ArrayLike, *, area: ArrayLike | None = None) -> Curve:
    """Share of slides caught against share of the area, the most susceptible first (Chung and Fabbri, 2003).

    With the slides a model was trained on this is its success rate, with slides it never saw its prediction rate.

    Parameters
    ----------
    surface
        (n,) values of all cells or units; NaN = not predicted, left out.
    at_events
        (m,) values of the surface at the slides; NaN: the slide lies where nothing is predicted and counts as missed.
    area
        (n,) of each unit, any unit; None: all alike.

    Returns
    -------
    Curve
        It ends below 1 where slides were missed. Units of equal value are joined by a straight line.

    Raises
    ------
    ValueError
        If nothing is predicted, there is no slide, or areas do not match or are not positive.
    """
    value, slides = (np.asarray(values, np.float64).ravel() for values in (surface, at_events))
    size = np.ones(value.shape) if area is None else np.asarray(area, np.float64).ravel()
    if size.shape != value.shape or not (size > 0).all():
        raise ValueError(
            f"area: found {size.size} values from {size.min(initial=np.inf):.4g}, expected {value.size} above 0"
        )
    known = np.isfinite(value)
    if not known.any() or not slides.size:
        raise ValueError(f"found {int(known.sum())} predicted units and {slides.size} slides, expected both")
    levels, place = np.unique(-value[known], return_inverse=True)
    covered = np.cumsum(np.bincount(place, weights=size[known]))
    falling = np.sort(-slides[np.isfinite(slides)])
    caught = np.searchsorted(falling, levels, side="right") / slides.size
    return Curve(np.r_[0.0, covered / covered[-1]], np.r_[0.0, caught])


def judged(probability: ArrayLike, event: ArrayLike) -> tuple[Float64, NDArray[np.bool_]]:
    """Predictions and outcomes of one shape (n,), all finite.

    Raises
    ------
    ValueError
        If shapes disagree or a value is not finite.
    """
    value, slid = np.asarray(probability, np.float64), np.asarray(event, bool)
    if value.ndim != 1 or value.shape != slid.shape:
        raise ValueError(f"probability, event: found shapes {value.shape} and {slid.shape}, expected (n,) for both")
    if not np.isfinite(value).all():
        raise ValueError(
            f"probability: found {int((~np.isfinite(value)).sum())} of {value.size} values not finite; "
            "leave places without a prediction out before scoring"
        )
    return value, slid


def _probable(probability: ArrayLike, event: ArrayLike) -> tuple[Float64, NDArray[np.bool_]]:
    value, slid = judged(probability, event)
    if value.size and (value.min() < 0 or value.max() > 1):
        raise ValueError(f"probability: found {value.min():.4g} to {value.max():.4g}, expected values in [0, 1]")
    return value, slid


def _passed(value: Float64, slid: NDArray[np.bool_]) -> tuple[Float64, Float64]:
    """How many places and how many events lie at or above each distinct value, the highest first."""
    order = np.argsort(-value, kind="stable")
    last = np.r_[np.nonzero(np.diff(value[order]))[0], value.size - 1]
    return (last + 1).astype(np.float64), np.cumsum(slid[order])[last].astype(np.float64)
