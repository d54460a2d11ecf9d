"""Models of motion: exact on what they describe, sigmas that cover, gaps and steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.bootstrap import bootstrap_sigma
from slidecloud.kernels.trajectory import fit, likeliest_step, season

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
    assert found.terms == ("offset", "rate", "sine", "cosine", "step_1", "acceleration")
    truth = [0.1, rate, sine, -0.01, step, acceleration]
    np.testing.assert_allclose(found.value, np.repeat(np.array(truth)[:, None], 6, axis=1), atol=2e-6)
    np.testing.assert_allclose(found.fitted, series, atol=2e-6)
    assert found.freedom.tolist() == (np.isfinite(gaps).sum(0) - 6).tolist()


def test_sigmas_cover_what_they_promise():
    """2,000 series of dates of unequal sigma, told only up to a factor of three."""
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.002, 0.02, (TIME.size, 1))
    series = motion()[:, None] + sigma * rng.normal(size=(TIME.size, 2000))
    found = fit(series, 3 * sigma[:, 0], TIME, seasonal=True, breaks=[2020.5], acceleration=True)
    truth = np.array([0.1, 0.03, 0.004, -0.006, 0.02, 0.01])[:, None]
    standard = (found.value - truth) / found.sigma
    np.testing.assert_allclose(np.mean(np.abs(standard) < 1, axis=1), 0.683, atol=0.04)
    np.testing.assert_allclose(np.mean(np.abs(standard) < 2, axis=1), 0.95, atol=0.02)
    assert abs(np.median(found.scale) - 1 / 3) < 0.01
    believed = fit(series, sigma[:, 0], TIME, seasonal=True, breaks=[2020.5], acceleration=True, absolute=True)
    np.testing.assert_allclose(np.median(found.sigma / believed.sigma, axis=1), 1, atol=0.02)


def test_a_covariance_of_dates_is_used_and_gaps_are_left_out():
    """Against dense generalised least squares, pixel by pixel; and its sigmas cover, where those of white noise do
    not."""
    rng = np.random.default_rng(1)
    shared = 0.01**2 * np.exp(-np.abs(TIME[:, None] - TIME[None]) / 0.3)
    sigma = np.full(TIME.size, 0.003)
    whole = shared + np.diag(sigma**2)
    series = 0.02 * MIDDLE[:, None] + np.linalg.cholesky(whole) @ rng.normal(size=(TIME.size, 600))
    series[np.ix_(range(10, 30), range(0, 600, 3))] = np.nan
    series[40, ::2] = np.nan
    found = fit(series, sigma, TIME, covariance=shared, absolute=True)
    for pixel in (0, 1, 2, 3):
        known = np.isfinite(series[:, pixel])
        design = np.stack([np.ones(TIME.size), MIDDLE], 1)[known]
        inverse = np.linalg.inv(whole[np.ix_(known, known)])
        normal = np.linalg.inv(design.T @ inverse @ design)
        np.testing.assert_allclose(found.value[:, pixel], normal @ design.T @ inverse @ series[known, pixel], rtol=1e-5)
        np.testing.assert_allclose(found.sigma[:, pixel], np.sqrt(np.diag(normal)), rtol=1e-5)
    covered = np.mean(np.abs(found.of("rate") - 0.02) < found.sigma[1])
    assert abs(covered - 0.683) < 0.06
    white = fit(series, sigma, TIME)
    assert np.mean(np.abs(white.of("rate") - 0.02) < white.sigma[1]) < 0.45


def test_what_dates_do_not_determine_is_not_given():
    series = np.repeat(motion()[:, None], 4, axis=1)
    series[5:, 0] = np.nan
    series[:, 1] = np.nan
    series[TIME >= 2020.5, 2] = np.nan
    found = fit(series, np.full(TIME.size, 0.01), TIME, seasonal=True, breaks=[2020.5], acceleration=True)
    assert np.isnan(found.value[:, :3]).all()
    assert np.isnan(found.sigma[:, :3]).all()
    assert np.isfinite(found.value[:, 3]).all()
    assert found.freedom.tolist() == [-1, -6, np.count_nonzero(TIME < 2020.5) - 6, TIME.size - 6]


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


def test_steps_are_found_where_they_are_and_not_where_they_are_not():
    rng = np.random.default_rng(3)
    noise = 0.004 * rng.normal(size=(TIME.size, 1000))
    noise[rng.random(noise.shape) < 0.1] = np.nan
    sigma = np.full(TIME.size, 0.004)
    still = likeliest_step(0.03 * MIDDLE[:, None] + noise, sigma, TIME, seasonal=True)
    assert np.mean(still.chance < 0.05) < 0.05
    known = np.isfinite(noise[40])
    jumped = likeliest_step(
        0.03 * MIDDLE[:, None] + noise + 0.015 * (np.arange(TIME.size) >= 40)[:, None], sigma, TIME, seasonal=True
    )
    assert np.mean(jumped.chance < 0.01) > 0.98
    assert np.mean(np.abs(jumped.date[known] - 40) <= 1) > 0.95
    assert abs(np.mean(jumped.size) - 0.015) < 0.0005
    short = likeliest_step(np.where(np.arange(TIME.size)[:, None] < 5, noise, np.nan), sigma, TIME, seasonal=True)
    assert (short.date == -1).all()
    assert np.isnan(short.chance).all()


def test_the_step_found_is_that_of_fitting_every_date():
    rng = np.random.default_rng(4)
    series = motion(step=0.01)[:, None] + 0.004 * rng.normal(size=(TIME.size, 5))
    sigma = rng.uniform(0.002, 0.006, series.shape)
    found = likeliest_step(series, sigma, TIME, acceleration=True)
    tried = [fit(series, sigma, TIME, acceleration=True, breaks=[TIME[k]]) for k in range(3, TIME.size - 3)]
    misfit = np.stack([(((series - each.fitted) / sigma) ** 2).sum(0) for each in tried])
    best = misfit.argmin(0)
    assert (best + 3).tolist() == found.date.tolist()
    step = [tried[b].value[2, pixel] for pixel, b in enumerate(best)]
    np.testing.assert_allclose(found.size, step, rtol=1e-4)
    np.testing.assert_allclose(found.sigma, [tried[b].sigma[2, pixel] for pixel, b in enumerate(best)], rtol=1e-4)


def test_the_bootstrap_agrees_with_white_noise_and_sees_what_lasts():
    """Noise that lasts for three dates makes the rate's sigma as large as it is; white sigmas miss a third of it."""
    rng = np.random.default_rng(5)
    white = 0.005 * rng.normal(size=(TIME.size, 300))
    sigma = np.full(TIME.size, 0.005)
    formal = fit(white, sigma, TIME).sigma[1]
    drawn = bootstrap_sigma(white, sigma, TIME, block=1, draws=150)[1]
    assert abs(np.median(drawn) / np.median(formal) - 1) < 0.1
    lasting = np.empty_like(white)
    lasting[0] = white[0]
    for k in range(1, TIME.size):
        lasting[k] = 0.6 * lasting[k - 1] + 0.8 * white[k]
    found = fit(lasting, sigma, TIME)
    true = np.std(found.of("rate"))
    blocks = np.median(bootstrap_sigma(lasting, sigma, TIME, block=8, draws=150)[1])
    assert np.median(found.sigma[1]) < 0.65 * true
    assert 0.75 * true < blocks < 1.15 * true


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": TIME[::-1]}, "increasing"),
        ({"time": TIME[:-1]}, "shapes"),
        ({"sigma": np.ones(3)}, "shapes"),
        ({"breaks": [2018.0]}, "breaks"),
        ({"covariance": np.eye(4)}, "covariance"),
        ({"covariance": np.triu(np.ones((90, 90)))}, "not symmetric"),
    ],
)
def test_bad_input_is_refused(options, message):
    arguments = {"sigma": np.ones(TIME.size), "time": TIME} | options
    with pytest.raises(ValueError, match=message):
        fit(np.zeros((TIME.size, 2)), **arguments)


def test_bad_draws_are_refused():
    with pytest.raises(ValueError, match="block"):
        bootstrap_sigma(np.zeros((TIME.size, 2)), np.ones(TIME.size), TIME, block=0)
