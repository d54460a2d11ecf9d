"""Figures of merit on results whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from slidecloud import simulate
from slidecloud.plots.accuracy import Truth, accuracy, least_steady, true_gradients, true_series

HEADER = simulate.scene(0, shape=(60, 60), dates=2, slides=[]).header
TIME = np.datetime64("2022-01-01T00:00:00", "s") + np.arange(20) * np.timedelta64(12, "D")
WINDOW = (10, 10)


def _truth() -> Truth:
    """One round slide at 100 mm/yr away from the satellite, on still ground."""
    y, x = np.mgrid[:60, :60]
    shape = np.exp(-((y - 30) ** 2 + (x - 30) ** 2) / 50).astype(np.float32)
    velocity = np.float32(-0.1) * shape
    years = ((TIME - TIME[0]) / np.timedelta64(1, "D") / 365.25).astype(np.float32)
    return Truth(TIME, years[:, None, None] * velocity, velocity, (shape > 0.1).astype(np.int16))


def _results(truth: Truth, error: float, *, offset: float = 0.0, sigma: float = 0.01) -> tuple[xr.Dataset, xr.Dataset]:
    noise = np.random.default_rng(0).normal(size=truth.velocity.shape) * error
    dims = ("y", "x")
    stable = truth.slides == 0
    timeseries = xr.Dataset(
        {
            "velocity": (dims, truth.velocity + noise - offset),
            "velocity_sigma": (dims, np.full(truth.velocity.shape, sigma)),
            "stable": (dims, stable.astype(np.uint8)),
        }
    )
    known = true_gradients(truth, HEADER, WINDOW)
    gradients = xr.Dataset({f"velocity_gradient_{axis}": (dims, values) for axis, values in known.items()})
    return gradients, timeseries


def test_perfect_results_are_perfect() -> None:
    truth = _truth()
    found = accuracy(*_results(truth, 0.0), truth, header=HEADER, window=WINDOW)
    assert found.velocity_rmse < 1e-6
    assert found.velocity_within_sigma == 1.0
    assert found.gradient_correlation == pytest.approx(1.0)
    assert (found.visible, found.slides) == (1, 1)


def test_error_and_coverage_are_those_of_the_noise() -> None:
    truth = _truth()
    found = accuracy(*_results(truth, 0.01, sigma=0.01), truth, header=HEADER, window=WINDOW)
    assert found.velocity_rmse == pytest.approx(0.01, rel=0.05)
    assert found.velocity_within_sigma == pytest.approx(0.683, abs=0.03)
    assert "10." in found.lines()[0] or "9." in found.lines()[0]


def test_a_slide_below_the_noise_is_not_visible() -> None:
    truth = _truth()
    assert accuracy(*_results(truth, 0.2), truth, header=HEADER, window=WINDOW).visible == 0


def test_gradients_of_the_wrong_sign_correlate_negatively() -> None:
    truth = _truth()
    gradients, timeseries = _results(truth, 0.0)
    assert accuracy(-gradients, timeseries, truth, header=HEADER, window=WINDOW).gradient_correlation < -0.99


def test_gradient_along_y_counts_northward_on_a_map() -> None:
    velocity = np.arange(60, dtype=np.float32)[:, None] * np.ones((1, 60), np.float32)
    truth = Truth(TIME, np.zeros((20, 60, 60), np.float32), velocity, np.zeros((60, 60), np.int16))
    found = true_gradients(truth, HEADER, WINDOW)
    assert found["y"][30, 30] == pytest.approx(-1 / HEADER.spacing[0])
    assert found["x"][30, 30] == pytest.approx(0)


def test_series_is_relative_to_the_stable_area_and_the_first_date() -> None:
    truth = _truth()
    shifted = Truth(truth.time, truth.displacement + np.float32(0.3), truth.velocity, truth.slides)
    timeseries = _results(truth, 0.0)[1]
    found = true_series(shifted, timeseries, 30, 30)
    assert found[0] == 0
    assert found[-1] == pytest.approx(truth.displacement[-1, 30, 30], abs=2e-3)


def test_the_least_steady_pixel_is_found_among_those_with_results() -> None:
    truth = _truth()
    bent = truth.displacement.copy()
    bent[10, 12, 17] += 0.2
    bent[10, 5, 5] += 0.3
    timeseries = _results(truth, 0.0)[1]
    timeseries["velocity"][5, 5] = np.nan
    assert least_steady(Truth(truth.time, bent, truth.velocity, truth.slides), timeseries) == (12, 17)
