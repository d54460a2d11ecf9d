"""Landslides of a small simulated burst are found where they are, in both geometries, and the tables say the truth."""

from __future__ import annotations

import importlib.util
import math

import geopandas
import numpy as np
import pytest
import rasterio
import runs
import sliding

from slidecloud import open_run
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import detect
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.inputs import select
from slidecloud.pipeline.rates import Rates
from slidecloud.pipeline.status import status
from slidecloud.store.inventory_specs import DETECTIONS, INVENTORY, LANDSLIDES, detections


@pytest.fixture(scope="module")
def steady():
    return sliding.scene()


@pytest.fixture(scope="module")
def searched(tmp_path_factory, steady):
    """A finished search on a map, not to be changed."""
    folder = tmp_path_factory.mktemp("searched")
    sliding.ingest(folder, steady)
    summary = sliding.search(folder)
    assert summary.exit_code == 0, summary.lines()
    return folder


@pytest.fixture(scope="module")
def inventory(searched):
    return open_run(str(searched / "run.zarr")).inventory


def test_every_slide_is_found_where_it_lies(steady, inventory):
    overlap = sliding.overlaps(steady, inventory.geometry)
    assert overlap.max(axis=1).min() > 0.4
    # The best two are the slides: nothing false scores higher.
    assert overlap[:, :2].max(axis=0).min() > 0.4


@pytest.mark.parametrize("heading", [-12.3, 192.2])
def test_radar_geometry_says_the_same_places(tmp_path, heading):
    made = sliding.scene(geometry="radar", heading=heading)
    sliding.ingest(tmp_path, made)
    assert sliding.search(tmp_path).exit_code == 0
    found = open_run(str(tmp_path / "run.zarr")).inventory
    assert sliding.overlaps(made, found.geometry).max(axis=1).min() > 0.4
    assert found["tracks"][0] == ("ascending 026" if heading < 0 else "descending 026")


def test_descending_maps_say_the_same_places(tmp_path):
    made = sliding.scene(heading=192.2)
    sliding.ingest(tmp_path, made)
    assert sliding.search(tmp_path).exit_code == 0
    found = open_run(str(tmp_path / "run.zarr")).inventory
    assert sliding.overlaps(made, found.geometry).max(axis=1).min() > 0.4


def test_the_table_is_as_its_specification_says(searched, inventory):
    assert [*inventory.columns] == [*(spec.name for spec in LANDSLIDES), "geometry"]
    assert inventory.crs == "EPSG:4326"
    for spec in LANDSLIDES:
        assert str(inventory[spec.name].dtype) == ("str" if spec.dtype == "text" else spec.dtype)
    ours = geopandas.read_parquet(searched / "run.zarr" / detections("t026_000001_iw2"))
    assert [*ours.columns] == [*(spec.name for spec in DETECTIONS), "geometry"]
    assert inventory.is_valid.all()
    assert inventory["id"].is_unique
    assert (np.diff(inventory["score"]) <= 0).all()


def test_properties_are_those_of_the_motion(searched, steady, inventory):
    first = inventory.iloc[0]
    flat = inventory.to_crs("EPSG:32648").area
    # Areas are counted in pixels; outlines leave pixel edges by a pixel at most.
    np.testing.assert_allclose(inventory["area"], flat, rtol=0.25)
    assert first["peak_gradient"] > first["mean_gradient"] > 3 * first["gradient_sigma"]
    fastest = np.abs(steady.velocity).max()
    assert 0.3 * fastest < abs(first["peak_velocity"]) < 1.5 * fastest
    gradients = open_run(str(searched / "run.zarr")).gradients("t026_000001_iw2")
    assert first["pair_count"] == int(gradients.pair_count.max())
    assert 1 < first["effective_pairs"] <= first["pair_count"]
    assert first["method"] == "classical"
    assert "all" in first["seasons"].split(",")
    assert (inventory[["west", "south"]].to_numpy() < inventory[["east", "north"]].to_numpy()).all()


def test_density_counts_the_landslides(searched, inventory):
    maps = open_run(str(searched / "run.zarr")).density
    metres = 6_371_008.8 * math.radians(0.01)
    cells = metres**2 * np.cos(np.radians(maps.y.values))[:, None] * 1e-6
    assert float((maps.density.values * cells).sum()) == pytest.approx(len(inventory), rel=1e-4)
    covered = float((maps.area_fraction.values * cells).sum() * 1e6)
    # A sphere, and smoothed outlines, against the ellipsoid and pixels.
    assert covered == pytest.approx(inventory["area"].sum(), rel=0.25)
    assert maps.density.attrs["units"] == "km-2"


def test_density_is_in_the_tree_of_the_run(searched):
    assert "/products/density" in open_run(str(searched / "run.zarr")).tree.groups


