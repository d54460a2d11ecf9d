"""From scores to probabilities: a rising line of few knots, and how far it is off."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from slidecloud.types import Float64

MOST_KNOTS: Final = 32
BINS: Final = 15
_LEAST_BLOCK: Final = 20


class Calibration(NamedTuple):
    """A rising line: `score` float64 (k,) strictly rising, `probability` float64 (k,) rising, in [0, 1]."""

    score: Float64
    probability: Float64

    def apply(self, scores: ArrayLike) -> Float64:
        """Probability of each score, in its shape; beyond the knots that of the nearest one."""
        result: Float64 = np.interp(np.asarray(scores, dtype=np.float64), self.score, self.probability)
        return result


def fit(scores: ArrayLike, right: ArrayLike, *, knots: int = MOST_KNOTS) -> Calibration:
    """Probability that a detection is right as a rising function of its score.

    Parameters
    ----------
    scores
        (n,) of detections that are right or wrong, any order.
    right
        bool (n,).
    knots
        The most there may be.

    Raises
    ------
    ValueError
        If there is no detection, shapes disagree, a score is not finite, or `knots` is below 1.

    Notes
    -----
    Isotonic regression (pool adjacent violators; Zadrozny and Elkan, 2002) of right on score, which is a rising
    staircase. Of neighbouring steps those whose union loses least squared error are joined until each stands for 20
    detections and no more than `knots` are left. A knot is a step's mean score and its share of right ones with half a
    right and half a wrong one added (Jeffreys), so that few detections promise no certainty.
    """
    score, hit = _judged(scores, right)
    if knots < 1:
        raise ValueError(f"knots: found {knots}, expected at least 1")
    if not score.size:
        raise ValueError("scores: found none, expected detections that are known to be right or wrong")
    value, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    hits = np.bincount(inverse, weights=hit)
    blocks = isotonic_regression(hits / count, weights=count).blocks[:-1]
    number = np.add.reduceat(count.astype(np.float64), blocks)
    total = np.stack([number, np.add.reduceat(hits, blocks), np.add.reduceat(value * count, blocks)])
    total = _join(total, knots)
    chance = (total[1] + 0.5) / (total[0] + 1)
    # The added halves pull small steps more than large ones, which can turn the order of two.
    rising = isotonic_regression(chance, weights=total[0]).x
    return Calibration(total[2] / total[0], rising)


def expected_error(probability: ArrayLike, right: ArrayLike, *, bins: int = BINS) -> float:
    """Expected calibration error: mean difference of promised probability and share right, over bins of equal mass.

    Parameters
    ----------
    probability, right
        (n,) each.
    bins
        Equal probabilities share a bin, so there can be fewer.

    Returns
    -------
    float
        In [0, 1]; NaN without detection.
    """
    promised, share, count = reliability(probability, right, bins=bins)
    return float(np.sum(count * np.abs(promised - share)) / count.sum()) if count.size else float("nan")


def reliability(probability: ArrayLike, right: ArrayLike, *, bins: int = BINS) -> tuple[Float64, Float64, Float64]:
    """Mean probability, share right and number of detections in each of the bins of `expected_error`."""
    promised, hit = _judged(probability, right)
    if bins < 1:
        raise ValueError(f"bins: found {bins}, expected at least 1")
    if not promised.size:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    edges = np.sort(promised)[np.arange(1, bins) * promised.size // bins]
    place = np.searchsorted(np.unique(edges), promised, side="right")
    count = np.bincount(place).astype(np.float64)
    used = count > 0
    mean, share = (np.bincount(place, weights=values)[used] / count[used] for values in (promised, hit))
    return mean, share, count[used]


def _judged(scores: ArrayLike, right: ArrayLike) -> tuple[Float64, Float64]:
    score, hit = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=bool)
    if score.ndim != 1 or hit.shape != score.shape:
        raise ValueError(f"scores, right: found shapes {score.shape} and {hit.shape}, expected (n,) for both")
    if not np.isfinite(score).all():
        raise ValueError(f"scores: found {score[~np.isfinite(score)][0]}, expected finite numbers")
    return score, hit.astype(np.float64)


def _join(steps: Float64, most: int) -> Float64:
    """Join neighbouring steps (number, right, sum of scores) of (3, k) until they are few and large enough."""
    steps = steps.copy()
    while steps.shape[1] > 1:
        number, chance = steps[0], steps[1] / steps[0]
        small = np.minimum(number[1:], number[:-1]) < _LEAST_BLOCK
        if steps.shape[1] <= most and not small.any():
            break
        loss = number[1:] * number[:-1] / (number[1:] + number[:-1]) * np.diff(chance) ** 2
        candidates: NDArray[np.float64] = np.where(small, loss, np.inf) if small.any() else loss
        first = int(np.argmin(candidates))
        steps[:, first] += steps[:, first + 1]
        steps = np.delete(steps, first + 1, axis=1)
    return steps
