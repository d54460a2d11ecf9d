"""Sentinel-1 over Mexico City, from its GeoTIFFs to velocity: what is known of the place must come out."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import runs
from scipy.ndimage import convolve1d

import slidecloud
from slidecloud.kernels.closure import closure, triplets
from slidecloud.pipeline.spacing import signed_spacing
from slidecloud.stack.source import WavelengthWarning

BURST = "mexico_city"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, real_data):
    """A finished run."""
    source, folder = real_data("mexico_city_s1"), tmp_path_factory.mktemp("mexico")
    with pytest.warns(WavelengthWarning, match="WAVELENGTH_METRES"):
        summary = runs.rerun(
            folder,
            f"sources: [{{path: '{source}', id: {BURST}}}]",
            "gradients: {window_pixels: 3, max_days: 36}",
            "resources: {executor: serial}",
        )
    assert summary.exit_code == 0
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return slidecloud.open_run(str(folder / "run.zarr"))


@pytest.fixture(scope="module")
def series(run):
    return run.timeseries(BURST).load()


@pytest.fixture(scope="module")
def stack(folder):
    return slidecloud.open_stack(str(folder / "stacks" / f"{BURST}.zarr")).load()


def test_mean_coherence_is_the_published_one(stack, real_data):
    with rasterio.open(real_data("mexico_city_s1") / "coherence_stats" / "coh_mean.tif") as file:
        published = file.read(1)
    known = np.isfinite(published) & (published != 0)
    mean = stack.coherence.mean("pair", skipna=True).values
    assert np.abs(mean - published)[known].max() <= 1e-3


def test_wavelength_comes_from_the_radar_frequency(run):
    assert run.header(BURST).wavelength == pytest.approx(299792458 / 5.4050005e9, rel=1e-9)


def test_the_reference_is_the_least_moving_twentieth(series):
    valid = int(np.isfinite(series.velocity.values).sum())
    assert int(series.stable.sum()) == pytest.approx(0.05 * valid, rel=0.02)
    inside = series.velocity.values[series.stable.values == 1]
    assert abs(np.median(inside)) < 2e-3
    assert np.ptp(inside) < 0.1 * np.ptp(series.velocity.values[np.isfinite(series.velocity.values)])


def test_what_sinks_ends_lower(series):
    sinking = series.velocity.values < -0.1
    assert sinking.sum() > 1000
    assert (series.displacement.values[-1] < series.displacement.values[0])[sinking].all()


def test_the_fastest_sink_steadily(series):
    years = ((series.time - series.time[0]) / np.timedelta64(1, "D")).values / 365.25
    velocity = np.where(np.isfinite(series.velocity.values), series.velocity.values, np.inf).ravel()
    for pixel in np.argsort(velocity)[:50]:
        path = series.displacement.values.reshape(len(years), -1)[:, pixel]
        assert np.corrcoef(years, path)[0, 1] ** 2 >= 0.95


def test_input_triplets_close_but_for_a_constant(stack):
    days = np.unique(np.concatenate([stack.reference_time, stack.secondary_time]).astype("datetime64[D]"))
    first, second = (
        np.searchsorted(days, times.values.astype("datetime64[D]"))
        for times in (stack.reference_time, stack.secondary_time)
    )
    loops = triplets(first, second)
    assert len(loops) > 10
    misfit = closure(stack.unwrapped.values, loops).reshape(len(loops), -1)
    misfit = misfit - np.nanmedian(misfit, axis=1, keepdims=True)
    known = np.isfinite(misfit)
    assert (np.abs(misfit[known]) > np.pi).mean() <= 1e-3


def test_residuals_after_levelling(series):
    rms = series.residual_rms.values
    assert np.sqrt(np.nanmean(rms**2)) <= 0.4


@pytest.mark.parametrize("axis", ["x", "y"])
def test_gradients_are_those_of_the_velocity(run, series, axis):
    """Stacked without unwrapping, against differences of the inverted velocity over the same blocks."""
    velocity = series.velocity.values.astype(float)
    along = 1 if axis == "x" else 0
    mean = convolve1d(velocity, np.ones(3) / 3, axis=1 - along)
    step_y, step_x = signed_spacing(run.header(BURST))
    expected = convolve1d(mean, [0.5, 0, -0.5], axis=along) / (step_x if axis == "x" else step_y)
    found = run.gradients(BURST)[f"velocity_gradient_{axis}"].values.astype(float)
    inner = np.zeros(velocity.shape, bool)
    inner[2:-2, 2:-2] = True
    known = inner & np.isfinite(found) & np.isfinite(expected)
    slope = (found[known] * expected[known]).sum() / (expected[known] ** 2).sum()
    assert 0.8 <= slope <= 1.1
