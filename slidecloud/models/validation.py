"""How good a detector is on tiles it has not learnt from, and what its scores are worth."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from slidecloud.kernels import calibration
from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.precision import Outcomes, best_threshold
from slidecloud.models.evaluation import Judged, figures, judge
from slidecloud.models.predict import Detector
from slidecloud.models.tiles import Tile

LEAST: Final = 0.01
"""Score from which detections count for a curve."""


class Validation:
    """Judged detections of many tiles.

    Parameters
    ----------
    tiles
        As `slidecloud.models.evaluation.judge` gives them.
    """

    def __init__(self, tiles: Iterable[Judged]) -> None:
        self._tiles = list(tiles)

    def threshold(self) -> float:
        """The score with the best F1 at overlap 0.5."""
        return best_threshold(Outcomes.of(tile.at50 for tile in self._tiles))

    def calibrate(self) -> Calibration | None:
        """From scores to the probability of overlapping a slide by 0.3; None where nothing was found."""
        found = Outcomes.of(tile.at30 for tile in self._tiles)
        return calibration.fit(found.scores, found.right) if len(found.scores) else None

    def figures(self, threshold: float) -> dict[str, float]:
        """Figures by name, as `slidecloud.models.evaluation.Figures` has them; NaN where there is nothing to judge."""
        one = figures("validation", self._tiles, threshold)
        return {
            "ap50": one.ap50,
            "ap30": one.ap30,
            "ten_confidence_mean": one.ten_confidence_mean,
            "threshold": threshold,
            "precision": one.precision,
            "recall": one.recall,
            "false_alarms_per_1000_km2": one.false_alarms,
        }


def validate(detector: Detector, tiles: Iterable[Tile], *, least: float = LEAST) -> Validation:
    """Let a detector look at tiles and hold what it finds against the truth."""
    return Validation(judge(partial(detector.detect, threshold=least), tiles))
