"""When to believe a network, and how much."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels.precision import Outcomes
from slidecloud.models.evaluation import THRESHOLD
from slidecloud.models.predict import Detector
from slidecloud.models.tile_sets import Selection
from slidecloud.models.validation import LEAST, best_threshold, calibrate, validate


def outcomes(right):
    scores = np.linspace(0.9, 0.1, len(right))
    return Outcomes(scores, np.array(right, bool), wanted=4)


def test_the_threshold_has_the_best_f1():
    """Right: 3 of 4 at the fourth detection (F1 2*3/(4+4)); the fifth is wrong, and the sixth brings 4 of 6 (8/10)."""
    assert best_threshold(outcomes([1, 1, 0, 1, 0, 0])) == np.linspace(0.9, 0.1, 6)[3]
    assert best_threshold(outcomes([1, 1, 0, 1, 0, 1])) == np.linspace(0.9, 0.1, 6)[5]


def test_nothing_found_nothing_learnt():
    nothing = Outcomes(np.zeros(0), np.zeros(0, bool), wanted=4)
    assert best_threshold(nothing) == best_threshold(outcomes([0, 0])) == THRESHOLD
    assert calibrate(nothing) is None


def test_all_that_is_found_counts(network, card, tiles):
    """Down to the least score, on every tile."""
    scores = validate(Detector(network, card), Selection([tiles], 3))
    assert scores.whole.tiles == 3
    assert scores.outcomes50.wanted == 10
    assert LEAST <= scores.outcomes50.scores.min() < 0.1
