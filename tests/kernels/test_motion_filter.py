"""The Kalman filter is the conditional expectation of a Gaussian process, and its likelihood that process's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from slidecloud.kernels import _motion_filter as loops
from slidecloud.kernels import motion_filter
from slidecloud.kernels.motion_filter import Driving, Filters

NOTHING = Driving(np.zeros((1, 0, 2)), np.zeros((1, 0)), np.zeros(1, np.int64))


def _driving(seed=0, days=400):
    draw = np.random.default_rng(seed)
    total = np.concatenate([[0.0], np.cumsum(draw.exponential(3.0, days))])
    return Driving(total[None, None], np.array([[3.0]]), np.zeros(1, np.int64))


def _dense(values, day, forced, noise, free):
    """Mean and variance of the last position and log-likelihood of all values but the first, from covariances."""
    r, q, w = noise
    since = (day - day[0]).astype(float)
    low, high = np.minimum.outer(since, since), np.maximum.outer(since, since)
    position = r + w * low + q * low**2 * (3 * high - low) / 6 + free[0] * np.outer(since, since)
    position += free[1] * np.outer(forced, forced)
    measured = position[1:, 1:] + r * np.eye(len(day) - 1)
    gain = np.linalg.solve(measured, position[1:, -1])
    off = values[1:] - values[0]
    chance = multivariate_normal(np.zeros(len(off)), measured).logpdf(off) + 0.5 * len(off) * np.log(2 * np.pi)
    return values[0] + gain @ off, position[-1, -1] - gain @ position[1:, -1], chance


@pytest.mark.parametrize("seed", range(4))
def test_filter_is_the_gaussian_conditional(seed):
    draw = np.random.default_rng(seed)
    day = np.cumsum(draw.integers(6, 30, 20))
    values, driving = np.cumsum(draw.normal(size=20)), _driving(seed)
    noise, free = np.exp(draw.normal([-1, -8, -4], 1.0)), np.array([0.01, 1e-4])
    lag = np.array([[int(draw.integers(0, 20))]])
    forced = driving.total[0, 0][np.maximum(day - lag[0, 0] + 1, 0)]
    forced = forced + np.minimum(day - lag[0, 0] + 1, 0) * 3.0
    mean, variance, chance = _dense(values, day, forced - forced[0], noise, free)
    states = motion_filter.states(values[None], day, driving, filters=Filters(noise[None], free[None], lag))
    assert states.mean[0, -1, 0] == pytest.approx(mean, rel=1e-9)
    assert states.covariance[0, -1, 0, 0] == pytest.approx(variance, rel=1e-7)
    room, kept = (np.empty(3), np.empty((3, 3)), np.empty(1)), (np.empty((0, 3)), np.empty((0, 3, 3)))
    found = loops.run(values, (day, driving.total[0], driving.trend[0]), lag[0], noise, free, room, kept)
    assert found == pytest.approx(chance, rel=1e-9)


def test_missing_values_are_as_if_there_were_no_pass():
    day, values = 12 * np.arange(15), np.sin(np.arange(15.0))
    filters = Filters(np.array([[0.1, 1e-5, 1e-3]]), np.array([[0.01]]), np.zeros((1, 0), np.int64))
    kept = np.setdiff1d(np.arange(15), [0, 5, 6, 14])
    gappy = np.full(15, np.nan)
    gappy[kept] = values[kept]
    one = motion_filter.states(gappy[None], day, NOTHING, filters=filters)
    two = motion_filter.states(values[None, kept], day[kept], NOTHING, filters=filters)
    np.testing.assert_allclose(one.mean[0, kept], two.mean[0])
    assert np.isnan(one.mean[0, 0]).all()
    np.testing.assert_array_equal(one.mean[0, 14], one.mean[0, 13])


def test_states_know_nothing_of_later_passes():
    draw = np.random.default_rng(2)
    day, values = 12 * np.arange(30), np.cumsum(draw.normal(size=(2, 30)), axis=1)
    given = Driving(NOTHING.total, NOTHING.trend, np.zeros(2, np.int64))
    filters = motion_filter.learn(values, day, given, lags=np.zeros((0, 1)))
    whole = motion_filter.states(values, day, given, filters=filters)
    part = motion_filter.states(values[:, :17], day[:17], given, filters=filters)
    np.testing.assert_array_equal(whole.mean[:, :17], part.mean)
    np.testing.assert_array_equal(whole.covariance[:, :17], part.covariance)


def test_noise_and_answers_are_learnt():
    """60 points that move by a walk and by rain 9 days before, seen with noise of 1 mm."""
    draw, points, driving = np.random.default_rng(4), 60, _driving(4, days=1700)
    day = 40 + 12 * np.arange(130)
    wet = driving.total[0, 0][day - 9 + 1]
    values = 0.05 * (wet - wet[0]) + 0.05 * (day - day[0])
    values = values + np.cumsum(draw.normal(0, 0.3, (points, 130)), axis=1) + draw.normal(0, 1.0, (points, 130))
    given = Driving(driving.total, driving.trend, np.zeros(points, np.int64))
    found = motion_filter.learn(values, day, given, lags=np.array([[0, 3, 6, 9, 12, 15]]))
    assert np.sqrt(np.median(found.noise[:, 0])) == pytest.approx(1.0, rel=0.1)
    assert np.median(found.lag) == 9
    assert (np.abs(found.lag - 9) <= 3).mean() > 0.9
    answers = motion_filter.states(values, day, given, filters=found).mean[:, -1, 2]
    assert np.median(answers) == pytest.approx(0.05, rel=0.1)


def test_points_with_few_values_take_what_the_others_have():
    draw = np.random.default_rng(1)
    values = np.cumsum(draw.normal(size=(3, 40)), axis=1)
    values[1, 3:] = np.nan
    values[2] = 4.0
    given = Driving(NOTHING.total, NOTHING.trend, np.zeros(3, np.int64))
    found = motion_filter.learn(values, 12 * np.arange(40), given, lags=np.zeros((0, 1)))
    assert np.isfinite(found.noise).all()
    np.testing.assert_allclose(found.noise[1], np.median(found.noise[[0, 2]], axis=0))
    alone = motion_filter.learn(values[1:2], 12 * np.arange(40), NOTHING, lags=np.zeros((0, 1)))
    assert (alone.noise == 1.0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.zeros(3)}, "found shapes"),
        ({"day": np.array([0, 12, 12])}, "out of order"),
        ({"driving": Driving(np.full((1, 0, 2), 0.0), np.zeros((1, 1)), np.zeros(1, np.int64))}, "found shapes"),
        ({"lags": np.zeros((2, 3))}, r"expected \(0, choice\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"values": np.zeros((1, 3)), "day": np.array([0, 12, 24]), "driving": NOTHING, "lags": np.zeros((0, 1))}
    given |= change
    with pytest.raises(ValueError, match=message):
        motion_filter.learn(given.pop("values"), given.pop("day"), given.pop("driving"), **given)
