"""Scores against closed forms and against another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from slidecloud.hazard import scores


@st.composite
def _predictions(draw):
    count = draw(st.integers(2, 40))
    value = np.array(draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))) / 12
    event = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    event[:2] = True, False
    return value, event


@given(_predictions())
def test_auc_is_the_share_of_pairs_in_order(given_):
    value, event = given_
    apart = value[event][:, None] - value[~event]
    assert scores.auc(value, event) == pytest.approx(np.mean(apart > 0) + np.mean(apart == 0) / 2)
    assert scores.roc(value, event).area == pytest.approx(scores.auc(value, event))


@given(_predictions())
@settings(deadline=None, max_examples=30)
def test_scores_agree_with_scikit_learn(given_):
    metrics = pytest.importorskip("sklearn.metrics")
    value, event = given_
    found = scores.score(value, event)
    assert found.auc == pytest.approx(metrics.roc_auc_score(event, value))
    assert found.average_precision == pytest.approx(metrics.average_precision_score(event, value))
    assert found.brier == pytest.approx(metrics.brier_score_loss(event, value))
    assert (found.events, found.others) == (event.sum(), (~event).sum())


def test_auc_of_two_normals():
    """Two normal distributions d apart overlap so that AUC is Phi(d / sqrt 2)."""
    random = np.random.default_rng(0)
    event = np.arange(40_000) % 2 == 0
    value = random.normal(event * 1.2, 1)
    # Standard error .0022 at 20,000 of either kind.
    assert scores.auc(value, event) == pytest.approx(norm.cdf(1.2 / np.sqrt(2)), abs=0.007)


def test_brier_of_true_probabilities():
    """True probabilities, uniform in [0, 1], score the mean of p (1 - p), one sixth; half everywhere one quarter."""
    random = np.random.default_rng(1)
    truth = random.uniform(size=50_000)
    event = random.uniform(size=truth.size) < truth
    assert scores.brier(truth, event) == pytest.approx(1 / 6, abs=0.004)
    assert scores.brier(np.full(truth.size, 0.5), event) == 0.25
    assert scores.calibration_error(truth, event) < 0.012
    assert scores.calibration_error(truth**2, event) == pytest.approx(1 / 6, abs=0.01)


@given(_predictions(), st.floats(0.1, 5))
def test_only_the_order_ranks(given_, power):
    value, event = given_
    assert scores.auc(value**power, event) == scores.auc(value, event)
    assert scores.auc(-value, event) == pytest.approx(1 - scores.auc(value, event))


def test_rate_curve_of_a_triangle():
    """Values uniform over the area and slides that follow them: up(a) = 1 - (1 - a)^2, area 2/3."""
    cells = (np.arange(1000) + 0.5) / 1000
    slides = np.sqrt((np.arange(5000) + 0.5) / 5000)
    curve = scores.rate_curve(cells, slides)
    np.testing.assert_allclose(curve.up, 1 - (1 - curve.across) ** 2, atol=2e-3)
    assert curve.area == pytest.approx(2 / 3, abs=2e-3)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_area_below_the_rate_curve_compares_slides_with_all_ground(cells, slides):
    ground, slid = np.array(cells, float), np.array([cells[k % len(cells)] for k in slides], float)
    apart = slid[:, None] - ground
    curve = scores.rate_curve(ground, slid)
    assert curve.area == pytest.approx(np.mean(apart > 0) + np.mean(apart == 0) / 2)
    assert (np.diff(curve.across) >= 0).all()
    assert (np.diff(curve.up) >= 0).all()
    assert (curve.up[-1], curve.across[-1]) == (1, 1)


def test_units_count_by_their_area_and_lost_slides_as_missed():
    curve = scores.rate_curve([0.9, 0.1, np.nan], [0.9, 0.9, 0.1, np.nan], area=[1, 3, 50])
    np.testing.assert_allclose(curve.across, [0, 0.25, 1])
    np.testing.assert_allclose(curve.up, [0, 0.5, 0.75])


def test_one_kind_alone_has_no_auc():
    assert np.isnan(scores.auc([0.1, 0.2], [True, True]))
    assert np.isnan(scores.average_precision([0.1, 0.2], [False, False]))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scores.auc([0.1], [True, False]), r"shapes \(1,\) and \(2,\)"),
        (lambda: scores.auc([np.nan, 1], [True, False]), "1 of 2 values not finite"),
        (lambda: scores.brier([1.5, 0], [True, False]), r"0 to 1.5, expected values in \[0, 1\]"),
        (lambda: scores.roc([0.5, 0], [True, True]), "found 2 of 2, expected both kinds"),
        (lambda: scores.rate_curve([np.nan], [0.5]), "found 0 predicted units and 1 slides"),
        (lambda: scores.rate_curve([0.5], [0.5], area=[0.0]), "area: found 1 values from 0"),
    ],
)
def test_bad_predictions_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
