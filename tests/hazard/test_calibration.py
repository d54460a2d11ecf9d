"""Probabilities on the ground from a sample of another share, where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from slidecloud.hazard.calibration import Logistic, correction, cross_fitted, logistic, prior_shift
from slidecloud.hazard.scores import auc, calibration_error

chances = st.floats(0.001, 0.999)


@given(chances, chances, chances)
def test_shift_is_that_of_bayes(probability, rho, pi):
    """The likelihood ratio of a place is the same in the sample and on the ground."""
    found = prior_shift(probability, sample_share=rho, true_share=pi)
    ratio = logit(probability) - logit(rho)
    assert found == pytest.approx(expit(ratio + logit(pi)), rel=1e-9)
    assert prior_shift(found, sample_share=pi, true_share=rho) == pytest.approx(probability, rel=1e-6)


def test_shift_keeps_certainty_and_holes():
    np.testing.assert_array_equal(prior_shift([0, 1, np.nan], sample_share=0.5, true_share=0.01), [0, 1, np.nan])


def _region(seed, count=200_000):
    """Cells with a known probability of a slide, one in fifty on average."""
    random = np.random.default_rng(seed)
    truth = expit(random.normal(-4.8, 1.4, count))
    return truth, random.uniform(size=count) < truth, random


@pytest.mark.parametrize("method", ["logistic", "isotonic"])
def test_known_probabilities_come_back_from_a_balanced_sample(method):
    """A model that is overconfident by a factor of two in logits, learnt from as many absences as slides."""
    truth, slid, random = _region(0)
    slides = np.nonzero(slid)[0]
    place = np.r_[slides, random.choice(np.nonzero(~slid)[0], slides.size, replace=False)]
    shift = logit(0.5) - logit(slid.mean())
    score = expit(2 * (logit(truth) + shift))
    found = correction(score[place], slid[place], true_share=float(slid.mean()), method=method).apply(score)
    assert calibration_error(found, slid) < 0.005
    assert np.abs(found - truth).mean() < 0.005
    # The trap: probabilities of the sample taken for those of the ground.
    assert calibration_error(score, slid) > 0.25
    uncorrected = correction(score[place], slid[place], true_share=0.5, method=method).apply(score)
    assert calibration_error(uncorrected, slid) > 0.25


def test_a_line_that_saw_its_own_group_flatters():
    """Scores of chance in groups of unlike shares: lines of the other groups do not know a group's own share."""
    random = np.random.default_rng(3)
    group = np.repeat(np.arange(4), 100)
    slid = random.uniform(size=400) < np.array([0.1, 0.3, 0.6, 0.9])[group]
    score = random.uniform(0.2, 0.8, 400)
    told = cross_fitted(score, slid, group, method="logistic")
    assert calibration_error(told, slid) > calibration_error(logistic(score, slid).apply(score), slid) + 0.05
    for each in range(4):
        own = group == each
        np.testing.assert_array_equal(told[own], logistic(score[~own], slid[~own]).apply(score[own]))


def test_groups_without_others_of_both_kinds_are_not_told():
    told = cross_fitted([0.2, 0.8, 0.4, 0.6], [False, False, True, True], [0, 0, 1, 1])
    assert np.isnan(told).all()


def test_line_through_logits_is_found():
    random = np.random.default_rng(1)
    score = random.uniform(0.01, 0.99, 100_000)
    found = logistic(score, random.uniform(size=score.size) < expit(-0.7 + 0.5 * logit(score)))
    assert (found.intercept, found.slope) == pytest.approx((-0.7, 0.5), abs=0.03)


def test_order_is_kept_and_worse_than_chance_says_the_mean():
    random = np.random.default_rng(2)
    slid = np.arange(400) % 4 == 0
    score = expit(random.normal(slid, 1))
    found = correction(score, slid, true_share=0.01).apply(score)
    assert auc(found, slid) == auc(score, slid)
    against = correction(1 - score, slid, true_share=0.25).apply(1 - score)
    np.testing.assert_allclose(against, 0.25, atol=0.005)


def test_few_places_promise_no_certainty():
    line = logistic([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert (line.apply([0.0, 1.0]) > 0).all()
    assert (line.apply([0.0, 1.0]) < 1).all()
    assert np.isnan(Logistic(0, 1).apply(np.nan))


def test_places_never_tested_do_not_count():
    score, slid = np.array([0.2, 0.4, 0.6, 0.8, np.nan, np.nan]), np.array([0, 1, 0, 1, 1, 0], bool)
    assert correction(score, slid, true_share=0.1).line == correction(score[:4], slid[:4], true_share=0.1).line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"true_share": None}, "sampling ratio would pass for the probability"),
        ({"true_share": 0.1, "method": "beta"}, "expected one of logistic, isotonic, none"),
    ],
)
def test_corrections_that_cannot_be_made_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        correction([0.2, 0.8], [False, True], **options)
    with pytest.raises(ValueError, match="found 2 slides among 2 held-out"):
        correction([0.2, 0.8], [True, True], true_share=0.1)
    with pytest.raises(ValueError, match="true_share: found 0"):
        correction([0.2, 0.8], [False, True], true_share=0, method="none").apply(0.5)
