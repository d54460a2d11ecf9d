"""What a network that has learnt is told from its validation tiles: when to believe it, and how much."""

from __future__ import annotations

from typing import Final

from slidecloud.kernels import calibration
from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.precision import Outcomes
from slidecloud.models.evaluation import THRESHOLD, Scores, evaluate
from slidecloud.models.predict import Detector
from slidecloud.models.tile_sets import Selection

LEAST: Final = 0.01
"""Score from which detections count for curves and calibration."""


def validate(detector: Detector, tiles: Selection, *, threshold: float = THRESHOLD) -> Scores:
    """Judge everything that a detector finds on some tiles, down to a score of `LEAST`."""
    return evaluate(
        lambda view: detector.detect(view, threshold=LEAST),
        tiles,
        threshold=threshold,
        calibration=detector.card.calibration,
    )


def calibrate(outcomes: Outcomes) -> Calibration | None:
    """From scores to the probability of being right; None where nothing was found."""
    return calibration.fit(outcomes.scores, outcomes.right) if len(outcomes.scores) else None
