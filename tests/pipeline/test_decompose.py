"""Two passes over one hill: motion east, up and down the slope against what the slides do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import runs
import steady
import two_passes

from slidecloud import open_run
from slidecloud.cli import main
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.decomposition import east_up
from slidecloud.kernels.terrain import los_vector
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Both passes on one grid, one of them with an unknown offset, whole bursts; not to be changed."""
    made = tmp_path_factory.mktemp("two_passes")
    grid = two_passes.metric()
    one, other = (two_passes.source(name, grid, offset=0.01 * (name == "ascending")) for name in two_passes.BURST)
    summary = two_passes.compute(made, one, other)
    assert summary.exit_code == 0, summary.lines()
    return made


def opened(folder: Path):
    """The one area of a run, and the truth on its grid."""
    run = open_run(str(folder / "run.zarr"))
    (name,) = run.decompositions
    area = run.decomposition(name).load()
    return area, two_passes.ground(*np.meshgrid(area["x"].values, area["y"].values))


def expected_east_up(true):
    """What two looks make of the motion without noise: what they see of the north comes out as east and up."""
    los = [los_vector(np.array(two_passes.INCIDENCE[name]), two_passes.HEADING[name]) for name in two_passes.BURST]
    seen = np.stack([true.east * one.east + true.north * one.north + true.up * one.up for one in los])
    east, up = (np.array([getattr(one, part) for one in los])[:, None, None] for part in ("east", "up"))
    return east_up(seen, np.ones_like(seen), east, up)


def test_east_and_up_are_those_of_the_slides_and_their_sigmas_cover(folder):
    area, true = opened(folder)
    expected = expected_east_up(true)
    for name in ("east", "up"):
        error = area[name].values - getattr(expected, name)
        standard = error / area[f"{name}_sigma"].values
        assert np.isfinite(error).mean() > 0.95
        # A line through few dates does not know its noise well: sigmas of velocity hold up to 80 % then.
        assert 0.63 < np.nanmean(np.abs(standard) < 1) < 0.82
        assert np.nanmean(np.abs(standard) < 1.96) > 0.93
        assert abs(np.nanmedian(error)) < 0.002
    # On slides that move east or west the north plays no part: the truth itself comes back.
    sideways = (np.abs(np.cos(true.aspect)) < 0.1) & (true.speed > 0.09)
    assert sideways.sum() > 10
    for name in ("east", "up"):
        error = (area[name].values - getattr(true, name))[sideways]
        assert np.abs(np.median(error)) < 0.006
    both = np.isfinite(area["east"].values)
    assert (np.abs(area["east_up_correlation"].values[both]) < 1).all()


def test_downslope_motion_comes_back_and_sides_that_none_sees_are_masked(folder):
    area, true = opened(folder)
    speed, sigma = area["downslope"].values, area["downslope_sigma"].values
    told = np.isfinite(speed)
    standard = ((speed - true.speed) / sigma)[told]
    assert 0.63 < np.mean(np.abs(standard) < 1) < 0.82
    slope, best = area["slope"].values, np.zeros(speed.shape)
    for name in two_passes.BURST:
        line = los_vector(np.array(two_passes.INCIDENCE[name]), two_passes.HEADING[name])
        level = np.cos(slope) * (np.sin(true.aspect) * line.east + np.cos(true.aspect) * line.north)
        best = np.fmax(best, np.abs(level - np.sin(slope) * line.up))
    inside = (slope > np.radians(6)) & (area["tracks"].values == 2)
    assert told[inside & (best > 0.23)].all()
    assert not told[inside & (best < 0.17)].any()
    np.testing.assert_allclose(np.abs(area["downslope_sensitivity"].values[inside]), best[inside], atol=0.03)
    top = np.hypot(area["x"].values[None, :] - two_passes.CENTRE[0], area["y"].values[:, None] - two_passes.CENTRE[1])
    assert np.isnan(speed[top < 15]).all()
    away = np.angle(np.exp(1j * (area["aspect"].values - true.aspect)))
    assert np.nanmax(np.abs(away[top > 200])) < 0.03


