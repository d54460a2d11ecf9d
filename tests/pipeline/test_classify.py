"""Landslides of a small run by their motion: the tables against the maps that they were made of."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import runs
import shapely
import sliding
import small

from slidecloud import open_run
from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.stability import CLASSES
from slidecloud.kernels.stability import classify as kernel
from slidecloud.pipeline.classify_alone import classify_store
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.status import status
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES, LANDSLIDE_RAIN, POTENTIAL_POINTS, TABLES

STAGES = "stages: [gradients, detect, timeseries, visibility, classify]"
RESOURCES = "resources: {executor: serial, memory: 2 GiB}"
EVERYWHERE = "timeseries: {where: everywhere}"
EVERY = ClassifyConfig(least_points=1)


def compute(folder: Path, *lines: str):
    summary = runs.rerun(folder, RESOURCES, *lines)
    assert summary.exit_code == 0, summary.lines()
    return open_run(str(folder / "run.zarr"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of all stages, not to be changed."""
    made = tmp_path_factory.mktemp("classified")
    small.stack(made, small.scene())
    compute(made, STAGES, EVERYWHERE, "classify: {least_points: 1}")
    return made


@pytest.fixture
def copy(folder, tmp_path):
    shutil.copytree(folder / "run.zarr", tmp_path / "run.zarr")
    return tmp_path / "run.zarr"


def inside(run, outline):
    """Pixels of the burst whose centres lie in an outline."""
    longitude, latitude = sliding.positions(small.scene())
    return shapely.contains_xy(outline, longitude, latitude)


def test_means_are_those_of_the_pixels_inside(folder):
    run = open_run(str(folder / "run.zarr"))
    maps, inventory, found = run.timeseries(small.BURST), run.inventory, run.stability
    assert [*found.columns] == [*(spec.name for spec in LANDSLIDE_CLASSES), "geometry"]
    assert len(inventory) >= 1
    assert sorted(found.loc[found["deciding"], "id"]) == sorted(inventory["id"])
    seen = found.set_index("id")
    for name, outline in zip(inventory["id"], inventory.geometry, strict=True):
        velocity, sigma = (maps[n].values[inside(run, outline)] for n in ("velocity", "velocity_sigma"))
        known = np.isfinite(velocity)
        assert seen.loc[name, "points"] == known.sum()
        assert seen.loc[name, "velocity"] == pytest.approx(velocity[known].mean(), rel=1e-5)
        assert seen.loc[name, "velocity_sigma"] == pytest.approx(sigma[known].mean(), rel=1e-5)
        assert seen.loc[name, "spread"] == pytest.approx(velocity[known].std(), rel=1e-4)
        expected = kernel([seen.loc[name, "velocity"]], [seen.loc[name, "velocity_sigma"]])
        assert seen.loc[name, "class"] == CLASSES[int(expected.kind[0])]
        assert seen.loc[name, "confidence"] == pytest.approx(float(expected.confidence[0]), abs=1e-5)
        assert seen.loc[name, "bursts"] == small.BURST
        assert -1 <= seen.loc[name, "sensitivity"] <= 1
        assert 0 <= seen.loc[name, "well_seen"] <= 1


def test_the_slide_is_fast(folder):
    """The scene has one slide that moves 0.2 m a year; the best outline holds it."""
    run = open_run(str(folder / "run.zarr"))
    found = run.stability.set_index("id").loc[run.inventory["id"].iloc[0]]
    assert found["class"] in ("rapid", "uplift")
    assert abs(found["velocity"]) > 0.02
    assert found["confidence"] > 0.9


