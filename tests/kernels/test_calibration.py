"""Calibration on scores whose true probability is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.calibration import Calibration, expected_error, fit, reliability


def _sample(count, seed):
    """Scores whose probability of being right is their square root: underconfident at every score."""
    random = np.random.default_rng(seed)
    score = random.beta(0.6, 1.2, count)
    return score, random.uniform(size=count) < np.sqrt(score), np.sqrt(score)


def test_known_probabilities_are_found():
    score, right, _ = _sample(20_000, 1)
    found = fit(score, right)
    other, hit, truth = _sample(20_000, 2)
    # The standard error of a knot of 20,000 / 32 detections is 0.02 at most.
    assert np.sqrt(np.mean((found.apply(other) - truth) ** 2)) < 0.03
    assert expected_error(found.apply(other), hit) < 0.02
    assert expected_error(other, hit) > 0.1


def test_expected_error_of_a_known_mistake():
    """All promised 0.8, half right."""
    assert expected_error([0.8] * 10, [True, False] * 5) == pytest.approx(0.3)
    assert expected_error([0.0, 1.0], [False, True]) == 0.0
    assert math.isnan(expected_error([], []))


def test_bins_are_of_equal_mass():
    _, _, count = reliability(np.linspace(0, 1, 150), np.zeros(150, dtype=bool))
    np.testing.assert_array_equal(count, [10] * 15)


def test_error_of_true_probabilities_is_that_of_chance():
    """Each bin is off by its standard error: 0.8 sqrt(p (1 - p) / n) on average, here below 0.012."""
    random = np.random.default_rng(4)
    truth = random.uniform(size=30_000)
    assert expected_error(truth, random.uniform(size=30_000) < truth) < 0.012


@st.composite
def _judged(draw):
    count = draw(st.integers(1, 60))
    score = draw(st.lists(st.integers(0, 20), min_size=count, max_size=count))
    right = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return np.array(score, dtype=float) / 20, np.array(right, dtype=bool)


@given(_judged(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_line_rises_and_has_few_knots_in_any_order(judged, knots, random):
    score, right = judged
    found = fit(score, right, knots=knots)
    assert 1 <= len(found.score) <= knots
    assert (np.diff(found.score) > 0).all()
    assert (np.diff(found.probability) >= 0).all()
    assert ((found.probability > 0) & (found.probability < 1)).all()
    shuffled = np.array(random.sample(range(len(score)), len(score)), dtype=int)
    again = fit(score[shuffled], right[shuffled], knots=knots)
    np.testing.assert_allclose(again.probability, found.probability, rtol=1e-12)


def test_few_detections_promise_no_certainty():
    found = fit([0.2, 0.9], [False, True])
    np.testing.assert_allclose(found.probability, [0.5])
    np.testing.assert_allclose(
        Calibration(np.array([0.3, 0.6]), np.array([0.1, 0.7])).apply([0, 0.45, 1]), [0.1, 0.4, 0.7]
    )


@pytest.mark.parametrize(
    ("scores", "right", "says"),
    [([], [], "found none"), ([0.1], [True, False], "shapes"), ([np.nan], [True], "expected finite")],
)
def test_bad_samples_are_named(scores, right, says):
    with pytest.raises(ValueError, match=says):
        fit(scores, right)


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="knots: found 0"):
        fit([0.1], [True], knots=0)
    with pytest.raises(ValueError, match="bins: found 0"):
        reliability([0.1], [True], bins=0)
