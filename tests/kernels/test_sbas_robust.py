"""Robust inversion: unwrapping errors, the objective, and sigmas that hold with and without outliers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels import _sbas_exact as exact
from slidecloud.kernels._sbas_blocks import solve_blocks
from slidecloud.kernels._sbas_check import observe, sort_network
from slidecloud.kernels._sbas_increments import diagonals
from slidecloud.kernels._sbas_stage import arrivals
from slidecloud.kernels.sbas import Inversion, invert, solve

REVISIT = 12 / 365.25


def scene(seed, pixels, outliers, dates=60, reach=3, scale=1.0):
    """Pairs of steadily moving arcs with per-date scatter; a share of pairs is a cycle off."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + reach + 1))])
    reference, secondary = pairs[:, 0].copy(), pairs[:, 1].copy()
    time = np.arange(dates) * REVISIT
    variance = 0.02 * (1 + (secondary - reference)) * np.ones((pixels, 1))
    truth = 3.0 * time[:, None] + 0.5 * rng.normal(size=(dates, pixels))
    phase = truth[secondary] - truth[reference] + rng.normal(size=variance.T.shape) * np.sqrt(scale * variance.T)
    wrong = rng.random(phase.shape) < outliers
    phase[wrong] += 2 * np.pi * rng.choice([-1, 1], wrong.sum())
    return phase.astype(np.float32), (1 / variance.T).astype(np.float32), reference, secondary, time, truth


def test_outliers_hardly_count():
    phase, weight, reference, secondary, time, truth = scene(0, 200, 0.03)
    plain = invert(phase, weight, reference, secondary, time=time)
    robust = invert(phase, weight, reference, secondary, time=time, robust=True)

    def error(found):
        step = np.diff(found.series - truth, axis=0)
        return np.sqrt(np.mean((step - np.median(step)) ** 2))

    clean = invert(*scene(0, 200, 0.0)[:4], time=time)
    assert error(robust) < 1.7 * error(clean)
    assert error(robust) < 0.4 * error(plain)


def test_one_outlier_leaves_the_rest_as_it_was():
    phase, weight, reference, secondary, time, truth = scene(1, 20, 0.0, reach=5)
    phase = (truth[secondary] - truth[reference]).astype(np.float32)
    phase[70] += np.float32(2 * np.pi)
    robust = invert(phase, weight, reference, secondary, time=time, robust=True)
    assert np.abs(robust.series - (truth - truth[0])).max() < 0.02


@pytest.mark.parametrize(("outliers", "scale"), [(0.0, 1.0), (0.03, 1.0), (0.03, 4.0)])
def test_sigmas_hold(outliers, scale):
    phase, weight, reference, secondary, time, truth = scene(2, 500, outliers, reach=4, scale=scale)
    found = invert(phase, weight, reference, secondary, time=time, robust=True, independent_pairs=True)
    standard = np.abs(found.velocity - 3.0) / found.velocity_sigma
    assert abs(np.mean(standard < 1) - 0.683) < 0.08
    assert abs(np.mean(standard < 1.96) - 0.95) < 0.04
    network = np.sqrt(found.sigma**2 - found.date_sigma**2)[1:]
    error = np.abs(found.series - truth + truth[0])[1:] / network
    assert abs(np.mean(error < 1) - 0.683) < 0.08


def robust_series(phase, weight, reference, secondary):
    """The float64 series (date, pixel) of a robust fit; its outer loop runs in Python and sees a changed MOST_STEPS."""
    pairs, lanes = phase.shape
    dates, half = int(secondary.max()) + 1, int((secondary - reference).max()) - 1
    band, inverse = np.empty((half + 1, dates - 1, lanes)), np.empty((dates, lanes))
    x, change, series = np.empty((dates - 1, lanes)), np.empty((dates - 1, lanes)), np.empty((dates, lanes))
    fixed = (
        reference,
        secondary,
        np.ones(dates - 1),
        band,
        inverse,
        x,
        change,
        series,
        np.empty((pairs, lanes)),
        lanes,
    )
    value, w = phase.astype(float), weight.astype(float)
    exact._minimum_norm(value, w, *fixed)
    exact._reweight.py_func(value, w, *fixed)
    return series


