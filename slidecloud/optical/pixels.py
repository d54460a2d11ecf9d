"""How good scores of pixels are: counts, overlap, and the threshold at which they are best."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.precision import Outcomes
from slidecloud.types import Float32, Float64

LEVELS: Final[Float32] = (np.arange(1, 1000) / 1000).astype(np.float32)
"""Thresholds that scores are counted at."""

_MOST: Final = 200_000


class Counts(NamedTuple):
    """Pixels held against truth at one threshold: landslide in both, found alone, true alone, and neither.

    Every share is NaN where there is nothing to take it of.
    """

    right: int
    false: int
    missed: int
    rest: int

    @property
    def precision(self) -> float:
        """Of what was found, the share that is landslide."""
        return _ratio(self.right, self.right + self.false)

    @property
    def recall(self) -> float:
        """Of landslides, the share that was found."""
        return _ratio(self.right, self.right + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two, ``2 TP / (2 TP + FP + FN)``."""
        return _ratio(2 * self.right, 2 * self.right + self.false + self.missed)

    @property
    def iou(self) -> float:
        """Intersection over union of landslides."""
        return _ratio(self.right, self.right + self.false + self.missed)

    @property
    def rest_iou(self) -> float:
        """The same of everything else."""
        return _ratio(self.rest, self.rest + self.false + self.missed)

    @property
    def mean_iou(self) -> float:
        """Mean of both classes."""
        return (self.iou + self.rest_iou) / 2


class Tally:
    """Known pixels counted by score and truth; patches are added one by one, and memory does not grow.

    Attributes
    ----------
    slid, rest
        int64 (1000,): pixels of landslide, and others, whose score lies between two `LEVELS`.
    """

    def __init__(self) -> None:
        self.slid, self.rest = (np.zeros(len(LEVELS) + 1, np.int64) for _ in range(2))

    def add(self, scores: Float32, truth: NDArray[np.bool_]) -> None:
        """Count the pixels of a patch: scores (y, x) with NaN where they do not count, and truth (y, x)."""
        known = np.isfinite(scores)
        level = np.searchsorted(LEVELS, scores[known].astype(np.float32), side="right")
        for count, chosen in ((self.slid, truth[known]), (self.rest, ~truth[known])):
            count += np.bincount(level[chosen], minlength=len(count))

    def counts(self, threshold: float) -> Counts:
        """Counts with pixels from a threshold on taken for landslide; it is rounded up to one of `LEVELS`."""
        first = int(np.searchsorted(LEVELS, np.float32(threshold), side="left")) + 1
        right, false = int(self.slid[first:].sum()), int(self.rest[first:].sum())
        return Counts(right, false, int(self.slid.sum()) - right, int(self.rest.sum()) - false)

    def best_threshold(self) -> float:
        """The lowest of `LEVELS` at which the overlap with truth (IoU) is largest; one half without landslides."""
        if not self.slid.any():
            return 0.5
        right, false = (np.cumsum(count[::-1])[::-1][1:] for count in (self.slid, self.rest))
        overlap = right / (false + self.slid.sum())
        return float(LEVELS[int(np.argmax(overlap))])

    def outcomes(self) -> Outcomes:
        """Pixels as judged detections, for curves and calibration: at most about 200,000, alike of all.

        Their scores are the middles between levels.
        """
        total = int(self.slid.sum() + self.rest.sum())
        thin = min(1.0, _MOST / max(total, 1))
        middle = (np.arange(len(self.slid)) + 0.5) / len(self.slid)
        kept = [_thinned(count, thin) for count in (self.slid, self.rest)]
        scores: Float64 = np.concatenate([np.repeat(middle, count) for count in kept])
        right = np.repeat([True, False], [int(count.sum()) for count in kept])
        return Outcomes(scores, right, int(kept[0].sum()))


def _thinned(count: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Counts made smaller, whose sums up to any place keep their share to within one."""
    kept: NDArray[np.int64] = np.diff(np.floor(np.cumsum(count) * share).astype(np.int64), prepend=0)
    return kept


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