def test_a_slide_that_turns_back_is_found_by_its_seasons_alone(tmp_path):
    made = sliding.scene(slides=(sliding.TURNING,))
    sliding.ingest(tmp_path, made)
    sliding.search(tmp_path)
    found = open_run(str(tmp_path / "run.zarr")).inventory
    overlap = sliding.overlaps(made, found.geometry)[0]
    assert overlap.max() > 0.3
    seen = found.iloc[int(overlap.argmax())]
    assert "all" not in seen["seasons"].split(",")
    assert seen["strongest"] in ("4", "10")
    # Without the seasons it is not.
    (tmp_path / "stacks").rename(tmp_path / "other")
    (tmp_path / "year").mkdir()
    (tmp_path / "other").rename(tmp_path / "year" / "stacks")
    sliding.search(tmp_path / "year", "seasons: false")
    blind = open_run(str(tmp_path / "year/run.zarr")).inventory
    assert sliding.overlaps(made, blind.geometry).max(initial=0.0) < 0.2


def test_water_everywhere_leaves_an_empty_inventory(tmp_path, searched, steady):
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    mask = _raster(tmp_path / "water.tif", np.ones((40, 40), np.uint8))
    summary = sliding.search(tmp_path, f"water_mask: {mask}")
    assert summary.exit_code == 0, summary.lines()
    found = open_run(str(tmp_path / "run.zarr")).inventory
    assert len(found) == 0
    assert [*found.columns] == [*(spec.name for spec in LANDSLIDES), "geometry"]
    assert not open_run(str(tmp_path / "run.zarr")).density.density.values.any()


def test_masks_and_slope_take_away_what_lies_under_them(tmp_path, searched, steady):
    """West of the middle there is snow: the western slide is gone, the eastern one stays."""
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    half = np.zeros((40, 40), np.uint8)
    half[:, :20] = 1
    snow = _raster(tmp_path / "snow.tif", half)
    sliding.search(tmp_path, f"snow_mask: {snow}")
    overlap = sliding.overlaps(steady, open_run(str(tmp_path / "run.zarr")).inventory.geometry).max(axis=1)
    assert overlap[0] < 0.2 < 0.4 < overlap[1]
    stored = (8000, 900, 7500)
    bands = [_raster(tmp_path / f"{dn}.tif", np.where(half, dn, 500).astype(np.uint16)) for dn in stored]
    (tmp_path / "bands").mkdir()
    (tmp_path / "bands/stacks").symlink_to(searched / "stacks")
    sliding.search(tmp_path / "bands", f"snow_bands: [{', '.join(map(str, bands))}]")
    assert (tmp_path / "bands/run.zarr" / INVENTORY).read_bytes() != b""
    by_bands, by_mask = (open_run(str(tmp_path / name)).inventory for name in ("bands/run.zarr", "run.zarr"))
    assert by_bands["id"].tolist() == by_mask["id"].tolist()
    flat = _raster(tmp_path / "slope.tif", np.where(half, 3.0, 20.0).astype(np.float32))
    (tmp_path / "steep").mkdir()
    (tmp_path / "steep/stacks").symlink_to(searched / "stacks")
    sliding.search(tmp_path / "steep", f"slope: {flat}", "min_slope: 10")
    overlap = sliding.overlaps(steady, open_run(str(tmp_path / "steep/run.zarr")).inventory.geometry).max(axis=1)
    assert overlap[0] < 0.2 < 0.4 < overlap[1]


def test_boxes_and_the_papers_filter(tmp_path, searched, steady):
    """Without outlines the geometry is the box; the filter of 1.2 rad keeps what sums to much more than that."""
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    sliding.search(tmp_path, "outlines: false", "post_filter: true")
    found = open_run(str(tmp_path / "run.zarr")).inventory
    assert len(found) >= 1
    assert found.geometry.count_coordinates().eq(5).all()
    assert found["peak_velocity"].isna().all()
    overlap = sliding.overlaps(steady, found.geometry)
    assert overlap.max(axis=1).max() > 0.2


def test_again_nothing_and_nothing_without_owner(searched):
    assert sliding.search(searched).done == 0
    store = str(searched / "run.zarr")
    assert runs_of(store) == ([], [])
    lines = status(store).lines()
    assert any(line.startswith("detect") and "1 of 1" in line for line in lines)
    assert any(line.startswith("merge") and "1 of 1" in line for line in lines)


def test_batch_does_not_change_what_is_done(searched):
    assert sliding.search(searched, "batch: 9").done == 0


def test_the_device_does_not_change_the_digest_of_a_search(tmp_path, searched):
    """That of the maps it reads does, where a GPU makes them."""
    (tmp_path / "weights").write_bytes(b"any")
    config = sliding.configure(searched)
    net = config.detect.model_copy(update={"method": "net", "weights": str(tmp_path / "weights")})
    stack = runs.Stack(runs.locate(str(searched / "stacks/t026_000001_iw2.zarr")))
    maps = runs.planning.make(config).units[-3]
    assert maps.key.unit.endswith("/maps")
    cpu, gpu = (
        detect.plan(
            runs.locate("x"), select(stack), net, config.network, shared=detect.looking(net, device), window=(10, 10),
            maps=maps,
        )
        for device in ("cpu", "gpu")
    )  # fmt: skip
    assert (cpu.key, cpu.device, gpu.device) == (gpu.key, "cpu", "gpu")
    (tmp_path / "weights").write_bytes(b"other")
    assert detect.looking(net, "cpu").weights != cpu.work.weights