def test_potential_points_are_those_of_the_rule(folder):
    run = open_run(str(folder / "run.zarr"))
    seen, maps, points = run.visibility(small.BURST), run.timeseries(small.BURST), run.points
    assert [*points.columns] == [*(spec.name for spec in POTENTIAL_POINTS), "geometry"]
    fast = np.abs(maps["velocity"].values) >= np.float32(0.025)
    expected = (seen["class"].values == 1) & (seen["slope"].values >= np.radians(5)) & fast
    assert len(points) == expected.sum() > 10
    longitude, latitude = sliding.positions(small.scene())
    np.testing.assert_allclose(np.sort(points.geometry.x), np.sort(longitude[expected]), atol=1e-9)
    np.testing.assert_allclose(np.sort(points.geometry.y), np.sort(latitude[expected]), atol=1e-9)
    label = np.zeros(expected.shape, bool)
    for outline in run.inventory.geometry:
        label |= inside(run, outline)
    assert (points["landslide"] != "").sum() == (expected & label).sum()


def test_it_is_done_once_and_the_command_finds_it_done(folder):
    assert runs.rerun(folder, RESOURCES, STAGES, EVERYWHERE, "classify: {least_points: 1}").done == 0
    again = classify_store(str(folder / "run.zarr"), EVERY)
    assert (again.done, again.skipped) == (0, 1)
    looked = status(str(folder / "run.zarr"))
    assert {stage.stage: stage.done for stage in looked.stages}["classify"] == 1
    # Tables belong to the store: nothing of them is an orphan.
    assert not collect(str(folder / "run.zarr")).orphans


def test_other_settings_need_no_other_run(copy):
    run = open_run(str(copy))
    before = run.stability.set_index(["id", "track"])
    assert classify_store(str(copy), EVERY.model_copy(update={"remove_median": True, "absolute": True})).done == 1
    after = run.stability.set_index(["id", "track"])
    maps = run.timeseries(small.BURST)
    still = np.isfinite(maps["velocity"].values)
    for outline in run.inventory.geometry:
        still &= ~inside(run, outline)
    median = float(np.median(maps["velocity"].values[still]))
    np.testing.assert_allclose(after["removed"], median, rtol=1e-6)
    np.testing.assert_allclose(after["velocity"], before["velocity"] - np.float32(median), atol=1e-7)
    assert "uplift" not in set(after["class"])
    few = EVERY.model_copy(update={"least_points": 100_000})
    assert classify_store(str(copy), few).done == 1
    assert set(run.stability["class"]) == {"unknown"}


def test_masks_leave_points_out(copy, tmp_path):
    whole, part = tmp_path / "everywhere.tif", tmp_path / "elsewhere.tif"
    for path, corner in ((whole, (100.0, 35.0)), (part, (10.0, 10.0))):
        transform = rasterio.Affine(0.5, 0, corner[0], 0, -0.5, corner[1])
        with rasterio.open(
            path, "w", driver="GTiff", height=20, width=20, count=1, dtype="uint8", crs="EPSG:4326", transform=transform
        ) as made:
            made.write(np.ones((1, 20, 20), np.uint8))
    before = len(open_run(str(copy)).points)
    for path, left in ((part, before), (whole, 0)):
        assert classify_store(str(copy), EVERY.model_copy(update={"masks": (str(path),)})).exit_code == 0
        assert len(open_run(str(copy)).points) == left
    with pytest.raises(FileNotFoundError, match="nowhere"):
        classify_store(str(copy), EVERY.model_copy(update={"masks": (str(tmp_path / "nowhere.tif"),)}))


def test_patches_are_read_where_there_is_no_whole_burst(tmp_path, folder):
    """The default: displacement around detections alone. Its classes are those of the whole burst's series."""
    (tmp_path / "stacks").symlink_to(folder / "stacks")
    run = compute(tmp_path, STAGES, "timeseries: {where: detections}", "classify: {least_points: 1}")
    assert not (tmp_path / "run.zarr/bursts" / small.BURST / "timeseries").exists()
    found = run.stability.set_index("id")
    whole = open_run(str(folder / "run.zarr")).stability.set_index("id")
    assert [*found.index] == [*whole.index]
    best = run.inventory["id"].iloc[0]
    assert found.loc[best, "class"] == whole.loc[best, "class"]
    assert found.loc[best, "points"] > 0
    assert np.isfinite(found.loc[best, "sensitivity"])
    assert len(run.points) > 10
    # In one store what is seen of a slope is the same for patch and burst.
    assert found.loc[best, "sensitivity"] == pytest.approx(whole.loc[best, "sensitivity"], abs=0.02)


