"""When to believe a network, and how much."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels.precision import Outcomes
from slidecloud.models.predict import Detector
from slidecloud.models.tile_sets import Selection
from slidecloud.models.validation import LEAST, calibrate, validate


def test_nothing_found_nothing_learnt():
    assert calibrate(Outcomes(np.zeros(0), np.zeros(0, bool), wanted=4)) is None


def test_all_that_is_found_counts(network, card, tiles):
    """Down to the least score, on every tile."""
    scores = validate(Detector(network, card), Selection([tiles], 3))
    assert scores.whole.tiles == 3
    assert scores.outcomes50.wanted == 10
    assert LEAST <= scores.outcomes50.scores.min() < 0.1
