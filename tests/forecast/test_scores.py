"""Scores by hand, classes by the size of motion, and what scores must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import judged, told

from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.scores import by_horizon, by_point, by_size, interval_size, score


def test_scores_by_hand():
    found = score(judged([2.0, -4.0, 0.5, np.nan, 1.0]), told([3.0, -2.0, 0.5, 9.0, np.nan], half=1.5))
    assert found.count == 3
    assert found.unanswered == 1
    assert found.rmse == pytest.approx(np.sqrt(5 / 3))
    assert found.mae == pytest.approx(1.0)
    # Half a millimetre is too little to be measured in percent.
    assert found.mape == pytest.approx(50.0)
    assert found.skill == pytest.approx(1 - 5 / 20.25)
    assert found.coverage == pytest.approx(2 / 3)
    assert found.width == pytest.approx(3.0)
    assert found.correlation == pytest.approx(np.corrcoef([2, -4, 0.5], [3, -2, 0.5])[0, 1])


def test_a_perfect_forecast_and_one_of_standing_still():
    moved = np.array([1.0, -3.0, 5.0])
    perfect, still = (score(judged(moved), told(values, half=0.0)) for values in (moved, np.zeros(3)))
    assert perfect[:6] == pytest.approx((0.0, 0.0, 0.0, 1.0, 1.0, 1.0))
    assert still.skill == 0.0
    assert still.mape == 100.0
    assert np.isnan(still.correlation)


@given(st.integers(0, 2**31), st.floats(0.1, 50.0))
def test_unit_and_order_do_not_matter(seed, unit):
    random = np.random.default_rng(seed)
    moved, guess = random.normal(size=(2, 20))
    order = random.permutation(20)
    one = score(judged(moved), told(guess))
    other = score(judged(unit * moved[order]), told(unit * guess[order], half=unit))
    assert other.rmse == pytest.approx(unit * one.rmse)
    assert other.mae == pytest.approx(unit * one.mae)
    assert other[3:6] == pytest.approx(one[3:6])
    assert one.mae <= one.rmse


def test_days_between_two_passes_share_their_size():
    # Three days after one pass, then a pass 24 days on, and a sample whose truth is not known.
    moved = judged(
        [0.4, 1.0, -3.0, -7.0, np.nan], point=[0, 0, 0, 1, 0], origin=[0, 0, 0, 0, 12], horizon=[1, 6, 12, 24, 6]
    )
    np.testing.assert_allclose(interval_size(moved), [3.0, 3.0, 3.0, 3.5, np.nan])
    order = np.array([3, 0, 4, 2, 1])
    np.testing.assert_allclose(interval_size(moved.where(order)), [3.5, 3.0, np.nan, 3.0, 3.0])


def test_classes_of_the_source():
    moved = np.array([1.9, -2.0, 3.9, -5.0, 7.0, 8.0, -30.0])
    found = by_size(judged(moved), told(0.5 * moved))
    assert list(found.index) == ["<2", "2-4", "4-6", "6-8", ">8", "all"]
    assert found["count"].tolist() == [1, 2, 1, 1, 2, 7]
    assert found.loc["6-8", "rmse"] == pytest.approx(3.5)
    assert found.loc["all"].to_dict() == pytest.approx(score(judged(moved), told(0.5 * moved))._asdict())


@given(st.integers(0, 2**31))
def test_parts_make_up_the_whole(seed):
    random = np.random.default_rng(seed)
    n = 60
    moved = judged(random.normal(0, 4, n), point=random.integers(0, 5, n), horizon=random.choice([6, 12, 24], n))
    guess = told(random.normal(0, 4, n), half=3.0)
    whole = score(moved, guess)
    for parts in (
        by_size(moved, guess).drop("all"),
        by_horizon(moved, guess),
        by_point(moved, guess, points=6),
    ):
        assert parts["count"].sum() == n
        there = parts[parts["count"] > 0]
        share = there["count"] / n
        assert (share * there["rmse"] ** 2).sum() == pytest.approx(whole.rmse**2)
        assert (share * there["coverage"]).sum() == pytest.approx(whole.coverage)


def test_a_point_without_samples_is_not_a_number():
    found = by_point(judged([1.0, 2.0], point=[0, 2]), told([1.0, 1.0]), points=4)
    assert found["count"].tolist() == [1, 0, 1, 0]
    assert np.isnan(found.loc[1, "rmse"])
    assert found.loc[2, "rmse"] == 1.0


def test_nothing_known_gives_nothing():
    found = score(judged([np.nan]), told([1.0]))
    assert found.count == 0
    assert np.isnan(found[:7]).all()
    assert by_size(judged([np.nan]), told([1.0]))["count"].sum() == 0


def test_bad_forecasts_are_named():
    with pytest.raises(ValueError, match=r"increment: found shape \(2,\), expected \(1,\)"):
        score(judged([1.0]), told([1.0, 2.0]))
    with pytest.raises(ValueError, match="lower: found 2 above the upper end 0"):
        score(judged([1.0]), Forecast(np.ones(1), np.full(1, 2.0), np.zeros(1)))