def rain_file(path: Path, *, days: int = 600, first: str = "2018-06-01") -> Path:
    day = np.datetime64(first) + np.arange(days)
    fallen = np.random.default_rng(1).gamma(0.5, 8.0, days).round(1)
    path.write_text("date,rain\n" + "".join(f"{d},{f}\n" for d, f in zip(day, fallen, strict=True)))
    return path


def test_rain_is_held_against_every_landslide(copy, tmp_path):
    run = open_run(str(copy))
    time = run.timeseries(small.BURST).time.values
    file = rain_file(tmp_path / "rain.csv", first=str((time[0] - np.timedelta64(120, "D")).astype("datetime64[D]")))
    assert len(run.rain) == 0
    assert classify_store(str(copy), EVERY.model_copy(update={"rain": str(file)})).done == 1
    rain = run.rain
    assert [*rain.columns] == [*(spec.name for spec in LANDSLIDE_RAIN), "geometry"]
    seen = run.stability
    assert sorted(rain["id"]) == sorted(seen.loc[seen["deciding"] & (seen["points"] > 0), "id"])
    assert (rain["intervals"] == len(time) - 1).all()
    assert ((rain["correlation_low"] <= rain["correlation"]) & (rain["correlation"] <= rain["correlation_high"])).all()
    assert rain["p_value"].between(0, 1).all()
    # Rain of another time says nothing, and says so.
    late = rain_file(tmp_path / "late.csv", first="2031-01-01")
    summary = classify_store(str(copy), EVERY.model_copy(update={"rain": str(late)}))
    assert summary.exit_code == 3
    assert "no interval between images has rain" in summary.quarantined[0].reason
    with pytest.raises(FileNotFoundError, match="There is no rain"):
        classify_store(str(copy), EVERY.model_copy(update={"rain": str(tmp_path / "none.csv")}))


def test_what_is_not_there_is_named(tmp_path, copy):
    with pytest.raises(ConfigError, match="classify without timeseries"):
        runs.configure(tmp_path, "stages: [gradients, detect, classify]")
    with pytest.raises(FileNotFoundError, match="There is no run"):
        classify_store(str(tmp_path / "nothing.zarr"), EVERY)
    shutil.rmtree(copy / ".slidecloud/done/timeseries")
    with pytest.raises(KeyError, match="has no displacement"):
        classify_store(str(copy), EVERY)
    shutil.rmtree(copy / ".slidecloud/done/merge")
    with pytest.raises(KeyError, match="has no inventory"):
        classify_store(str(copy), EVERY)


def test_a_map_that_is_not_finished_is_left_out_and_named(copy):
    chunk = next((copy / "bursts" / small.BURST / "timeseries/velocity/c").rglob("*/*"))
    chunk.unlink()
    summary = classify_store(str(copy), EVERY.model_copy(update={"least_points": 2}))
    assert summary.exit_code == 3
    assert "no burst has a finished time series" in summary.quarantined[0].reason


def test_a_run_without_landslides_has_empty_tables(tmp_path, folder):
    (tmp_path / "stacks").symlink_to(folder / "stacks")
    run = compute(tmp_path, STAGES, EVERYWHERE, "detect: {method: classical, threshold: 1000}")
    assert len(run.inventory) == len(run.stability) == len(run.rain) == 0
    assert len(run.points) > 10
    assert (run.points["landslide"] == "").all()
    assert all((tmp_path / "run.zarr" / name).is_file() for name in TABLES)
    assert math.isfinite(run.points["velocity"].abs().min())