def test_the_unknown_offset_of_a_pass_is_told_and_gone(folder):
    area, _ = opened(folder)
    assert area.attrs["bursts"] == sorted(two_passes.BURST.values())
    assert "taken to be at rest" in area.attrs["reference"]
    assert (area["level_pixels"].values > 2000).all()
    # Each series is relative to a stable area of its own.
    assert (np.abs(area["level"].values) < 0.004).all()
    assert (area["level_scatter"].values > 0).all()


@pytest.mark.parametrize("radar", [False, True])
def test_mixed_grids_are_brought_to_the_coarsest(folder, tmp_path, radar):
    """One pass in degrees, or in radar geometry, at 32 m; the other at 40 m, whose pixels stay as they are."""
    ascending = two_passes.source("ascending", two_passes.metric())
    descending = two_passes.source("descending", two_passes.degrees(), radar=radar)
    summary = two_passes.compute(tmp_path, ascending, descending)
    assert summary.exit_code == 0, summary.lines()
    area, true = opened(tmp_path)
    assert float(area["x"][1] - area["x"][0]) == 40.0
    assert np.mod(area["x"].values[0] - two_passes.metric().x[0], 40.0) == pytest.approx(0.0, abs=1e-6)
    expected = expected_east_up(true)
    for name in ("east", "up"):
        error = area[name].values - getattr(expected, name)
        assert np.isfinite(error).mean() > 0.9
        # Interpolated noise is smaller than that of a pixel, which its sigma stays.
        assert 0.65 < np.nanmean(np.abs(error) < area[f"{name}_sigma"].values) < 0.92
        assert abs(np.nanmedian(error)) < 0.002


def test_one_pass_alone_makes_no_unit_and_no_error(tmp_path, capsys):
    summary = two_passes.compute(tmp_path, two_passes.source("ascending", two_passes.metric(side=40)))
    assert summary.exit_code == 0
    assert open_run(str(tmp_path / "run.zarr")).decompositions == ()
    assert not (tmp_path / "run.zarr/.slidecloud/done/decompose").exists()
    assert main(["export", str(tmp_path / "run.zarr"), "--names", "east", "--out", str(tmp_path / "maps")]) == 1
    assert "has no map 'east'" in capsys.readouterr().err


def test_it_is_done_once_and_again_with_other_settings_alone(folder, tmp_path):
    for name in ("stacks", "run.zarr"):
        shutil.copytree(folder / name, tmp_path / name)
    before, _ = opened(tmp_path)
    assert two_passes.compute(tmp_path).done == 0
    assert two_passes.compute(tmp_path, decompose="{least_sensitivity: 0.4}").done == 1
    after, _ = opened(tmp_path)
    blind = np.abs(before["downslope_sensitivity"].values) < 0.4
    assert 0.05 < blind.mean() < 0.5
    assert np.isfinite(before["downslope"].values[blind]).any()
    assert np.isnan(after["downslope"].values[blind]).all()
    np.testing.assert_array_equal(before["east"].values, after["east"].values)
    # Another spacing is another area; the one before goes.
    assert two_passes.compute(tmp_path, decompose="{spacing: 80}").done == 1
    coarse, true = opened(tmp_path)
    assert float(coarse["x"][1] - coarse["x"][0]) == 80.0
    assert np.nanmax(np.abs(coarse["east"].values - expected_east_up(true).east)) < 0.05
    left = collect(str(tmp_path / "run.zarr"), remove=True)
    assert left.orphans
    assert not left.foreign
    assert not verify(str(tmp_path / "run.zarr")).damaged


def test_polygons_have_areas_of_their_own(folder, tmp_path):
    """Patches of two slides, a kilometre apart: two areas, each levelled on ground of its own."""
    (tmp_path / "stacks").symlink_to(folder / "stacks")
    head = steady.header((70, 70))
    head = two_passes.header("ascending", two_passes.metric(), (40.0, 40.0))
    file = steady.polygons(tmp_path / "slides.geojson", head, (8, 30, 14, 40), (56, 30, 62, 40))
    summary = two_passes.compute(tmp_path, where=str(file))
    assert summary.exit_code == 0, summary.lines()
    run = open_run(str(tmp_path / "run.zarr"))
    areas = [run.decomposition(name) for name in run.decompositions]
    assert len(areas) == 2
    assert all(len(area.attrs["looks"]) == 2 for area in areas)
    assert all(np.isfinite(area["up"].values).mean() > 0.9 for area in areas)


