"""Factors of hazard on one grid: against their kernels on the whole grid, for any tiling, and only what is not made."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
import terrain_files as files
import xarray as xr

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.factors import grid_of
from slidecloud.kernels.curvature import curvature, relief
from slidecloud.kernels.terrain import slope_aspect
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_factors import compute, plan, sources_of
from slidecloud.pipeline.hazard_made import known
from slidecloud.pipeline.verify import verify
from slidecloud.store import locate

GROUND = {
    "elevation": {"kind": "raster", "path": "dem.tif", "units": "m"},
    "slope": {},
    "aspect": {},
    "profile_curvature": {},
    "plan_curvature": {},
    "relief": {"window": 330},
}
OTHERS = {
    "rivers": {"kind": "distance", "path": "rivers.gpkg"},
    "slides": {"kind": "density", "path": "slides.parquet", "radius": 2000},
    "rock": {"kind": "category", "path": "rocks.gpkg", "column": "rock"},
    "cover": {"kind": "category", "path": "cover.tif", "classes": {1: "forest", 2: "bare ground"}},
    "coarse": {"kind": "raster", "path": "degrees.tif", "resampling": "linear", "units": "m"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("region")
    files.write_elevation(found / "dem.tif")
    files.write_degrees(found / "degrees.tif")
    cover = np.ones(files.SHAPE, np.uint8)
    cover[:, 300:] = 2
    cover[:5] = 0
    files.write_map(
        found / "cover.tif", cover, crs=files.CRS, left=files.BOUNDS[0], top=files.BOUNDS[3], step=30.0, nodata=0
    )
    files.rivers().to_file(found / "rivers.gpkg")
    files.rocks().to_file(found / "rocks.gpkg")
    files.slides().to_parquet(found / "slides.parquet")
    return found


def config(folder: Path, store: Path, factors: dict[str, Any], **more: Any) -> HazardConfig:
    whole = {
        name: {**one, "path": str(folder / one["path"])} if "path" in one else one for name, one in factors.items()
    }
    return HazardConfig.model_validate(
        {
            "store": str(store),
            "grid": {"crs": files.CRS, "spacing": files.SPACING, "bounds": files.BOUNDS},
            "factors": whole,
            **more,
        }
    )


def made(store: Path) -> xr.Dataset:
    return xr.open_zarr(store / "hazard" / "factors", chunks=None, decode_coords="all")


@pytest.fixture(scope="module")
def store(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All factors in one tile."""
    found = tmp_path_factory.mktemp("whole") / "hazard.zarr"
    summary = compute(config(folder, found, GROUND | OTHERS), executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return found


def test_terrain_is_that_of_the_kernels_to_the_border(store):
    found = made(store)
    x, y = np.meshgrid(found.x, found.y)
    np.testing.assert_allclose(found.elevation, files.height(x, y), atol=1e-3)
    wide_x = files.BOUNDS[0] + 30.0 * (np.arange(-20, files.SHAPE[1] + 20) + 0.5)
    wide_y = files.BOUNDS[3] - 30.0 * (np.arange(-20, files.SHAPE[0] + 20) + 0.5)
    ground = files.height(*np.meshgrid(wide_x, wide_y)).astype(np.float32)
    inside = slice(20, -20), slice(20, -20)
    slope, aspect = slope_aspect(ground, spacing=(30.0, 30.0))
    curved = curvature(ground, spacing=(30.0, 30.0))
    np.testing.assert_array_equal(found.slope, slope[inside])
    np.testing.assert_array_equal(found.aspect, aspect[inside])
    np.testing.assert_array_equal(found.profile_curvature, curved.profile[inside])
    np.testing.assert_array_equal(found.plan_curvature, curved.plan[inside])
    np.testing.assert_array_equal(found.relief, relief(ground, reach=(5, 5))[inside])
    assert found.slope.attrs["units"] == "rad"
    assert found.spatial_ref.attrs["crs_wkt"]


def test_distance_density_and_categories_are_those_of_their_geometries(store):
    found = made(store)
    x, y = (axis[::9, ::11] for axis in np.meshgrid(found.x, found.y))
    lines = shapely.union_all(files.rivers().geometry.to_numpy())
    expected = shapely.distance(shapely.points(x, y), lines)
    np.testing.assert_allclose(found.rivers.values[::9, ::11], expected, atol=0.01)
    places = shapely.get_coordinates(files.slides().geometry.to_numpy())
    away = np.hypot(x[..., None] - places[:, 0], y[..., None] - places[:, 1]) / 2000
    weight = np.where(away < 1, (1 - away**2) ** 2, 0).sum(axis=-1) * 3 / np.pi / 2.0**2
    np.testing.assert_allclose(found.slides.values[::9, ::11], weight, atol=2e-3)
    middle, north = files.BOUNDS[0] + 7000, files.BOUNDS[3] - 3000
    rock = np.where(y > north, np.nan, np.where(x < middle, 0, 1))
    np.testing.assert_array_equal(found.rock.values[::9, ::11], rock)
    assert found.rock.attrs["flag_meanings"] == "granite red_beds"
    assert np.isnan(found.cover.values[:5]).all()
    assert (found.cover.values[5:, :300] == 1).all()
    assert (found.cover.values[5:, 300:] == 2).all()


def test_a_map_in_degrees_is_brought_over_where_it_is_said_how(store):
    found = made(store)
    x, y = np.meshgrid(found.x, found.y)
    # Pixels of about 50 m over ground that bends with 400 m / (1300 m)^2: dx^2/8 of it.
    np.testing.assert_allclose(found.coarse, files.height(x, y), atol=0.5)


def test_any_tiling_gives_the_same_bits(folder, store, tmp_path):
    tiled = config(folder, tmp_path / "t.zarr", GROUND | OTHERS, resources={"tile": (256, 512)})
    summary = compute(tiled, executor=serial())
    assert summary.done == 4 * (1 + len(OTHERS))
    one, other = made(store), made(tmp_path / "t.zarr")
    for name in one.data_vars:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=str(name))


