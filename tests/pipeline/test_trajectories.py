"""Models of motion of a run against what its pixels do, and that they are units like any other."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import runs
import seasons
import steady

from slidecloud import open_run
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.rates import Rates
from slidecloud.pipeline.reference import write
from slidecloud.pipeline.verify import verify
from slidecloud.plots.point import fitted_motion, point_figure
from slidecloud.products import cog
from slidecloud.store.referencing import Reference

FULL = ("seasonal: true", "acceleration: true", f"breaks: [2018-01-01, {seasons.STEP}]", "bootstrap: 20")
TRUTH = {
    "trend": seasons.RATE,
    "acceleration": seasons.ACCELERATION,
    "seasonal_amplitude": seasons.AMPLITUDE,
    "seasonal_day": seasons.PEAK,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A finished run with all terms, not to be changed."""
    made = tmp_path_factory.mktemp("trajectories")
    runs.ingest(seasons.source(), str(made / "stacks"), chunks=runs.CHUNKS)
    seasons.compute(made, *FULL)
    return made


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    for name in ("stacks", "run.zarr"):
        shutil.copytree(folder / name, tmp_path / name)
    return tmp_path


def maps(folder: Path):
    return open_run(str(folder / "run.zarr")).timeseries(seasons.BURST)


def test_terms_are_those_of_the_motion_and_their_sigmas_cover(folder):
    found, moving = maps(folder), seasons.moving()
    seen = {name: (found[name].values, found[f"{name}_sigma"].values) for name in TRUTH}
    seen["step"] = tuple(found[name].sel(step=str(seasons.STEP)).values for name in ("step_size", "step_size_sigma"))
    for name, (value, sigma) in seen.items():
        standard = (value - {**TRUTH, "step": seasons.SIZE}[name])[moving] / sigma[moving]
        # The still ground that all is relative to has no motion, and noise of its own that all pixels share.
        assert 0.60 < np.mean(np.abs(standard) < 1) < 0.80, name
        assert np.mean(np.abs(standard) < 1.96) > 0.90, name
    assert np.abs(found["acceleration"].values[~moving].mean()) < 0.002
    assert found["seasonal_amplitude"].attrs["units"] == "m"
    # The noise of dates is 2 mm, and a little of what adds up is left too.
    assert 0.002 < np.median(found["trajectory_rms"].values) < 0.003


def test_a_step_before_the_first_date_is_not_given(folder):
    found = maps(folder)
    assert found["step"].values.astype("datetime64[D]").astype(str).tolist() == ["2018-01-01", str(seasons.STEP)]
    assert np.isnan(found["step_size"].values[0]).all()
    assert np.isfinite(found["step_size"].values[1]).all()


def test_the_bootstrap_checks_the_sigma_of_velocity_from_below(folder):
    """On ground at rest: it misses noise that adds up for longer than its blocks."""
    found, still = maps(folder), ~seasons.moving()
    ratio = found["bootstrap_sigma"].values[still] / found["velocity_sigma"].values[still]
    assert 0.1 < np.median(ratio) < 1.0


def test_velocity_and_series_do_not_depend_on_the_models(folder, copy):
    seasons.compute(copy, series=("min_coherence: 0",))
    plain, found = maps(copy), maps(folder)
    assert "trend" not in plain
    assert "step_size" not in plain
    for name in plain.data_vars:
        np.testing.assert_array_equal(plain[name].values, found[name].values)


def test_models_may_change_and_nothing_else_is_done_again(folder, copy):
    again = seasons.compute(copy, *FULL)
    assert again.done == 0
    config = runs.configure(copy, "stages: [timeseries]", seasons.QUICK, "timeseries: {where: everywhere}")
    assert estimate(config, Rates.load(None)).core_hours == 0
    tiles = len(list((folder / "run.zarr/.slidecloud/done/timeseries").rglob("trajectory/*.json")))
    summary = seasons.compute(copy, "acceleration: true")
    assert summary.done == tiles == 2
    found = maps(copy)
    assert "seasonal_day" not in found
    bent = found["acceleration"].values[seasons.moving()]
    assert np.abs(bent.mean() - seasons.ACCELERATION) < 0.03
    # What the models before wrote is owned by nothing any more.
    left = collect(str(copy / "run.zarr"), remove=True)
    assert {key.key.split("/")[3] for key in left.orphans} >= {"seasonal_day", "step_size", "bootstrap_sigma"}
    assert not left.foreign
    assert not verify(str(copy / "run.zarr")).damaged