def test_patches_around_detections_of_both_passes_are_put_together(tmp_path):
    """Patches are not known before their detections, nor are the areas; what was found to move makes no level."""
    grid = two_passes.metric(side=90)
    for name in two_passes.BURST:
        assert runs.ingest(two_passes.source(name, grid, offset=0.02), str(tmp_path / "stacks")).exit_code == 0
    lines = (
        "stages: [gradients, detect, timeseries, decompose]",
        "detect: {method: classical, seasons: false}",
        "timeseries: {halo: 600, integrate: false, recovered: false}",
        two_passes.RESOURCES,
    )
    summary = runs.rerun(tmp_path, *lines)
    assert summary.exit_code == 0, summary.lines()
    area, true = opened(tmp_path)
    assert {path.split("/")[2] for path in area.attrs["looks"]} == {"patches"}
    assert (area["level_pixels"].values < 0.95 * area["east"].size).all()
    told = np.isfinite(area["downslope"].values)
    error = np.abs(area["downslope"].values - true.speed)[told] / area["downslope_sigma"].values[told]
    assert 0.63 < np.mean(error < 1) < 0.82
    fast = told & (true.speed > 0.08)
    assert abs(np.median((area["downslope"].values - true.speed)[fast])) < 0.01
    assert runs.rerun(tmp_path, *lines).done == 0


def test_a_series_that_is_not_there_leaves_the_area_empty_and_says_so(folder, tmp_path):
    for name in ("stacks", "run.zarr"):
        shutil.copytree(folder / name, tmp_path / name)
    burst = two_passes.BURST["descending"]
    shutil.rmtree(tmp_path / "run.zarr/bursts" / burst / "timeseries/velocity/c")
    summary = two_passes.compute(tmp_path, decompose="{least_slope: 6}")
    assert summary.exit_code == 0
    assert any("cannot be put together" in note for note in summary.notes)
    area, _ = opened(tmp_path)
    assert np.isnan(area["east"].values).all()
    assert (area["tracks"].values == 0).all()


def test_maps_are_exported_and_drawn_from_the_command_line(folder, tmp_path, capsys):
    store = str(folder / "run.zarr")
    (name,) = open_run(store).decompositions
    assert main(["export", store, "--names", "up", "downslope", "--out", str(tmp_path / "maps")]) == 0
    area, _ = opened(folder)
    with rasterio.open(tmp_path / "maps" / f"{name}_up.tif") as raster:
        np.testing.assert_array_equal(raster.read(1), area["up"].values)
        assert raster.units == ("m year-1",)
        assert raster.crs.to_string() == "EPSG:32648"
        assert raster.xy(0, 0) == pytest.approx((float(area["x"][0]), float(area["y"][0])))
        assert raster.tags()["source"] == f"products/decomposition/{name}"
    assert main(["export", store, "--out", str(tmp_path / "all")]) == 0
    names = {path.name for path in (tmp_path / "all").iterdir()}
    assert {f"{name}_east.tif", f"{two_passes.BURST['ascending']}_velocity.tif"} <= names
    # Areas are of no one track.
    assert main(["export", store, "--by-track", "--out", str(tmp_path / "tracks")]) == 0
    assert not list((tmp_path / "tracks").glob(f"{name}*"))
    assert main(["export", store, "--format", "multiscales", "--names", "up", "--out", str(tmp_path / "levels")]) == 0
    for part in ("stacks", "run.zarr"):
        shutil.copytree(folder / part, tmp_path / part)
    settings = tmp_path / "region.yaml"
    series = "timeseries: {where: everywhere, halo: 600, integrate: false, recovered: false}"
    settings.write_text(runs.yaml_text(tmp_path, "stages: [timeseries]", series, two_passes.RESOURCES))
    capsys.readouterr()
    assert main(["decompose", str(settings), "--plot", str(tmp_path / "pictures")]) == 0
    told = capsys.readouterr().out
    assert f"{name}: 70 x 70 pixels of 40 m, ascending 026, descending 135" in told
    assert (tmp_path / "pictures" / f"{name}.png").stat().st_size > 50_000


def test_it_needs_series(tmp_path):
    with pytest.raises(ConfigError, match="decompose without timeseries"):
        runs.configure(tmp_path, "stages: [gradients, decompose]")