def test_units_travel_to_other_processes(folder, store, tmp_path):
    settings = config(folder, store, GROUND | OTHERS)
    grid = grid_of(settings.grid)
    units = plan(sources_of(settings, locate(store), grid), grid, memory=2**32)
    stored = made(store)
    rows, columns = slice(100, 140), slice(300, 390)
    for unit in pickle.loads(pickle.dumps(units)):
        assert 0 < unit.peak_memory < 2**32
        for name, values in unit.work.source.make(rows, columns).items():
            known = np.where(values == -1, np.nan, values) if values.dtype.kind == "i" else values
            np.testing.assert_array_equal(known, stored[name].values[rows, columns], err_msg=name)


def test_only_what_is_not_made_is_made(folder, tmp_path):
    few = {name: OTHERS[name] for name in ("slides", "cover")}
    compute(config(folder, tmp_path / "s.zarr", few), executor=serial())
    again = compute(config(folder, tmp_path / "s.zarr", few), executor=serial())
    assert (again.done, again.skipped) == (0, 2)
    wider = {**few, "slides": {**few["slides"], "radius": 3000}, "rock": OTHERS["rock"]}
    more = compute(config(folder, tmp_path / "s.zarr", wider), executor=serial())
    assert (more.done, more.skipped) == (2, 1)
    shares = known(locate(tmp_path / "s.zarr"))
    assert shares["slides"] == 1.0
    assert shares["cover"] == pytest.approx(1 - 5 / files.SHAPE[0])


def test_what_is_elsewhere_is_refused_by_its_key_and_crs(folder, tmp_path):
    def refused(factors: dict[str, Any], match: str, **more: Any) -> None:
        with pytest.raises(ConfigError, match=match):
            compute(config(folder, tmp_path / "r.zarr", factors, **more), executor=serial())

    coarse = {"kind": "raster", "path": "degrees.tif"}
    refused({"ndvi": coarse}, r"factors\.ndvi: .*degrees.tif is in EPSG:4326 .* grid is in EPSG:32648 .*unasked")
    files.rivers().to_crs(4326).to_file(folder / "lines.gpkg")
    lines = {"kind": "distance", "path": "lines.gpkg"}
    refused({"roads": lines}, r"factors\.roads: .*lines.gpkg is in EPSG:4326 .*reproject: true")
    far = {"crs": files.CRS, "spacing": 30, "bounds": (700_000, 3_300_000, 700_300, 3_300_300)}
    refused({"elevation": GROUND["elevation"]}, "beside the grid's bounds", grid=far)
    degrees = {"crs": "EPSG:4326", "spacing": 0.1, "bounds": (100, 30, 101, 31)}
    refused({"elevation": GROUND["elevation"]}, "projected CRS in metres", grid=degrees)
    refused({"rock": {**OTHERS["rock"], "column": "stone"}}, "names the column 'stone'; .* has rock")
    assert not (tmp_path / "r.zarr").exists()
    said = {**lines, "reproject": True}
    compute(config(folder, tmp_path / "said.zarr", {"roads": said}), executor=serial())
    assert float(made(tmp_path / "said.zarr").roads.min()) == 0.0


def test_what_is_damaged_is_found_and_made_again(folder, tmp_path):
    settings = config(folder, tmp_path / "d.zarr", {"rock": OTHERS["rock"]})
    compute(settings, executor=serial())
    chunk = tmp_path / "d.zarr" / "hazard" / "factors" / "rock" / "c" / "0" / "0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (damage,) = verify(settings.place, repair=True).damaged
    assert "hazard_factors rock/" in damage.unit
    assert "'slidecloud hazard' again" in damage.remedy
    assert compute(settings, executor=serial()).done == 1
    assert chunk.read_bytes() == whole


def test_rivers_of_the_whole_world_are_those_that_are_near(real_data, folder, tmp_path):
    world = real_data("context") / "ne_50m_rivers_lake_centerlines.json"
    grid = {"crs": "EPSG:32648", "spacing": 5000, "bounds": (200_000, 3_300_000, 700_000, 3_600_000)}
    given = {"rivers": {"kind": "distance", "path": str(world), "reproject": True}}
    summary = compute(config(folder, tmp_path / "w.zarr", given, grid=grid), executor=serial())
    assert summary.exit_code == 0, summary.lines()
    found = made(tmp_path / "w.zarr").rivers
    near = geopandas.read_file(world).cx[95:115, 25:38].to_crs(32648).geometry.union_all()
    places = shapely.points(*np.meshgrid(found.x, found.y))
    np.testing.assert_allclose(found, shapely.distance(places, near), rtol=1e-5, atol=0.1)
    assert 0 < float(found.max()) < 400_000


def test_a_category_without_a_name_goes_to_quarantine(folder, tmp_path):
    unnamed = {"cover": {**OTHERS["cover"], "classes": {1: "forest"}}}
    summary = compute(config(folder, tmp_path / "q.zarr", unnamed), executor=serial())
    assert summary.exit_code == 3
    assert "holds the category 2" in summary.quarantined[0].reason