def test_tiles_do_not_show(folder, copy):
    shutil.rmtree(copy / "run.zarr")
    whole = seasons.QUICK.replace("[32, 64]", "[64, 128]")
    settings = f"timeseries: {{where: everywhere, trajectory: {{{', '.join(FULL)}}}}}"
    runs.rerun(copy, "stages: [timeseries]", settings, whole)
    one, other = maps(folder), maps(copy)
    for name in (name for name in one.data_vars if one[name].dtype == np.float32):
        np.testing.assert_allclose(one[name].values, other[name].values, rtol=1e-5, atol=1e-7, err_msg=str(name))


def test_patches_have_them_too(folder, tmp_path):
    (tmp_path / "stacks").symlink_to(folder / "stacks")
    head = steady.header(seasons.SHAPE)
    file = steady.polygons(tmp_path / "slide.geojson", head, (14, 30, 20, 38))
    series = f"timeseries: {{where: {file}, halo: 600, integrate: false, trajectory: {{seasonal: true}}}}"
    summary = runs.rerun(tmp_path, "stages: [timeseries]", series, seasons.QUICK)
    assert summary.exit_code == 0, summary.lines()
    run = open_run(str(tmp_path / "run.zarr"))
    (name,) = run.patches(seasons.BURST)
    patch = run.timeseries(seasons.BURST, name)
    assert np.isfinite(patch["seasonal_amplitude"].values).all()
    assert np.isfinite(run.timeseries(seasons.BURST)["trend"].values).any()


def test_they_are_exported_and_drawn(folder, tmp_path):
    run = open_run(str(folder / "run.zarr"))
    names = {path.stem.removeprefix(f"{seasons.BURST}_") for path in cog.export(run, tmp_path)}
    assert names >= {"trend", "seasonal_day", "acceleration_sigma", "step_size", "step_size_sigma"}
    with rasterio.open(tmp_path / f"{seasons.BURST}_step_size.tif") as raster:
        assert [text.split()[0] for text in raster.descriptions] == ["2018-01-01", str(seasons.STEP)]
    place = steady.position(steady.header(seasons.SHAPE), 20.5, 40.5)
    point = run.best(*place).load()
    moved = fitted_motion(point)
    left = point["displacement"].values - moved
    assert np.std(left) < 1.2 * float(point["trajectory_rms"])
    labels = {text.get_text() for text in point_figure(run, *place).axes[0].get_legend().get_texts()}
    assert "fitted motion" in labels


@pytest.mark.parametrize("written", [False, True])
def test_another_reference_moves_the_models_too(copy, written):
    """Relative to a pixel that moves, ground at rest moves the other way; what is read is what `--write` writes."""
    pixel = 20, 40
    place = steady.position(steady.header(seasons.SHAPE), pixel[0] + 0.5, pixel[1] + 0.5)
    before, run = maps(copy).load(), open_run(str(copy / "run.zarr"))
    if written:
        write(str(copy / "run.zarr"), Reference(point=place))
        assert not verify(str(copy / "run.zarr")).damaged
        assert seasons.compute(copy, *FULL).done == 0
        after = maps(copy)
    else:
        after = run.referenced(point=place).timeseries(seasons.BURST)
    still = ~seasons.moving()
    there = {name: float(before[name][pixel]) for name in ("trend", "acceleration")}
    for name, value in there.items():
        moved = (after[name].values - before[name].values)[still]
        # The shift is fitted with all dates alike, the pixel with its own noise.
        assert abs(moved.mean() + value) < 2 * float(before[f"{name}_sigma"][pixel])
        np.testing.assert_allclose(moved, moved.mean(), atol=1e-6)
    step = after["step_size"].values[1][still] - before["step_size"].values[1][still]
    assert abs(step.mean() - np.abs(seasons.SIZE)) < 0.01
    assert abs(np.median(after["seasonal_amplitude"].values[still]) - seasons.AMPLITUDE) < 0.003
    day = np.median(after["seasonal_day"].values[still])
    assert abs(day - (seasons.PEAK + 365.25 / 2)) < 20
    assert after["seasonal_day"].attrs["units"] == "day"


def test_settings_that_make_no_sense_are_refused(tmp_path):
    for wrong, message in (
        ("breaks: [2020-05-01, 2019-01-01]", "days in order"),
        ("bootstrap: 1", "at least 2"),
        ("seasons: true", "did you mean 'seasonal'"),
    ):
        with pytest.raises(ConfigError, match=message):
            runs.configure(tmp_path, f"timeseries: {{trajectory: {{{wrong}}}}}")