def quick_series(phase, weight, reference, secondary, steps):
    """The float32 series (date, pixel) after at most ``steps`` steps."""
    dates = int(secondary.max()) + 1
    observed = observe(phase, weight, None, None)
    pairs = arrivals(sort_network(reference, secondary, np.arange(dates), len(phase)))
    series, sound = np.empty((dates, phase.shape[1]), np.float32), np.empty(phase.shape[1], bool)
    wide = diagonals(int((secondary - reference).max()) - 1)
    solve_blocks(observed, 0, phase.shape[1], pairs, wide, steps, series, 0, sound, None)
    assert sound.all()
    return series


def robust_cost(phase, weight, reference, secondary, series):
    residual = phase - (series[secondary] - series[reference])
    return np.sqrt(weight.astype(float) * (residual**2 + exact.SMOOTHING**2)).sum(axis=0)


def test_objective_never_grows(monkeypatch):
    """The more steps, the lower the objective, in every pixel; and at the end no small change lowers it."""
    *pairs, _, _ = scene(3, 30, 0.05, dates=20)
    cost = []
    for most in (0, 1, 2, 4, 8, 200):
        monkeypatch.setattr(exact, "MOST_STEPS", most)
        series = robust_series(*pairs)
        cost.append(robust_cost(*pairs, series))
    assert (np.diff(cost, axis=0) <= 1e-12).all()
    assert (cost[-1] < cost[0] - 1e-3).all()
    rng = np.random.default_rng(0)
    for _ in range(20):
        moved = series + 0.05 * rng.normal(size=series.shape)
        assert (robust_cost(*pairs, moved) >= cost[-1]).all()


def test_vectors_of_pixels_reach_what_float64_reaches():
    """Both ways end where no date moves by 1e-3 rad, a few steps of that from each other at most, and as low."""
    phase, weight, reference, secondary, time, _ = scene(5, 64, 0.05, dates=30)
    exactly = robust_series(phase, weight, reference, secondary)
    quick = solve(phase, weight, reference, secondary, time=time, robust=True).astype(float)
    pairs = (phase, weight, reference, secondary)
    cost = robust_cost(*pairs, exactly)
    assert (robust_cost(*pairs, quick) < cost * (1 + 1e-5)).all()
    assert np.sqrt(np.mean((quick - exactly + exactly[0]) ** 2)) < 0.02


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), outliers=st.sampled_from([0.0, 0.05, 0.3]))
def test_objective_never_grows_from_step_to_step(seed, outliers):
    """The float32 way, stopped after more and more steps; a sum of float32 numbers is known to 1e-6 of itself."""
    *pairs, _, _ = scene(seed, 40, outliers, dates=12)
    cost = [robust_cost(*pairs, quick_series(*pairs, steps).astype(float)) for steps in (0, 1, 2, 4, 10, 100)]
    assert (np.diff(cost, axis=0) <= 1e-6 * cost[0]).all()
    assert (cost[-1] <= cost[0]).all()


def test_any_grouping_gives_the_same_bits():
    phase, weight, reference, secondary, time, _ = scene(4, 100, 0.05, dates=20)
    phase[:, ::7][(reference < 10) & (secondary >= 10)] = np.nan
    whole = invert(phase, weight, reference, secondary, time=time, robust=True)
    for part in (slice(0, 1), slice(3, 70), slice(30, 100)):
        piece = invert(phase[:, part], weight[:, part], reference, secondary, time=time, robust=True)
        for name in Inversion._fields:
            np.testing.assert_array_equal(getattr(whole, name)[..., part], getattr(piece, name), err_msg=name)