def test_another_threshold_is_another_run(searched):
    with pytest.raises(ConfigError, match=r"detect\.threshold was None and is now 9"):
        sliding.search(searched, "threshold: 9")


def test_stages_may_come_later(tmp_path, searched):
    """A run that has not looked yet takes any detector."""
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    config = sliding.configure(tmp_path)
    first = config.model_copy(
        update={"stages": ("gradients",), "detect": config.detect.model_copy(update={"batch": 3})}
    )
    assert runs.run(first, executor=runs.serial()).exit_code == 0
    with pytest.raises(KeyError, match="add the stage 'detect' and run again"):
        open_run(str(tmp_path / "run.zarr")).inventory  # noqa: B018
    summary = sliding.search(tmp_path, "threshold: 6")
    assert summary.done == 2
    assert len(open_run(str(tmp_path / "run.zarr")).inventory)
    # Nor does a run that leaves it out again take it away.
    assert runs.run(first, executor=runs.serial()).done == 0
    assert "/products/density" in open_run(str(tmp_path / "run.zarr")).tree.groups


def test_detect_needs_gradients(tmp_path):
    with pytest.raises(ConfigError, match="detect without gradients, whose maps it reads; add gradients"):
        runs.configure(tmp_path, "stages: [detect]")


def test_a_net_without_its_extra_is_refused_before_anything_runs(tmp_path, searched, monkeypatch):
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    config = sliding.configure(tmp_path)
    net = config.model_copy(update={"detect": config.detect.model_copy(update={"method": "net"})})
    with pytest.raises(ImportError, match=r"pip install 'slidecloud\[detect\]'. Without it, use the classical method"):
        runs.run(net, executor=runs.serial())
    assert not (tmp_path / "run.zarr").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("water_mask: absent.tif", "There is no raster .*absent.tif; check the path"),
        ("min_slope: 10", "slope is null; name a raster of the slope"),
        ("weights: w.safetensors", "method is 'classical', which has none"),
        ("merge_distance: -1", "greater than or equal to 0"),
        ("treshold: 3", "did you mean 'threshold'"),
    ],
)
def test_settings_that_cannot_be(tmp_path, searched, setting, message):
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    with pytest.raises((ConfigError, FileNotFoundError), match=message):
        sliding.search(tmp_path, setting)


def test_a_mask_without_crs_sets_the_burst_aside_and_says_why(tmp_path, searched):
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    mask = _raster(tmp_path / "water.tif", np.ones((40, 40), np.uint8), crs=None)
    summary = sliding.search(tmp_path, f"water_mask: {mask}")
    assert [item.stage for item in summary.quarantined] == ["detect"]
    assert "no coordinate reference system" in summary.quarantined[0].reason
    assert "lacks 1 bursts that were set aside: t026_000001_iw2" in summary.notes[-1]
    assert len(open_run(str(tmp_path / "run.zarr")).inventory) == 0


def test_estimate_covers_both_stages(tmp_path, searched):
    (tmp_path / "stacks").symlink_to(searched / "stacks")
    found = {stage.stage: stage for stage in estimate(sliding.configure(tmp_path), Rates()).stages}
    assert found["detect"].units == found["merge"].units == 1
    assert found["detect"].core_hours > 0
    assert found["merge"].peak_memory > 0
    assert estimate(sliding.configure(searched), Rates()).stages == ()


def runs_of(store):
    """Orphans and foreign objects of a store."""
    from slidecloud.pipeline.orphans import collect

    found = collect(store)
    return [*found.orphans], [*found.foreign]


def test_a_table_without_its_record_is_an_orphan(tmp_path, searched):
    import shutil

    shutil.copytree(searched / "run.zarr", tmp_path / "run.zarr")
    location = runs.locate(str(tmp_path / "run.zarr"))
    for key in runs.records.done(location, stage="merge") | runs.records.done(location, stage="detect"):
        runs.records.withdraw(location, key)
    orphans, foreign = runs_of(str(tmp_path / "run.zarr"))
    keys = {orphan.key for orphan in orphans}
    assert {INVENTORY, detections("t026_000001_iw2"), "products/density/density/c/0/0"} <= keys
    assert foreign == []


def _raster(path, values, *, crs="EPSG:4326"):
    """A raster of (y, x) values over all of the scene and more."""
    west, north, step = 104.8, 31.3, 0.4 / values.shape[1]
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "crs": crs}
    transform = rasterio.Affine(step, 0, west, 0, -step, north)
    with rasterio.open(path, "w", dtype=values.dtype, transform=transform, **profile) as dataset:
        dataset.write(values, 1)
    return path
