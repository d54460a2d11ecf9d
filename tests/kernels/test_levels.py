"""Levelling of pairs on ground that rests nowhere near the median, and on Mexico City."""

from __future__ import annotations

import mexico
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.levels import add_rates, least_moving, mean_rate, pair_median
from slidecloud.kernels.sbas import invert
from slidecloud.kernels.weights import inverse_phase_variance


def test_pair_median_ignores_what_is_missing_or_outside():
    phase = np.array([[1, 2, 3, 100], [np.nan, 5, 7, 100], [np.nan, np.nan, np.nan, 100]], np.float32)
    np.testing.assert_array_equal(pair_median(phase, np.array([True, True, True, False])), [2, 6, np.nan])
    with pytest.raises(ValueError, match="found shapes"):
        pair_median(phase, np.ones(3, bool))


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_pair_median_is_the_median_to_the_last_bit(seed, pixels):
    rng = np.random.default_rng(seed)
    phase = rng.normal(scale=30, size=(3, pixels)).astype(np.float32)
    phase[rng.random(phase.shape) < 0.3] = np.nan
    mask = rng.random(pixels) < 0.8
    expected = [
        np.median(row) if row.size else np.nan for row in (a[mask & np.isfinite(a)].astype(float) for a in phase)
    ]
    before = phase.copy()
    np.testing.assert_array_equal(pair_median(phase, mask), expected)
    np.testing.assert_array_equal(phase, before)


def test_rate_of_steady_motion_whatever_the_batches():
    rng = np.random.default_rng(0)
    speed = rng.normal(0, 20, 50)
    interval = rng.uniform(0.03, 0.3, 12)
    constant = rng.normal(0, 30, 12)
    phase = (interval[:, None] * speed + constant[:, None]).astype(np.float32)
    phase[rng.random(phase.shape) < 0.1] = np.nan
    weight = rng.uniform(1, 9, phase.shape).astype(np.float32)
    phase[5] = np.nan
    constant[5] = np.nan
    whole = mean_rate(add_rates(None, phase, offset=constant, interval=interval, weight=weight))
    np.testing.assert_allclose(whole, speed, atol=1e-3)
    sums = None
    for part in (slice(0, 1), slice(1, 8), slice(8, 12)):
        sums = add_rates(sums, phase[part], offset=constant[part], interval=interval[part], weight=weight[part])
    np.testing.assert_array_equal(mean_rate(sums), whole)


def test_rate_without_a_pair_is_nan_and_bad_shapes_are_named():
    phase = np.full((2, 3), np.nan, np.float32)
    assert np.isnan(mean_rate(add_rates(None, phase, offset=[0, 0], interval=[1, 1]))).all()
    with pytest.raises(ValueError, match="phase, offset, interval: found shapes"):
        add_rates(None, phase, offset=[0], interval=[1, 1])
    with pytest.raises(ValueError, match="weight: found shape"):
        add_rates(None, phase, offset=[0, 0], interval=[1, 1], weight=np.ones((1, 3), np.float32))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), level=st.floats(-50, 50), sign=st.sampled_from([-1, 1]))
def test_rest_is_the_mode_even_where_most_moves(seed, level, sign):
    """A third rests (at an unknown level, with noise 0.3), two thirds move by anything up to 30 to one side."""
    rng = np.random.default_rng(seed)
    rests = np.arange(3000) < 1000
    rate = level + np.where(rests, 0, sign * rng.uniform(1, 30, 3000)) + rng.normal(0, 0.3, 3000)
    quality = rng.uniform(0.2, 1, 3000)
    quality[::10] = 0
    rate[::11] = np.nan
    chosen = least_moving(rate, quality, fraction=0.05)
    usable = np.isfinite(rate) & (quality > 0)
    assert chosen.sum() == round(0.05 * usable.sum())
    assert usable[chosen].all()
    assert rests[chosen].mean() > 0.9
    assert abs(np.median(rate[chosen]) - level) < 0.35


def test_least_moving_refuses_by_name():
    rate, quality = np.zeros(4), np.ones(4)
    for fraction in (0, -0.1, 0.6, np.nan):
        with pytest.raises(ValueError, match="fraction: found"):
            least_moving(rate, quality, fraction=fraction)
    with pytest.raises(ValueError, match="found shapes"):
        least_moving(rate, np.ones(3), fraction=0.1)
    with pytest.raises(ValueError, match="no pixel"):
        least_moving(rate, np.zeros(4), fraction=0.1)
    assert least_moving(rate, quality, fraction=0.01).sum() == 1


def test_mexico_city_sinks_steadily_away_from_its_stable_edge():
    data = mexico.load()
    interval = data.time[data.secondary] - data.time[data.reference]
    everything = np.ones(data.phase.shape[1], bool)
    rate = mean_rate(add_rates(None, data.phase, offset=pair_median(data.phase, everything), interval=interval))
    known = data.coherence > 0
    quality = data.coherence.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    stable = least_moving(rate, quality, fraction=0.05)
    assert np.ptp(rate[stable]) < 0.1 * np.nanmax(rate - np.median(rate[stable]))
    levelled = (data.phase - pair_median(data.phase, stable)[:, None]).astype(np.float32)
    weight = inverse_phase_variance(data.coherence, looks=10)
    found = invert(levelled, weight, data.reference, data.secondary, time=data.time)
    velocity = mexico.RADIANS_TO_METRES * found.velocity
    series = mexico.RADIANS_TO_METRES * found.series
    fast = velocity < -0.1
    assert fast.sum() > 1000
    assert (series[-1, fast] < series[0, fast]).all()
    fastest = np.argsort(np.where(np.isfinite(velocity), velocity, np.inf))[:50]
    fit = [np.corrcoef(data.time, series[:, pixel])[0, 1] ** 2 for pixel in fastest]
    assert min(fit) >= 0.95
    assert np.sqrt(np.nanmean(found.residual_rms.astype(float) ** 2)) <= 0.4
    assert abs(np.median(velocity[stable])) < 0.005
    assert -0.33 < np.nanmin(velocity) < -0.2
    assert np.nanmax(velocity) < 0.04
