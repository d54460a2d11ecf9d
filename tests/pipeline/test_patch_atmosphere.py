"""Atmosphere in patches: it is taken off where that helps, refused where it does not, and never touches what is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import patched
import pytest
import runs
import ztd
from pyproj import Transformer

from slidecloud.pipeline.verify import verify
from slidecloud.simulate import Atmosphere, interferograms
from slidecloud.simulate.atmosphere import delays
from slidecloud.store import open_run

BURST = "t026_000001_iw2"
QUICK = ("integrate: false", "recovered: false")
STEP = 0.0005
"""Degrees of a pixel of the delays that are made here; finer than real ones, so that reading them costs nothing."""


@pytest.fixture(scope="module")
def made() -> Any:
    """Delays that differ by 3 cm over the height of the whole air, far more than turbulence."""
    return patched.scene(atmosphere=Atmosphere(turbulence=0.0005, stratified=0.12))


@pytest.fixture(scope="module")
def source(made: Any) -> Any:
    return patched.source(made, unwrapped=True, seen=interferograms(made))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, source: Any) -> Path:
    return run(tmp_path_factory.mktemp("plain"), source)[0]


def run(folder: Path, source: Any, *series: str) -> tuple[Path, Any]:
    summary = patched.compute(folder, source, *QUICK, *series)
    assert summary.exit_code == 0, summary.lines()
    return folder / "run.zarr", summary


def patches(store: Path) -> list[Any]:
    opened = open_run(str(store))
    return [(window, opened.timeseries(BURST, name).load()) for name, window in opened.patches(BURST).items()]


def errors(made: Any, store: Path) -> tuple[list[float], list[float]]:
    """RMS of each patch's series on still ground, m, and the error of its slide's median velocity, m/yr."""
    still, slides = [], []
    for window, series in patches(store):
        slide = made.labels[window.rows, window.columns] > 0
        displacement = series["displacement"].values
        displacement = displacement - displacement.mean(axis=0)
        known = np.isfinite(displacement).all(axis=0) & ~slide & (series["moving"].values == 0)
        still.append(float(np.sqrt(np.mean(displacement[:, known] ** 2))))
        stable = series["stable"].values == 1
        true = made.velocity[window.rows, window.columns]
        error = series["velocity"].values - (true - np.median(true[stable]))
        slides.append(float(np.nanmedian(error[slide]) / np.median(true[slide])))
    return still, slides


def gacos(folder: Path, made: Any, *, noise: bool = False, leave: tuple[int, ...] = ()) -> Path:
    """A folder of delays as GACOS would bring them if it knew the stratification, or noise of the same size."""
    grid, rng = made.header.grid, np.random.default_rng(3)
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    back = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    x, y = np.meshgrid(grid.x, grid.y)
    longitude, latitude = turn.transform(x, y)
    west, north = longitude.min() - 0.005, latitude.max() + 0.005
    width, height = (int((v.max() - v.min() + 0.01) / STEP) + 1 for v in (longitude, latitude))
    at = np.meshgrid(west + STEP * (np.arange(width) + 0.5), north - STEP * (np.arange(height) + 0.5))
    east, up = back.transform(*at)
    row = np.clip(np.floor((up - grid.top) / grid.dy).astype(int), 0, grid.height - 1)
    column = np.clip(np.floor((east - grid.left) / grid.dx).astype(int), 0, grid.width - 1)
    for number, (date, slant) in enumerate(zip(made.dates, truth(made), strict=True)):
        zenith = 2.3 + (slant * np.cos(made.incidence))[row, column]
        if noise:
            zenith = 2.3 + 0.02 * rng.standard_normal(zenith.shape)
        if number in leave:
            continue
        day = str(date.astype("datetime64[D]")).replace("-", "")
        ztd.write(folder, day, zenith.astype("<f4"), left=west, top=north, step=STEP)
    return folder


def truth(made: Any) -> Any:
    """Slant delays (date, y, x), m."""
    return delays(
        made.atmosphere, seed=made.seed, dates=made.dates, elevation=made.elevation, incidence=made.incidence,
        spacing=made.header.spacing,
    )  # fmt: skip


def test_stratified_air_is_taken_off_and_slides_stay(made, source, plain, tmp_path):
    store, _ = run(tmp_path, source, "atmosphere: {height: true, ramp: true, filter: true, filter_years: 0.05}")
    before, _ = errors(made, plain)
    after, slides = errors(made, store)
    assert all(2 * b < a for a, b in zip(before, after, strict=True))
    assert np.abs(slides).max() < 0.05
    for _, series in patches(store):
        kept = series["correction_kept"].values
        assert (kept & 1 == 0).all()
        assert (kept & 2 > 0).mean() > 0.5
        gained = series["correction_after"].values <= series["correction_before"].values
        assert gained.all()
        assert (series["correction"].values[0] == 0).all()
        both = series["displacement"].values - series["displacement_filtered"].values
        known = np.isfinite(both)
        assert known.any()
        assert np.abs(both[known]).max() > 0
    assert not verify(str(store)).damaged


def test_gacos_that_is_right_helps_and_a_missing_date_is_said(made, source, plain, tmp_path):
    folder = gacos(tmp_path / "gacos", made, leave=(4,))
    store, summary = run(tmp_path, source, f"atmosphere: {{gacos: {folder}}}")
    before, _ = errors(made, plain)
    after, slides = errors(made, store)
    assert all(b < 0.8 * a for a, b in zip(before, after, strict=True))
    assert np.abs(slides).max() < 0.05
    missing = str(made.dates[4].astype("datetime64[D]"))
    assert sum(f"at 1 of 16 dates ({missing}); they go without" in note for note in summary.notes) == len(
        patches(store)
    )
    for _, series in patches(store):
        kept = series["correction_kept"].values
        assert kept[4] == 0
        assert kept.sum() > 8


def test_gacos_that_is_wrong_is_refused_and_leaves_no_trace(made, source, plain, tmp_path):
    folder = gacos(tmp_path / "gacos", made, noise=True)
    store, summary = run(tmp_path, source, f"atmosphere: {{gacos: {folder}}}")
    assert any("was left out of all" in note for note in summary.notes)
    for (_, one), (_, other) in zip(patches(plain), patches(store), strict=True):
        assert (other["correction_kept"].values == 0).all()
        for name in ("displacement", "velocity", "displacement_sigma", "velocity_sigma"):
            assert one[name].values.tobytes() == other[name].values.tobytes()


def test_nothing_of_it_is_stored_when_it_is_off(plain):
    for _, series in patches(plain):
        assert not [name for name in series if str(name).startswith(("correction", "displacement_f"))]


def test_a_folder_that_is_not_there_stops_the_run_before_it_begins(source, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        patched.compute(tmp_path, source, *QUICK, f"atmosphere: {{gacos: {tmp_path}/none}}")


def test_a_short_series_is_not_filtered_and_says_so(source, tmp_path):
    _, summary = run(tmp_path, source, "atmosphere: {filter: true, filter_years: 5}")
    assert any("has no displacement_filtered: 16 dates over" in note for note in summary.notes)


def test_the_folder_is_taken_from_the_files_own(tmp_path):
    file = tmp_path / "region.yaml"
    file.write_text("run: r.zarr\nstacks: s\ntimeseries: {atmosphere: {gacos: air}}\n")
    assert runs.config.load(file).timeseries.atmosphere.gacos == str(tmp_path / "air")
