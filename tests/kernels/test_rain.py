"""Rain and motion: sums by hand, lags that were put in, and nothing found where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.accelerations import accelerations, superposed
from slidecloud.kernels.rain import accumulated, lagged, over_intervals

STEP = 12
LAGS = np.arange(0, 61, STEP)


def showers(rng, days):
    """Wet spells in dry weather, wetter in one half of the year."""
    season = 1.0 + 0.8 * np.sin(2 * np.pi * np.arange(days) / 365.25)
    return np.where(rng.random(days) < 0.3, rng.gamma(0.7, 12.0, days) * season, 0.0)


def memory(rng, n, share):
    """A normal series of unit variance whose neighbours correlate by `share`."""
    noise = rng.normal(size=n)
    series = np.empty(n)
    series[0] = noise[0]
    for i in range(1, n):
        series[i] = share * series[i - 1] + np.sqrt(1 - share**2) * noise[i]
    return series


def test_sums_by_hand():
    rain = np.array([1.0, 0.0, 4.0, np.nan, 2.0, 3.0, 5.0])
    np.testing.assert_array_equal(accumulated(rain, 1), rain)
    np.testing.assert_array_equal(accumulated(rain, 3), [np.nan, np.nan, 5, np.nan, np.nan, np.nan, 10])
    assert np.isnan(accumulated(rain, 8)).all()


def test_mean_rain_of_intervals_by_hand():
    rain = np.array([0.0, 6.0, 0.0, 12.0, np.nan, 4.0])
    day = np.arange(100, 106)
    found = over_intervals(day, rain, [101.0, 102.0, 103.5, 104.0, 106.0], lags=[0, 1])
    # A day and a half, the last half of which takes half of the fourth day's rain.
    np.testing.assert_allclose(found[:3, 0], [6.0, (0.0 + 6.0) / 1.5, 12.0])
    np.testing.assert_allclose(found[:3, 1], [0.0, 6.0 / 1.5, 0.0])
    assert np.isnan(found[3]).all()
    assert np.isnan(over_intervals(day, rain, [101.0, 102.0], lags=[3])).all()
    assert np.isnan(over_intervals(day, rain, [105.0, 107.0], lags=[0])).all()


@given(seed=st.integers(0, 2**31), lag=st.integers(0, 5))
def test_intervals_hold_all_the_rain(seed, lag):
    rng = np.random.default_rng(seed)
    rain = rng.gamma(1.0, 5.0, 60)
    times = np.sort(rng.choice(np.arange(10, 60), 7, replace=False)) + 0.25
    mean = over_intervals(np.arange(60), rain, times, lags=[lag])[:, 0]
    total = (mean * np.diff(times)).sum()
    first, last = times[0] - lag, times[-1] - lag
    whole = rain[int(first) + 1 : int(last)].sum() + 0.75 * rain[int(first)] + 0.25 * rain[int(last)]
    assert total == pytest.approx(whole)


def driven(rng, n, *, lag, share, strength):
    """Rates that follow the rain of `lag` intervals ago, and their correlation with it in the long run."""
    days = np.arange(STEP * (n + 7))
    rain = showers(rng, len(days))
    times = np.arange(STEP * 6, STEP * (6 + n) + 1, STEP, dtype=float)
    wet = over_intervals(days, rain, times, lags=LAGS)
    cause = wet[:, lag] / 3.0
    return strength * cause + memory(rng, n, share), wet


def test_the_lag_is_found_and_its_interval_covers_the_truth():
    """200 series of 8 years: noise with memory on a rate that follows the rain of 24 days before."""
    rng = np.random.default_rng(1)
    truths, inside, right, sure = [], 0, 0, 0
    many, wet = driven(np.random.default_rng(2), 40_000, lag=2, share=0.6, strength=0.6)
    truth = np.corrcoef(many, wet[:, 2])[0, 1]
    for number in range(200):
        rate, wet = driven(rng, 240, lag=2, share=0.6, strength=0.6)
        found = lagged(rate, wet, surrogates=99, seed=number)
        right += found.best == 2
        inside += found.low[2] <= truth <= found.high[2]
        sure += found.p_value <= 0.05
        truths.append(found.correlation[2])
    assert 0.3 < truth < 0.7
    assert np.mean(truths) == pytest.approx(truth, abs=0.02)
    assert right >= 195
    # 95 % of 200, within three standard errors of a share.
    assert 0.95 - 0.046 <= inside / 200 <= 0.95 + 0.046
    assert sure >= 190


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_unrelated_series_are_called_related_no_more_often_than_said(share):
    """200 pairs of unrelated series with memory: the p value over all lags and the intervals keep their word."""
    rng = np.random.default_rng(3)
    called = missed = 0
    for number in range(200):
        wet_series = memory(rng, 130, share)
        wet = np.stack([wet_series[6 - k : 126 - k] for k in range(6)], axis=1)
        found = lagged(memory(rng, 120, share), wet, surrogates=99, seed=number)
        called += found.p_value <= 0.05
        missed += not found.low[0] <= 0.0 <= found.high[0]
    # 5 % of 200 and three standard errors of that.
    assert called / 200 <= 0.05 + 0.046
    assert missed / 200 <= 0.05 + 0.046


def test_two_series_that_follow_the_year_alone_are_not_called_related():
    rng = np.random.default_rng(4)
    called = 0
    for number in range(100):
        t = np.arange(130) * STEP
        phase = rng.random(2) * 2 * np.pi
        wet_series = 1 + np.sin(2 * np.pi * t / 365.25 + phase[0]) + 0.3 * rng.normal(size=130)
        wet = np.stack([wet_series[6 - k : 126 - k] for k in range(6)], axis=1)
        rate = np.sin(2 * np.pi * t[:120] / 365.25 + phase[1]) + 0.3 * rng.normal(size=120)
        called += lagged(rate, wet, surrogates=99, seed=number).p_value <= 0.05
    assert called <= 12


def independent(rng, share):
    """Independent values among 200 of two series with memory."""
    return lagged(memory(rng, 200, share), memory(rng, 200, share)[:, None], surrogates=1).effective[0]


def test_memory_leaves_fewer_independent_values():
    rng = np.random.default_rng(5)
    effective = {share: np.mean([independent(rng, share) for _ in range(40)]) for share in (0.8, 0.0)}
    # (1 - a b) / (1 + a b) of 200 (Bretherton and others 1999).
    assert effective[0.8] == pytest.approx(200 * (1 - 0.64) / (1 + 0.64), rel=0.35)
    assert effective[0.0] > 170


def test_correlation_is_pearsons_where_both_are_known():
    rng = np.random.default_rng(6)
    rate, wet = rng.normal(size=50), rng.gamma(1.0, 2.0, (50, 3))
    rate[4], wet[10, 1] = np.nan, np.nan
    found = lagged(rate, wet, surrogates=9)
    for lag in range(3):
        both = np.isfinite(rate) & np.isfinite(wet[:, lag])
        assert found.intervals[lag] == both.sum()
        assert found.correlation[lag] == pytest.approx(np.corrcoef(rate[both], wet[both, lag])[0, 1], abs=1e-12)
    assert found.best == int(found.correlation.argmax())


def test_too_little_or_nothing_that_varies_gives_no_correlation():
    short = lagged(np.arange(5.0), np.ones((5, 2)))
    assert np.isnan(short.correlation).all()
    assert (short.best, np.isnan(short.p_value)) == (-1, True)
    dry = lagged(np.random.default_rng(0).normal(size=40), np.zeros((40, 2)))
    assert dry.best == -1
    with pytest.raises(ValueError, match="rate, rain: found shapes"):
        lagged(np.zeros(5), np.zeros((4, 2)))
    for bad in ([-9999.0, 1.0], [[1.0]], [np.inf]):
        with pytest.raises(ValueError, match="rain: found"):
            accumulated(bad, 1)


def test_accelerations_are_where_they_were_put():
    rng = np.random.default_rng(7)
    times = np.arange(0.0, 1200.0, 12.0)
    rate = np.full(99, -0.02 / 365.25)
    rate[[30, 31, 70]] *= 30.0
    moved = np.concatenate([[0.0], np.cumsum(rate * 12.0)]) + rng.normal(0, 5e-4, 100)
    found = accelerations(moved, np.full(100, 5e-4), times)
    assert found.tolist() == [30, 70]
    # Towards the satellite alike, and none where they drown in the noise that the series says it has.
    assert accelerations(-moved, np.full(100, 5e-4), times).tolist() == [30, 70]
    assert not len(accelerations(moved, np.full(100, 0.05), times))
    moved[40] = np.nan
    assert accelerations(moved, np.full(100, 5e-4), times).tolist() == [30, 70]
    assert not len(accelerations(moved[:5], np.full(5, 5e-4), times[:5]))


def test_events_after_wet_days_stand_out_and_others_do_not():
    rng = np.random.default_rng(8)
    rain = showers(rng, 2000)
    wet = accumulated(rain, 10)
    wettest = np.argsort(np.nan_to_num(wet))[::-1][:400:40]
    found = superposed(wettest, wet)
    assert found.p_value <= 0.01
    assert found.event > 2 * found.usual
    called = 0
    for number in range(200):
        anywhere = rng.choice(np.arange(10, 2000), 10, replace=False)
        called += superposed(anywhere, wet, permutations=199, seed=number).p_value <= 0.05
    assert called / 200 <= 0.05 + 0.046
    nothing = superposed([], wet)
    assert np.isnan(nothing.event)
    assert np.isnan(nothing.p_value)
    assert nothing.usual == pytest.approx(np.nanmean(wet))
