"""Models of motion: exact on what they describe, sigmas that cover, gaps and steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_speckle import speckle_pairs

from slidecloud.kernels.bootstrap import bootstrap_sigma
from slidecloud.kernels.sbas import invert
from slidecloud.kernels.trajectory import fit, season
from slidecloud.kernels.trajectory_noise import noise_of

TIME = 2019.0 + np.arange(90) * 12 / 365.25
MIDDLE = TIME - (TIME[0] + TIME[-1]) / 2


def motion(rate=0.03, sine=0.004, cosine=-0.006, step=0.02, at=2020.5, acceleration=0.01):
    annual = sine * np.sin(2 * np.pi * TIME) + cosine * np.cos(2 * np.pi * TIME)
    return 0.1 + rate * MIDDLE + annual + step * (at <= TIME) + acceleration * MIDDLE**2 / 2


@settings(max_examples=20, deadline=None)
@given(
    rate=st.floats(-0.2, 0.2),
    sine=st.floats(-0.02, 0.02),
    step=st.floats(-0.1, 0.1),
    acceleration=st.floats(-0.1, 0.1),
    seed=st.integers(0, 1000),
)
def test_what_the_model_describes_comes_back_whatever_is_missing(rate, sine, step, acceleration, seed):
    rng = np.random.default_rng(seed)
    series = np.repeat(motion(rate, sine, -0.01, step, 2020.5, acceleration)[:, None], 6, axis=1)
    gaps = series.copy()
    gaps[rng.random(gaps.shape) < 0.4] = np.nan
    sigma = rng.uniform(0.001, 0.01, gaps.shape)
    found = fit(gaps, sigma, TIME, seasonal=True, breaks=[2020.5], acceleration=True)
    assert found.terms == ("rate", "sine", "cosine", "step_1", "acceleration")
    truth = [rate, sine, -0.01, step, acceleration]
    np.testing.assert_allclose(found.value, np.repeat(np.array(truth)[:, None], 6, axis=1), atol=2e-6)
    np.testing.assert_allclose(found.offset, 0.1, atol=2e-6)
    np.testing.assert_allclose(found.fitted, series, atol=2e-6)
    assert found.freedom.tolist() == (np.isfinite(gaps).sum(0) - 6).tolist()


def test_sigmas_cover_what_they_promise():
    """2,000 series of dates of unequal sigma, told only up to a factor of three."""
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.002, 0.02, (TIME.size, 1))
    series = motion()[:, None] + sigma * rng.normal(size=(TIME.size, 2000))
    found = fit(series, 3 * sigma[:, 0], TIME, seasonal=True, breaks=[2020.5], acceleration=True)
    truth = np.array([0.03, 0.004, -0.006, 0.02, 0.01])[:, None]
    standard = (found.value - truth) / found.sigma
    np.testing.assert_allclose(np.mean(np.abs(standard) < 1, axis=1), 0.683, atol=0.04)
    np.testing.assert_allclose(np.mean(np.abs(standard) < 2, axis=1), 0.95, atol=0.02)
    assert abs(np.median(found.scale) - 1 / 3) < 0.01
    believed = fit(series, sigma[:, 0], TIME, seasonal=True, breaks=[2020.5], acceleration=True, absolute=True)
    np.testing.assert_allclose(np.median(found.sigma / believed.sigma, axis=1), 1, atol=0.02)


def walking(rng, pixels, *, date=0.003, walk=1e-4):
    """Noise (date, pixel) of dates, and a random walk that gains ``walk`` m^2 a year."""
    steps = np.sqrt(walk * np.diff(TIME))[:, None] * rng.normal(size=(TIME.size - 1, pixels))
    return date * rng.normal(size=(TIME.size, pixels)) + np.concatenate([np.zeros((1, pixels)), np.cumsum(steps, 0)])


def test_a_walk_of_dates_and_constants_of_subsets_are_those_of_dense_least_squares():
    """Two subsets that interleave, and gaps, against one inverse covariance and one column of ones a subset."""
    rng = np.random.default_rng(1)
    date, walk = 0.003, 1e-4
    series = 0.02 * MIDDLE[:, None] + walking(rng, 4)
    subset = np.ones(series.shape, np.uint8)
    subset[1::2, 1:] = 2
    series[:, 1:] += 0.5 * (subset[:, 1:] == 2)
    series[10:30, 2] = np.nan
    subset[:7, 3] = 0
    found = fit(
        series, np.full(TIME.size, date), TIME, subset=subset, walk=np.full(4, walk), seasonal=True, absolute=True
    )
    whole = walk * np.minimum(*np.meshgrid(TIME - TIME[0], TIME - TIME[0])) + date**2 * np.eye(TIME.size)
    design = np.stack([MIDDLE, np.sin(2 * np.pi * TIME), np.cos(2 * np.pi * TIME)], 1)
    for pixel in range(4):
        known = np.isfinite(series[:, pixel]) & (subset[:, pixel] > 0)
        own = subset[known, pixel]
        columns = np.concatenate([design[known], own[:, None] == np.unique(own)], axis=1)
        # Walks of different subsets are independent.
        covariance = whole[np.ix_(known, known)] * (own[:, None] == own)
        inverse = np.linalg.inv(covariance)
        normal = np.linalg.inv(columns.T @ inverse @ columns)
        expected = normal @ columns.T @ inverse @ series[known, pixel]
        np.testing.assert_allclose(found.value[:, pixel], expected[:3], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found.sigma[:, pixel], np.sqrt(np.diag(normal))[:3], rtol=1e-5)
        assert found.freedom[pixel] == known.sum() - np.unique(own).size - 3


def test_a_constant_of_its_own_takes_what_a_subset_is_off_by():
    series = np.repeat(motion()[:, None], 2, axis=1)
    subset = np.repeat(np.where(TIME < 2020.2, 1, 2).astype(np.uint8)[:, None], 2, axis=1)
    away = series + 0.3 * (subset == 2)
    options = {"subset": subset, "seasonal": True, "breaks": [2020.5], "acceleration": True}
    found = fit(away, np.full(TIME.size, 0.01), TIME, **options)
    np.testing.assert_allclose(found.value[:, 0], [0.03, 0.004, -0.006, 0.02, 0.01], atol=2e-6)
    np.testing.assert_allclose(found.offset, 0.1, atol=2e-6)
    np.testing.assert_allclose(found.fitted, away, atol=2e-6)
    np.testing.assert_allclose(found.residual_rms, 0, atol=2e-6)


@pytest.mark.parametrize("walk", [0.0, 1e-5, 1e-4, 1e-3])
def test_noise_is_read_from_the_sigmas_of_an_inversion_and_makes_sigmas_that_cover(walk):
    """Sigmas of the line alone tell the walk; with it, those of all terms hold, where those of white noise do not."""
    rng = np.random.default_rng(2)
    noise = walking(rng, 2000, walk=walk)
    noise[rng.random(noise.shape) < 0.1] = np.nan
    series = motion()[:, None] + noise
    subset = np.isfinite(noise).astype(np.uint8)
    # The first valid date of a pixel has the date's own noise alone, as an inversion has it.
    begin = TIME[np.argmax(subset, 0)]
    sigma = np.sqrt(0.003**2 + walk * np.maximum(TIME[:, None] - begin, 0.0))
    line = fit(noise, np.full(TIME.size, 0.003), TIME, walk=np.full(2000, walk), absolute=True).sigma[0]
    told = noise_of(series, sigma, line, TIME, subset=subset)
    np.testing.assert_allclose(told.date, 0.003, rtol=1e-5)
    np.testing.assert_allclose(told.walk, walk, rtol=0.03, atol=1e-8)
    date = np.broadcast_to(told.date, noise.shape)
    options = {"subset": subset, "seasonal": True, "breaks": [2020.5], "acceleration": True}
    found = fit(series, date, TIME, walk=told.walk, **options)
    standard = (found.value - np.array([0.03, 0.004, -0.006, 0.02, 0.01])[:, None]) / found.sigma
    np.testing.assert_allclose(np.mean(np.abs(standard) < 1, axis=1), 0.683, atol=0.04)
    np.testing.assert_allclose(np.mean(np.abs(standard) < 1.96, axis=1), 0.95, atol=0.02)
    assert abs(np.median(found.scale) - 1) < 0.03
    if walk >= 1e-4:
        plain = fit(series, date, TIME, **options)
        assert np.mean(np.abs(plain.of("rate") - 0.03) < plain.sigma_of("rate")) < 0.55


@pytest.mark.parametrize(("decay", "scatter"), [(12, 0.2), (24, 1.0)])
def test_sigmas_cover_in_series_from_pairs_that_share_speckle(decay, scatter):
    """Rate, season, step and acceleration of 800 series from the inversion on; sigmas of white noise hold a half or
    less of what they promise. The bootstrap misses what adds up for longer than its blocks."""
    phase, weight, reference, secondary, time = speckle_pairs(np.random.default_rng(13), 60, 800, decay, scatter)
    found = invert(phase, weight, reference, secondary, time=time)
    noise = noise_of(found.series, found.sigma, found.velocity_sigma, time, subset=found.subset)
    dates = np.broadcast_to(noise.date, found.series.shape)
    options = {"subset": found.subset, "seasonal": True, "breaks": [time[30]], "acceleration": True}
    fitted = fit(found.series, dates, time, walk=noise.walk, **options)
    standard = np.abs(fitted.value - np.array([3.0, 0, 0, 0, 0])[:, None]) / fitted.sigma
    np.testing.assert_allclose(np.mean(standard < 1, axis=1), 0.683, atol=0.06)
    np.testing.assert_allclose(np.mean(standard < 1.96, axis=1), 0.95, atol=0.035)
    plain = fit(found.series, dates, time, **options)
    assert np.mean(np.abs(plain.of("rate") - 3.0) < plain.sigma_of("rate")) < 0.5
    drawn = bootstrap_sigma(found.series[:, :100], dates[:, :100], time, subset=found.subset[:, :100], draws=30)[0]
    assert np.median(drawn / found.velocity_sigma[:100]) < 0.3


def test_an_inversion_that_tells_nothing_has_no_noise():
    series = np.repeat(motion()[:, None], 3, axis=1)
    sigma = np.full(series.shape, 0.003)
    sigma[:, 0] = 0
    subset = np.ones(series.shape, np.uint8)
    subset[:, 1] = 0
    told = noise_of(series, sigma, np.array([0.001, 0.001, np.nan]), TIME, subset=subset)
    assert np.isnan(told.date).all()
    assert np.isnan(told.walk).all()


def test_what_dates_do_not_determine_is_not_given():
    series = np.repeat(motion()[:, None], 4, axis=1)
    series[5:, 0] = np.nan
    series[:, 1] = np.nan
    series[TIME >= 2020.5, 2] = np.nan
    found = fit(series, np.full(TIME.size, 0.01), TIME, seasonal=True, breaks=[2020.5], acceleration=True)
    assert np.isnan(found.value[:, :3]).all()
    assert np.isnan(found.sigma[:, :3]).all()
    assert np.isfinite(found.value[:, 3]).all()
    assert found.freedom.tolist() == [-1, -5, np.count_nonzero(TIME < 2020.5) - 6, TIME.size - 6]


def test_the_season_has_amplitude_and_peak():
    """Farthest towards the satellite on 15 March, whatever the rest of the motion."""
    peak = 73 / 365
    series = 0.05 * MIDDLE + 0.012 * np.cos(2 * np.pi * (TIME - peak))
    rng = np.random.default_rng(2)
    found = season(
        fit(series[:, None] + 0.003 * rng.normal(size=(TIME.size, 800)), np.ones(TIME.size), TIME, seasonal=True)
    )
    assert abs(np.mean(found.amplitude) - 0.012) < 1e-4
    assert abs(np.std(found.amplitude) / np.mean(found.sigma) - 1) < 0.1
    assert abs(np.mean(found.peak) - peak) < 0.002
    with pytest.raises(ValueError, match="expected a season"):
        season(fit(series[:, None], np.ones(TIME.size), TIME))


def test_the_bootstrap_agrees_with_white_noise_and_sees_what_lasts():
    """Noise that lasts for three dates makes the rate's sigma as large as it is; white sigmas miss a third of it."""
    rng = np.random.default_rng(5)
    white = 0.005 * rng.normal(size=(TIME.size, 300))
    sigma = np.full(TIME.size, 0.005)
    formal = fit(white, sigma, TIME).sigma[0]
    drawn = bootstrap_sigma(white, sigma, TIME, block=1, draws=150)[0]
    assert abs(np.median(drawn) / np.median(formal) - 1) < 0.1
    lasting = np.empty_like(white)
    lasting[0] = white[0]
    for k in range(1, TIME.size):
        lasting[k] = 0.6 * lasting[k - 1] + 0.8 * white[k]
    found = fit(lasting, sigma, TIME)
    true = np.std(found.of("rate"))
    blocks = np.median(bootstrap_sigma(lasting, sigma, TIME, block=8, draws=150)[0])
    assert np.median(found.sigma[0]) < 0.65 * true
    assert 0.75 * true < blocks < 1.15 * true


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": TIME[::-1]}, "increasing"),
        ({"time": TIME[:-1]}, "shapes"),
        ({"sigma": np.ones(3)}, "shapes"),
        ({"breaks": [2018.0]}, "breaks"),
        ({"subset": np.ones((90, 2))}, "subset"),
        ({"subset": np.ones((90, 3), np.uint8)}, "subset"),
        ({"walk": np.ones(3)}, "walk"),
    ],
)
def test_bad_input_is_refused(options, message):
    arguments = {"sigma": np.ones(TIME.size), "time": TIME} | options
    with pytest.raises(ValueError, match=message):
        fit(np.zeros((TIME.size, 2)), **arguments)


def test_bad_draws_are_refused():
    with pytest.raises(ValueError, match="block"):
        bootstrap_sigma(np.zeros((TIME.size, 2)), np.ones(TIME.size), TIME, block=0)
