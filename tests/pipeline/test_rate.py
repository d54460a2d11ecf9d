"""A run with the estimator that tells motion from errors of the elevation model."""

from __future__ import annotations

import dataclasses

import images
import numpy as np
import pytest
import runs

import slidecloud
from slidecloud import simulate
from slidecloud.simulate.decorrelation import Coherence
from slidecloud.stack.arrays import ArraySource
from slidecloud.types import Pair

SHAPE = (96, 128)
SLIDE = simulate.Slide(row=48, column=64, length=1600, width=1200, rate=0.12)
WHOLE = "resources: {executor: serial, memory: 2 GiB}"
AWAY = (slice(10, -10), slice(10, -10))


@pytest.fixture(scope="module")
def region():
    """A slide on an even slope, and ridges that the elevation model rounds off by 15 m: the scene and what is seen."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    scene = simulate.scene(
        5, elevation=1500.0 + 12.0 * columns, dates=40, slides=[SLIDE], baseline=100.0, atmosphere=None,
        coherence=Coherence.uniform(0.7, time=60.0), id="sim_ridges",
    )  # fmt: skip
    away = (0.5 * columns + rows) % 28 - 14
    scene = dataclasses.replace(scene, dem_error=(15.0 * np.exp(-0.5 * (away / 5) ** 2)).astype(np.float32))
    return scene, simulate.interferograms(scene, unwrapped=False)


def source(region, *, pairs=slice(None), baselines=True, **header):
    """The region, or its first pairs, as a source whose header is changed."""
    scene, seen = region
    kept = [p if baselines else Pair(p.reference, p.secondary) for p in seen.pairs[pairs]]
    changed = dataclasses.replace(scene.header, has_unwrapped=False, **header)
    return ArraySource(changed, kept, seen.phase[pairs], seen.coherence[pairs], None, scene.static())


def config(estimator):
    """Lines of the configuration."""
    return f"gradients: {{window_pixels: 9, estimator: {estimator}}}", "stages: [gradients]"


@pytest.fixture(scope="module")
def results(tmp_path_factory, region):
    """The gradients by both estimators."""
    found = {}
    for estimator in ("coherent", "rate"):
        folder = tmp_path_factory.mktemp(estimator)
        summary = runs.compute(folder, source(region), *config(estimator), WHOLE, chunks=(64, *SHAPE))
        assert summary.exit_code == 0, summary.lines()
        found[estimator] = slidecloud.open_run(str(folder / "run.zarr")).gradients("sim_ridges").load()
    return found


def steepness(maps, prefix=""):
    return np.hypot(maps[f"{prefix}velocity_gradient_x"].values, maps[f"{prefix}velocity_gradient_y"].values)


def near(mask, reach=8):
    """Pixels within a square of ``reach`` of the mask's."""
    grown = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        grown[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = True
    return grown


def test_ridges_vanish_and_the_slide_stays(region, results):
    scene, found = region[0], results
    moving, still = scene.labels > 0, ~near(scene.labels > 0)
    inside = np.zeros(SHAPE, bool)
    inside[AWAY] = True
    coherent, rate = (steepness(found[name]) for name in ("coherent", "rate"))
    assert np.mean(np.isfinite(rate[inside])) > 0.98
    assert np.nanmean(rate[inside & still]) < 0.35 * np.nanmean(coherent[inside & still])
    true = np.gradient(scene.velocity)
    truth = np.hypot(*true) / 40.0
    edge = moving & (truth > 0.5 * truth.max())
    assert np.nanmean(rate[edge]) > 4 * np.nanmean(rate[inside & still])


def test_the_ridges_are_found_as_errors_of_the_elevation_model(region, results):
    scene, found = region[0], results
    for axis, name, sign in ((1, "x", 1.0), (0, "y", -1.0)):  # rows run southward, gradients are per metre northward
        truth = sign * np.gradient(scene.dem_error, axis=axis) / 40.0
        for season in (None, 0, 1):
            maps = found["rate"] if season is None else found["rate"].isel(season=season)
            prefix = "" if season is None else "season_"
            measured = maps[f"{prefix}dem_error_gradient_{name}"].values
            sigma = maps[f"{prefix}dem_error_gradient_{name}_sigma"].values
            known = np.isfinite(measured) & np.isfinite(sigma)
            known[: AWAY[0].start] = known[AWAY[0].stop :] = False
            assert np.corrcoef(measured[known], truth[known])[0, 1] > 0.9
            assert 0.6 < np.polyfit(truth[known], measured[known], 1)[0] < 1.0
            assert np.nanmedian(sigma) < 0.5 * np.std(truth)


def test_the_store_holds_the_sums_of_its_estimator(results):
    found = results
    assert "sum_x_rate" in found["rate"]
    assert "sum_x_real" not in found["rate"]
    assert "sum_x_real" in found["coherent"]
    assert "sum_x_rate" not in found["coherent"]
    assert "dem_error_gradient_x" not in found["coherent"]


def test_tiles_change_nothing(tmp_path, region, results):
    resources = "resources: {executor: serial, memory: 2 GiB, tile: [32, 64]}"
    runs.compute(tmp_path, source(region), *config("rate"), resources, chunks=(64, 32, 64))
    again = slidecloud.open_run(str(tmp_path / "run.zarr")).gradients("sim_ridges").load()
    for name, values in results["rate"].data_vars.items():
        assert values.values.tobytes() == again[name].values.tobytes(), name


def test_without_the_view_the_rates_are_there_and_the_errors_are_not(tmp_path, region):
    blind = source(region, pairs=slice(0, 40), slant_range=float("nan"))
    summary = runs.compute(tmp_path, blind, *config("rate"), WHOLE, chunks=(64, *SHAPE))
    assert summary.exit_code == 0, summary.lines()
    maps = slidecloud.open_run(str(tmp_path / "run.zarr")).gradients("sim_ridges")
    assert np.isfinite(maps.velocity_gradient_x.values).mean() > 0.7
    assert "dem_error_gradient_x" not in maps


def test_a_stack_without_baselines_is_refused_with_the_remedy(tmp_path, region):
    summary = runs.compute(tmp_path, source(region, pairs=slice(0, 10), baselines=False), *config("rate"))
    assert summary.exit_code != 0
    assert any("no perpendicular baseline for 10 of 10 pairs" in line for line in summary.lines())


@pytest.mark.parametrize("write", ["true", "false"])
def test_images_bring_their_own_baselines_and_view(tmp_path, write):
    """Single-look images over ground that rises by 0.2 m a cell above the elevation model."""
    orbit = np.array([0.0, 90.0, -120.0, 60.0, 150.0, -60.0, -150.0])
    incidence = np.full(images.SHAPE, np.deg2rad(39.0), np.float32)
    columns = np.arange(images.SHAPE[1]) / images.LOOKS[1]
    header = images.header()
    to_phase = -4 * np.pi / header.wavelength / header.slant_range / np.sin(incidence[0, 0])
    error = (0.2 * to_phase * orbit)[:, None, None] * columns
    slc = (images.series() * np.exp(-1j * error)).astype(np.complex64)
    images.stored(tmp_path, images.source(slc, perpendicular_baseline=orbit, static={"incidence": incidence}))
    lines = ("stages: [gradients]", "network: {max_days: 36}", f"interferograms: {{write: {write}}}")
    summary = runs.rerun(tmp_path, *lines, "gradients: {window_pixels: 9, estimator: rate}")
    assert summary.exit_code == 0, summary.lines()
    maps = slidecloud.open_run(str(tmp_path / "run.zarr")).gradients("slc_small")
    metres = -header.wavelength / (4 * np.pi) / 40.0
    for name, truth in (
        ("dem_error_gradient_x", 0.2 / 40),
        ("dem_error_gradient_y", 0.0),
        ("velocity_gradient_x", images.RATE[1] * metres),
    ):
        values, sigma = maps[name].values, maps[f"{name}_sigma"].values
        known = np.isfinite(values) & np.isfinite(sigma)
        assert known.mean() > 0.7
        assert abs(values[known].mean() - truth) < 0.3 * np.median(sigma[known])
