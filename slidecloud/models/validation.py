"""How good a detector is on tiles it has not learnt from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from slidecloud.kernels import calibration
from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.matching import Match, match
from slidecloud.kernels.precision import (
    Outcomes,
    average_precision,
    curve,
    false_alarms,
    ten_confidence_mean,
    working,
)
from slidecloud.models.predict import Detector
from slidecloud.models.tiles import Tile

LEAST: Final = 0.01
"""Score from which detections count for a curve."""

_OVERLAPS: Final = (0.5, 0.3)


class Validation(NamedTuple):
    """Judged detections of many tiles.

    Attributes
    ----------
    outcomes
        By least overlap, 0.5 and 0.3.
    alarms
        Scores of all detections on tiles without a slide.
    empty_pixels
        Defined pixels of those tiles.
    """

    outcomes: dict[float, Outcomes]
    alarms: list[float]
    empty_pixels: int

    def threshold(self) -> float:
        """The score with the best F1 at overlap 0.5; one half where nothing was found."""
        found = curve(self.outcomes[0.5])
        if not len(found.threshold) or not self.outcomes[0.5].wanted:
            return 0.5
        f1 = 2 * found.precision * found.recall / np.maximum(found.precision + found.recall, 1e-9)
        return float(found.threshold[int(np.argmax(f1))])

    def calibrate(self) -> Calibration | None:
        """From scores to the probability of overlapping a slide by half; None where nothing was found."""
        half = self.outcomes[0.5]
        return calibration.fit(half.scores, half.right) if len(half.scores) else None

    def figures(self, threshold: float) -> dict[str, float]:
        """The figures of a table; NaN where there is nothing to judge."""
        at = working(self.outcomes[0.5], threshold)
        return {
            "ap50": average_precision(self.outcomes[0.5]),
            "ap30": average_precision(self.outcomes[0.3]),
            "ten_confidence_mean": ten_confidence_mean(self.outcomes[0.5]),
            "threshold": threshold,
            "precision": at.precision,
            "recall": at.recall,
            "false_alarms_per_1000_km2": false_alarms(
                sum(score >= threshold for score in self.alarms), self.empty_pixels
            ),
        }


def validate(detector: Detector, tiles: Iterable[Tile], *, least: float = LEAST) -> Validation:
    """Let a detector look at tiles and hold what it finds against the truth."""
    matches: dict[float, list[Match]] = {overlap: [] for overlap in _OVERLAPS}
    alarms: list[float] = []
    pixels = 0
    for tile in tiles:
        found = detector.detect(tile.view, threshold=least)
        for overlap, judged in matches.items():
            judged.append(match(found.boxes, found.scores, tile.boxes, ignored=~tile.visible, iou=overlap))
        if not len(tile.boxes):
            alarms += found.scores.tolist()
            pixels += int(np.count_nonzero(np.isfinite(tile.view.x) | np.isfinite(tile.view.y)))
    return Validation({overlap: Outcomes.of(judged) for overlap, judged in matches.items()}, alarms, pixels)
