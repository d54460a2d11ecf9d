"""What a network that has learnt is told from its validation tiles: when to believe it, and how much."""

from __future__ import annotations

from typing import Final

import numpy as np

from slidecloud.kernels import calibration
from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.precision import Outcomes, curve
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


def best_threshold(outcomes: Outcomes) -> float:
    """The score from which precision and recall have the largest harmonic mean; one half where nothing is right."""
    if not outcomes.right.any():
        return THRESHOLD
    found = curve(outcomes)
    f1 = 2 * found.precision * found.recall / np.maximum(found.precision + found.recall, 1e-9)
    return float(found.threshold[int(np.argmax(f1))])


def calibrate(outcomes: Outcomes) -> Calibration | None:
    """From scores to the probability of being right; None where nothing was found."""
    return calibration.fit(outcomes.scores, outcomes.right) if len(outcomes.scores) else None
