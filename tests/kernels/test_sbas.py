"""Inversion against dense float64 references, against physics, and against itself: grouping, order, scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_speckle import speckle_pairs

from slidecloud.kernels import reference_sbas as dense
from slidecloud.kernels.sbas import Inversion, invert

REVISIT = 12 / 365.25


def network(dates, reach):
    """All pairs of at most ``reach`` date steps."""
    pairs = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + reach + 1))])
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def observations(rng, reference, secondary, pixels, noise=1.0):
    dates = secondary.max() + 1
    truth = np.cumsum(rng.normal(0, 1, (dates, pixels)), axis=0)
    weight = rng.uniform(0.5, 10, (reference.size, pixels)).astype(np.float32)
    error = noise * rng.normal(size=weight.shape) / np.sqrt(weight)
    return (truth[secondary] - truth[reference] + error).astype(np.float32), weight


def dense_series(phase, weight, reference, secondary, time):
    """Minimum-norm series of each pixel, NaN at its dates without a pair, zero at its first date."""
    columns = []
    for value, w in zip(phase.T.astype(float), weight.T.astype(float), strict=True):
        known = np.isfinite(value) & (w > 0)
        series = dense.minimum_norm_series(value[known], w[known], reference[known], secondary[known], time)
        label = dense.components(reference[known], secondary[known], time.size)
        series[label == 0] = np.nan
        columns.append(series - series[np.flatnonzero(label)[0]])
    return np.stack(columns, axis=1)


def relative_rms(found, expected):
    assert (np.isnan(found) == np.isnan(expected)).all()
    return np.sqrt(np.nanmean((found - expected) ** 2) / np.nanmean(expected**2))


def assert_identical(a, b):
    for name in Inversion._fields:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.parametrize("bad_winter", [False, True])
def test_equals_dense_weighted_least_squares(bad_winter):
    rng = np.random.default_rng(0)
    reference, secondary = network(145, 3)
    time = np.arange(145) * REVISIT
    phase, weight = observations(rng, reference, secondary, 40)
    if bad_winter:
        weight[(reference >= 60) & (secondary < 80)] *= 1e-3
    found = invert(phase, weight, reference, secondary, time=time)
    assert relative_rms(found.series, dense_series(phase, weight, reference, secondary, time)) < 1e-5
    assert (found.subset == 1).all()
    assert (found.redundancy == reference.size - 144).all()


def broken_networks():
    """Networks that leave a choice, as name: (reference, secondary, time)."""
    rng = np.random.default_rng(7)
    reference, secondary = network(24, 3)
    even = np.arange(24) * REVISIT
    irregular = np.cumsum(rng.choice([6, 12, 24, 96, 180], size=24)) / 365.25
    gap = ~((reference < 12) & (secondary >= 12))
    skip = secondary - reference == 2
    apart = ~np.isin(reference, [0, 8, 23]) & ~np.isin(secondary, [0, 8, 23])
    one, two = [*range(9), 10, 12, 14], [9, 11, 13, *range(15, 24)]
    overlap = np.array(
        [(x[i], x[j]) for x in (one, two) for i in range(12) for j in range(i + 1, min(12, i + 4))], dtype=np.int64
    )
    return {
        "time gap": (reference[gap], secondary[gap], even),
        "interleaved": (reference[skip], secondary[skip], even),
        "two overlapping": (overlap[:, 0], overlap[:, 1], even),
        "isolated dates": (reference[apart], secondary[apart], even),
        "irregular dates": (reference, secondary, irregular),
        "irregular with a gap": (reference[gap], secondary[gap], irregular),
        "irregular, interleaved": (reference[skip], secondary[skip], irregular),
    }


@pytest.mark.parametrize("name", broken_networks())
def test_equals_minimum_norm_velocity_and_dense_sigma(name):
    reference, secondary, time = broken_networks()[name]
    rng = np.random.default_rng(1)
    phase = rng.normal(0, 5, (reference.size, 12)).astype(np.float32)
    weight = rng.uniform(0.5, 10, phase.shape).astype(np.float32)
    found = invert(phase, weight, reference, secondary, time=time)
    assert relative_rms(found.series, dense_series(phase, weight, reference, secondary, time)) < 1e-6
    label = dense.components(reference, secondary, time.size)
    np.testing.assert_array_equal(found.subset, np.repeat(label[:, None], 12, axis=1))
    assert (found.redundancy == reference.size - (label > 0).sum() + label.max()).all()
    for k in range(12):
        covariance = dense.network_covariance(weight[:, k].astype(float), reference, secondary, time.size)
        scatter = np.nan_to_num(found.date_sigma[k]) ** 2
        expected = np.sqrt(np.diag(covariance) * found.variance_factor[k] + scatter)
        np.testing.assert_allclose(found.sigma[label > 0, k], expected[label > 0], rtol=1e-5, atol=1e-6)


def test_gaps_of_single_pixels_equal_dense_references():
    """Pixels that lose dates, whole winters or all but one pair, beside pixels that lose nothing."""
    rng = np.random.default_rng(2)
    reference, secondary = network(20, 3)
    time = np.arange(20) * REVISIT
    phase, weight = observations(rng, reference, secondary, 30)
    phase[(reference == 7) | (secondary == 7), 3] = np.nan
    phase[(reference < 10) & (secondary >= 10), 4] = np.nan
    weight[reference < 5, 5] = 0
    phase[1:, 6] = np.nan
    weight[:, 7] = 0
    phase[rng.random(phase.shape) < 0.02] = np.nan
    found = invert(phase, weight, reference, secondary, time=time)
    seen = np.arange(30) != 7
    expected = dense_series(phase[:, seen], weight[:, seen], reference, secondary, time)
    assert relative_rms(found.series[:, seen], expected) < 1e-5
    assert np.isnan(found.series[:, 7]).all()
    assert np.isnan(found.velocity[7])
    assert found.redundancy[7] == 0
    assert found.subset[:, 4].max() == 2
    assert np.isclose(found.time_coverage[4], 18 / 19)
    assert found.time_coverage[0] == 1


def test_long_pairs_beside_short_ones():
    rng = np.random.default_rng(3)
    reference, secondary = network(40, 3)
    reference = np.concatenate([reference, np.arange(10)])
    secondary = np.concatenate([secondary, np.arange(30, 40)])
    time = np.arange(40) * REVISIT
    phase, weight = observations(rng, reference, secondary, 10)
    found = invert(phase, weight, reference, secondary, time=time)
    assert relative_rms(found.series, dense_series(phase, weight, reference, secondary, time)) < 1e-6


def trend_design(time, label, seasonal):
    columns = [time - time.mean(), *(label == name for name in range(1, label.max() + 1))]
    columns += [np.sin(2 * np.pi * time), np.cos(2 * np.pi * time)] if seasonal else []
    return np.stack(columns, axis=1).astype(float)


def walk_covariance(weight, reference, secondary, label):
    """Covariance of a walk whose step k has variance one over the sum of weight times span of the pairs across it."""
    walk = np.zeros((label.size, label.size))
    for name in range(1, label.max() + 1):
        own = np.flatnonzero(label == name)
        place = np.full(label.size, -1)
        place[own] = np.arange(own.size)
        inside = label[reference] == name
        across = dense.increments_matrix(place[reference[inside]], place[secondary[inside]], own.size)
        information = across.T @ (weight[inside] * across.sum(axis=1))
        walk[np.ix_(own[1:], own[1:])] = np.minimum.outer(np.cumsum(1 / information), np.cumsum(1 / information))
    return walk


def dense_posterior(series, walk, design, bend):
    """Mean and standard deviation of the rate over a fine grid of growth and white variance, and the mean of both."""
    growth, white = 2 ** np.linspace(0, 6, 31), 2 ** np.linspace(-9, 4, 40)
    chance, rate, variance = (np.empty((growth.size, white.size)) for _ in range(3))
    whole = np.column_stack([design, bend])
    for i, g in enumerate(growth):
        for k, s in enumerate(white):
            covariance = g * walk + s * np.eye(series.size)
            bent = dense.fit_trend(series, covariance, whole)
            fit = dense.fit_trend(series, covariance, design)
            determinants = np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(bent.covariance)[1]
            chance[i, k] = -0.5 * (determinants + bent.misfit)
            rate[i, k], variance[i, k] = fit.coefficients[0], fit.covariance[0, 0]
    chance = np.exp(chance - chance.max())
    chance[0] *= 1 + 0.25 * (growth.size - 1)
    chance /= chance.sum()
    mean = np.sum(chance * rate)
    spread = np.sum(chance * (variance + (rate - mean) ** 2))
    return mean, np.sqrt(spread), np.sum(chance * growth[:, None]), np.sqrt(np.sum(chance * white))


@pytest.mark.parametrize("seasonal", [False, True])
@pytest.mark.parametrize("wander", [0.0, 0.15])
def test_velocity_equals_dense_posterior_mean(seasonal, wander):
    """The few ratios at which the kernel looks stand for a fine grid of both variances, in whole and broken pixels."""
    rng = np.random.default_rng(4)
    reference, secondary = network(40, 3)
    time = 2018.3 + np.arange(40) * REVISIT
    _, weight = observations(rng, reference, secondary, 6)
    truth = wander * np.cumsum(rng.normal(size=(40, 6)), axis=0) + 0.3 * rng.normal(size=(40, 6))
    phase = (truth[secondary] - truth[reference] + 0.3 * rng.normal(size=weight.shape) / np.sqrt(weight)).astype("f4")
    split = ~((reference < 15) & (secondary >= 15))
    for keep in (np.ones(split.size, bool), split):
        pairs = (reference[keep], secondary[keep])
        found = invert(phase[keep], weight[keep], *pairs, time=time, seasonal=seasonal)
        label = dense.components(*pairs, 40)
        design = trend_design(time, label, seasonal)
        for k in range(6):
            walk = found.variance_factor[k] * walk_covariance(weight[keep, k].astype(float), *pairs, label)
            rate, sigma, growth, white = dense_posterior(
                found.series[:, k].astype(float), walk, design, (time - time.mean()) ** 2
            )
            assert abs(found.velocity[k] - rate) < 0.15 * sigma
            assert np.isclose(found.velocity_sigma[k], sigma, rtol=0.15)
            assert np.isclose(found.drift_factor[k], growth, rtol=0.3)
            assert np.isclose(found.date_sigma[k], white, rtol=0.15, atol=0.03)


def test_minimum_norm_velocity_uses_what_bridges_the_gap():
    """A long gap in steady motion: own intercepts know the rate from the halves, one intercept from the whole span."""
    rng = np.random.default_rng(5)
    reference, secondary = network(40, 3)
    time = np.where(np.arange(40) < 20, np.arange(40), np.arange(40) + 20) * REVISIT
    keep = ~((reference < 20) & (secondary >= 20))
    reference, secondary = reference[keep], secondary[keep]
    truth = rng.normal(0, 0.3, (40, 50)) + np.array([[2.0]]) * (np.arange(40) < 20)[:, None] * time[:, None]
    phase = (truth[secondary] - truth[reference]).astype(np.float32)
    phase += rng.normal(0, 0.1, phase.shape).astype(np.float32)
    weight = np.full(phase.shape, 100, np.float32)
    own = invert(phase, weight, reference, secondary, time=time)
    tied = invert(phase, weight, reference, secondary, time=time, minimum_norm=True)
    np.testing.assert_array_equal(own.series, tied.series)
    assert (tied.velocity_sigma < own.velocity_sigma).all()
    slope = np.polyfit(time, own.series.astype(float), 1)[0]
    assert np.sqrt(np.mean((tied.velocity - slope) ** 2)) < 0.3 * np.sqrt(np.mean((own.velocity - slope) ** 2))


@pytest.mark.parametrize("scatter", [0.0, 0.5, 1.0])
def test_velocity_intervals_cover_what_they_promise(scatter):
    """3,000 arcs with per-date atmosphere and independent pair noise by decaying coherence, its scale not told.

    The part of the network's noise that is white, a variance of 0.06 rad^2 here, counts as the dates'.
    """
    rng = np.random.default_rng(6)
    reference, secondary = network(60, 3)
    time = np.arange(60) * REVISIT
    coherence = 0.2 + 0.6 * np.exp(-(time[secondary] - time[reference]) * 365.25 / 24)
    variance = (1 - coherence**2) / (20 * coherence**2)
    truth = 3.0 * time[:, None] + scatter * rng.normal(size=(60, 3000))
    noise = rng.normal(size=(reference.size, 3000)) * np.sqrt(2.5 * variance)[:, None]
    phase = (truth[secondary] - truth[reference] + noise).astype(np.float32)
    weight = np.repeat(1 / variance[:, None], 3000, axis=1).astype(np.float32)
    found = invert(phase, weight, reference, secondary, time=time, independent_pairs=True)
    standard = np.abs(found.velocity - 3.0) / found.velocity_sigma
    assert abs(np.mean(standard < 1) - 0.683) < 0.05
    assert abs(np.mean(standard < 1.96) - 0.95) < 0.02
    wary = invert(phase, weight, reference, secondary, time=time)
    assert np.mean(np.abs(wary.velocity - 3.0) < 1.96 * wary.velocity_sigma) > 0.96
    assert abs(np.median(found.variance_factor) - 2.5) < 0.05
    assert abs(np.mean(found.date_sigma**2) - scatter**2 - 0.07) < 0.07
    network_part = np.sqrt(found.sigma**2 - found.date_sigma**2)[1:]
    error = (found.series - (truth - truth[0]))[1:] / network_part
    assert 0.95 < error.std() < 1.05


@pytest.mark.parametrize("decay", [12, 24])
@pytest.mark.parametrize("scatter", [0.5, 1.0])
def test_velocity_intervals_know_that_speckle_is_shared(decay, scatter):
    """Residuals of pairs see a half or less of what shared speckle adds up to; intervals cover what they promise."""
    phase, weight, reference, secondary, time = speckle_pairs(np.random.default_rng(13), 60, 1000, decay, scatter)
    found = invert(phase, weight, reference, secondary, time=time)
    standard = np.abs(found.velocity - 3.0) / found.velocity_sigma
    assert abs(np.mean(standard < 1) - 0.683) < 0.06
    assert abs(np.mean(standard < 1.96) - 0.95) < 0.025
    assert np.median(found.drift_factor) > 2


def test_steady_acceleration_is_not_noise():
    """Slides that bend have the sigma of slides that do not."""
    phase, weight, reference, secondary, time = speckle_pairs(np.random.default_rng(14), 60, 200, 24, 0.2)
    bend = 8 * (time - time.mean()) ** 2
    bent = phase + (bend[secondary] - bend[reference])[:, None].astype(np.float32)
    steady, found = (invert(each, weight, reference, secondary, time=time) for each in (phase, bent))
    np.testing.assert_allclose(found.velocity_sigma / steady.velocity_sigma, 1, atol=0.2)
    assert abs(np.mean(found.velocity) - 3.0) < 3 * np.std(found.velocity) / np.sqrt(200)


def test_temporal_coherence_of_noise_depends_on_redundancy():
    rng = np.random.default_rng(8)
    reference, secondary = network(145, 3)
    phase = rng.uniform(-np.pi, np.pi, (reference.size, 400)).astype(np.float32)
    weight = np.ones(phase.shape, np.float32)
    time = np.arange(145) * REVISIT
    found = invert(phase, weight, reference, secondary, time=time)
    assert abs(found.temporal_coherence.mean() - 0.28) < 0.02
    chain = secondary - reference == 1
    bare = invert(phase[chain], weight[chain], reference[chain], secondary[chain], time=time)
    assert np.isnan(bare.temporal_coherence).all()
    assert (bare.redundancy == 0).all()
    assert (bare.variance_factor == 1).all()
    assert bare.residual_rms.max() < 1e-4


def test_temporal_coherence_equals_its_definition():
    rng = np.random.default_rng(9)
    reference, secondary = network(12, 3)
    phase, weight = observations(rng, reference, secondary, 20, noise=3)
    phase[4, 3] = np.nan
    found = invert(phase, weight, reference, secondary, time=np.arange(12) * REVISIT)
    residual = phase - (found.series[secondary] - found.series[reference])
    np.testing.assert_allclose(found.temporal_coherence, np.abs(np.nanmean(np.exp(1j * residual), axis=0)), atol=1e-5)
    np.testing.assert_allclose(found.residual_rms, np.sqrt(np.nanmean(residual**2, axis=0)), rtol=1e-5)


def test_any_grouping_of_pixels_and_order_of_pairs_gives_the_same_bits():
    rng = np.random.default_rng(10)
    reference, secondary = network(30, 3)
    time = np.arange(30) * REVISIT
    phase, weight = observations(rng, reference, secondary, 700)
    phase[rng.random(phase.shape) < 0.03] = np.nan
    phase[np.ix_((reference < 15) & (secondary >= 15), rng.random(700) < 0.2)] = np.nan
    options = {"time": time, "minimum_norm": True, "seasonal": True}
    whole = invert(phase, weight, reference, secondary, **options)
    order = rng.permutation(reference.size)
    assert_identical(whole, invert(phase[order], weight[order], reference[order], secondary[order], **options))
    for size in (1, 7, 64, 129, 512):
        start = int(rng.integers(0, 100))
        part = slice(start, start + size)
        piece = invert(phase[:, part], weight[:, part], reference, secondary, **options)
        assert_identical(Inversion(*(whole_part[..., part] for whole_part in whole)), piece)


def test_uint8_weights_equal_the_same_numbers_as_float32():
    rng = np.random.default_rng(11)
    reference, secondary = network(12, 2)
    phase, _ = observations(rng, reference, secondary, 20)
    weight = rng.integers(0, 255, phase.shape).astype(np.uint8)
    time = np.arange(12) * REVISIT
    small = invert(phase, weight, reference, secondary, time=time)
    assert_identical(small, invert(phase, weight.astype(np.float32), reference, secondary, time=time))


def test_unused_dates_are_empty_and_change_nothing_else():
    rng = np.random.default_rng(12)
    reference, secondary = network(10, 2)
    phase, weight = observations(rng, reference, secondary, 6)
    time = np.arange(10) * REVISIT
    plain = invert(phase, weight, reference, secondary, time=time)
    more = np.concatenate([[-REVISIT], time, [20 * REVISIT]])
    padded = invert(phase, weight, reference + 1, secondary + 1, time=more)
    np.testing.assert_array_equal(padded.series[1:-1], plain.series)
    assert np.isnan(padded.series[[0, -1]]).all()
    assert (padded.subset[[0, -1]] == 0).all()
    np.testing.assert_allclose(padded.velocity, plain.velocity, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-12, 12))
def test_scaling_all_weights_changes_only_the_variance_factor(seed, power):
    rng = np.random.default_rng(seed)
    reference, secondary = network(9, 3)
    phase, weight = observations(rng, reference, secondary, 5)
    phase[rng.random(phase.shape) < 0.1] = np.nan
    time = np.arange(9) * REVISIT
    one = invert(phase, weight, reference, secondary, time=time)
    other = invert(phase, weight * np.float32(2.0**power), reference, secondary, time=time)
    np.testing.assert_array_equal(one.series, other.series)
    free = one.redundancy > 0
    np.testing.assert_allclose(other.variance_factor[free], one.variance_factor[free] * 2.0**power, rtol=1e-5)
    np.testing.assert_allclose(other.sigma[:, free], one.sigma[:, free], rtol=1e-3, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_constants_of_dates_pass_into_the_series_alone(seed):
    rng = np.random.default_rng(seed)
    reference, secondary = network(9, 3)
    phase, weight = observations(rng, reference, secondary, 5)
    constant = rng.normal(0, 3, 9)
    shifted = (phase + (constant[secondary] - constant[reference])[:, None]).astype(np.float32)
    time = np.arange(9) * REVISIT
    one = invert(phase, weight, reference, secondary, time=time)
    other = invert(shifted, weight, reference, secondary, time=time)
    np.testing.assert_allclose(other.series - one.series, np.tile((constant - constant[0])[:, None], 5), atol=2e-4)
    np.testing.assert_allclose(other.residual_rms, one.residual_rms, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_reversed_sign_reverses_the_series_bit_for_bit(seed):
    rng = np.random.default_rng(seed)
    reference, secondary = network(8, 2)
    phase, weight = observations(rng, reference, secondary, 5)
    time = np.arange(8) * REVISIT
    one, other = (invert(sign * phase, weight, reference, secondary, time=time) for sign in (1, -1))
    np.testing.assert_array_equal(one.series, -other.series)
    np.testing.assert_array_equal(one.velocity_sigma, other.velocity_sigma)


def test_perfectly_steady_motion():
    reference, secondary = network(20, 3)
    time = np.cumsum(np.full(20, REVISIT))
    phase = np.repeat(((time[secondary] - time[reference]) * 7)[:, None], 3, axis=1).astype(np.float32)
    found = invert(phase, np.ones(phase.shape, np.float32), reference, secondary, time=time)
    np.testing.assert_allclose(found.velocity, 7, rtol=1e-5)
    np.testing.assert_allclose(found.temporal_coherence, 1, atol=1e-6)
    assert (found.velocity_sigma > 0).all()
    assert (found.velocity_sigma < 1e-3).all()


def test_two_dates_give_a_velocity_without_a_sigma():
    found = invert(np.full((1, 2), 2.0, np.float32), np.ones((1, 2), np.uint8), [0], [1], time=[2020.0, 2020.5])
    np.testing.assert_allclose(found.velocity, 4)
    assert np.isnan(found.velocity_sigma).all()
    np.testing.assert_allclose(found.sigma[1], 1)


GOOD = {
    "phase": np.zeros((3, 2), np.float32),
    "weight": np.ones((3, 2), np.float32),
    "reference": [0, 0, 1],
    "secondary": [1, 2, 2],
    "time": [0.0, 0.1, 0.2],
}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"phase": np.zeros((3, 2))}, TypeError, "phase: found dtype float64"),
        ({"weight": np.ones((3, 2))}, TypeError, "weight: found dtype float64"),
        ({"weight": np.ones((2, 2), np.float32)}, ValueError, "one shape"),
        ({"weight": np.full((3, 2), -1, np.float32)}, ValueError, "negative"),
        ({"weight": np.full((3, 2), np.inf, np.float32)}, ValueError, "infinite"),
        ({"phase": np.full((3, 2), np.inf, np.float32)}, ValueError, "infinite"),
        ({"offset": [0.0, 0.0]}, ValueError, "offset: found shape \\(2,\\)"),
        ({"offset": [0.0, 0.0, np.inf]}, ValueError, "finite rad"),
        ({"weight_table": np.ones(256)}, TypeError, "weight_table: found weight of dtype float32"),
        ({"weight": np.ones((3, 2), np.uint8), "weight_table": np.ones(9)}, ValueError, "expected \\(256,\\)"),
        ({"weight": np.ones((3, 2), np.uint8), "weight_table": -np.ones(256)}, ValueError, ">= 0"),
        ({"reference": [0.0, 0.0, 1.0]}, TypeError, "reference: found dtype"),
        ({"reference": [0, 0]}, ValueError, "expected \\(3,\\)"),
        ({"secondary": [1, 0, 2]}, ValueError, "swap reversed"),
        ({"secondary": [1, 3, 2]}, ValueError, "secondary < 3"),
        ({"reference": [-1, 0, 1]}, ValueError, "0 <= reference"),
        ({"reference": [0, 1, 1]}, ValueError, "pair \\(1, 2\\): found more than once"),
        ({"time": [0.0, 0.2, 0.1]}, ValueError, "strictly increasing"),
        ({"time": [0.0, np.nan, 0.1]}, ValueError, "finite years"),
        (
            {"phase": np.zeros((0, 2), np.float32), "weight": np.ones((0, 2), np.float32)}
            | {"reference": np.zeros(0, int), "secondary": np.zeros(0, int)},
            ValueError,
            "no pairs",
        ),
    ],
)
def test_refuses_by_name(change, error, words):
    with pytest.raises(error, match=words):
        invert(**(GOOD | change))
