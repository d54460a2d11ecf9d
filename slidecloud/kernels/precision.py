"""How good a detector is over many tiles: precision, recall, their curve and its area, false alarms by area."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.matching import Match
from slidecloud.kernels.views import SPACING
from slidecloud.types import Float64

CONFIDENCES: Final = tuple(level / 10 for level in range(10))
"""The ten confidence levels of `ten_confidence_mean`."""


class Outcomes(NamedTuple):
    """Judged detections of many tiles, in no order.

    Attributes
    ----------
    scores
        float64 (n,); detections that are neither right nor wrong are left out.
    right
        bool (n,).
    wanted
        Number of true boxes that are asked for.
    """

    scores: Float64
    right: NDArray[np.bool_]
    wanted: int

    @classmethod
    def of(cls, matches: Iterable[Match]) -> Outcomes:
        """Put the tiles together."""
        tiles = list(matches)
        scores = [tile.scores[~tile.ignored] for tile in tiles]
        right = [tile.right[~tile.ignored] for tile in tiles]
        return cls(
            np.concatenate([np.zeros(0), *scores]),
            np.concatenate([np.zeros(0, dtype=bool), *right]),
            sum(tile.wanted for tile in tiles),
        )

    def above(self, threshold: float) -> Outcomes:
        """Only detections with at least this score."""
        keep = at_least(self.scores, threshold)
        return Outcomes(self.scores[keep], self.right[keep], self.wanted)


class Curve(NamedTuple):
    """Precision against recall, float64 (k,) each, one point for each distinct score, from the highest down.

    Recall is NaN where nothing is asked for.
    """

    threshold: Float64
    precision: Float64
    recall: Float64


class Working(NamedTuple):
    """A detector at one threshold: `precision` is NaN without detection, `recall` where nothing is asked for."""

    threshold: float
    precision: float
    recall: float
    right: int
    wrong: int
    wanted: int


def at_least(scores: Float64, threshold: float) -> NDArray[np.bool_]:
    """Which scores reach a threshold; scores come in single precision, where 0.9 is a little less than 0.9."""
    reached: NDArray[np.bool_] = scores >= min(threshold, float(np.float32(threshold)))
    return reached


def curve(outcomes: Outcomes) -> Curve:
    """Precision and recall at every threshold; detections of one score come in together, so order does not show."""
    score, last, right = _ladder(outcomes)
    precision = right / (last + 1)
    recall = right / outcomes.wanted if outcomes.wanted else np.full(len(right), np.nan)
    return Curve(score, precision, recall)


def average_precision(outcomes: Outcomes, *, points: int | None = 101) -> float:
    """Area under precision against recall, in [0, 1]; NaN where nothing is asked for.

    Parameters
    ----------
    outcomes
        At one least overlap: matched at 0.5 this is AP50.
    points
        Precision (the best at this recall or beyond) is averaged over so many recalls from 0 to 1, 101 as COCO does;
        None for the whole area under the steps (Everingham et al. 2010, since 2010).

    Raises
    ------
    ValueError
        If `points` is below 2.
    """
    if points is not None and points < 2:
        raise ValueError(f"points: found {points}, expected at least 2, or None for all")
    if not outcomes.wanted:
        return float("nan")
    _, precision, recall = curve(outcomes)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    if points is None:
        return float(np.sum(best * np.diff(recall, prepend=0.0)))
    wanted = np.linspace(0.0, 1.0, points)
    return float(np.append(best, 0.0)[np.searchsorted(recall, wanted, side="left")].mean())


def ten_confidence_mean(outcomes: Outcomes) -> float:
    """Mean over the confidences 0.0, 0.1, ... 0.9 of the average precision of what is at least so confident.

    Fu et al. (2022) call their figure mAP and say that it averages ten confidence levels; they name neither the levels
    nor an overlap. This is our reading of it: detections below a level are thrown away, the area under what is left
    of the curve (101 points) is taken, and the ten areas are averaged. It depends on the scale of the scores and not
    only on their order: compare it between detectors of one kind, and use `average_precision` for everything else.
    """
    return float(np.mean([average_precision(outcomes.above(level)) for level in CONFIDENCES]))


def working(outcomes: Outcomes, threshold: float) -> Working:
    """Precision and recall of detections with at least a score of `threshold`."""
    kept = outcomes.above(threshold)
    right, count = int(kept.right.sum()), len(kept.scores)
    precision = right / count if count else float("nan")
    recall = right / kept.wanted if kept.wanted else float("nan")
    return Working(threshold, precision, recall, right, count - right, kept.wanted)


def threshold_for(outcomes: Outcomes, precision: float) -> float | None:
    """The lowest score at which precision is at least as wanted: it gives the most recall. None where no score does.

    Raises
    ------
    ValueError
        If `precision` is not in (0, 1].
    """
    if not 0.0 < precision <= 1.0:
        raise ValueError(f"precision: found {precision}, expected a number above 0 and at most 1")
    found = curve(outcomes)
    enough = np.flatnonzero(found.precision >= precision)
    return float(found.threshold[enough[-1]]) if enough.size else None


def false_alarms(count: int, pixels: int, *, spacing: float = SPACING) -> float:
    """Wrong detections per 1,000 km² of so many valid pixels of `spacing` metres; NaN where there is no pixel."""
    return count * 1e9 / (pixels * spacing**2) if pixels else float("nan")


def _ladder(outcomes: Outcomes) -> tuple[Float64, NDArray[np.intp], NDArray[np.int64]]:
    """Distinct scores from the highest, index of the last detection of each, detections right up to it."""
    order = np.argsort(-outcomes.scores, kind="stable")
    score = outcomes.scores[order]
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True)[: len(score)])
    return score[last], last, np.cumsum(outcomes.right[order], dtype=np.int64)[last]
