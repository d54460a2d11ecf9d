"""GeoTIFFs hold the store's values exactly, where they lie, in their units, and are whole or absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import handmade
import numpy as np
import pytest
import rasterio
import rio_cogeo
import steady
import xarray as xr

from slidecloud.products import cog
from slidecloud.products.layers import Layer
from slidecloud.store import Run, open_run
from slidecloud.store.patch_specs import Window
from slidecloud.store.trajectory_specs import TRAJECTORY
from slidecloud.types import DataError, Grid

GROUND = steady.header(handmade.SHAPE, burst=handmade.BURST)
FITTED = {spec.name for spec in TRAJECTORY}
LAST = [name for name in cog.USUAL if "integrated" not in name and name not in FITTED]


@pytest.fixture(scope="module")
def files(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    written = cog.export(run, tmp_path_factory.mktemp("maps"))
    return {path.stem.removeprefix(f"{handmade.BURST}_"): path for path in written}


def test_the_usual_maps_are_written(files: dict[str, Path]) -> None:
    assert [*files] == [*LAST, "products_density", "products_area_fraction"]


@pytest.mark.parametrize("name", ["velocity", "velocity_gradient_y", "temporal_coherence", "class"])
def test_values_units_and_place_are_the_stores(run: Run, files: dict[str, Path], name: str) -> None:
    groups = (run.timeseries, run.gradients, run.visibility)
    stored = next(group(handmade.BURST)[name] for group in groups if name in group(handmade.BURST))
    with rasterio.open(files[name]) as raster:
        assert raster.count == 1
        assert raster.dtypes == (str(stored.dtype),)
        np.testing.assert_array_equal(raster.read(1), stored.values)
        assert (raster.nodata is None) == (name == "class")
        assert raster.units == (stored.attrs["units"],)
        assert raster.descriptions == (stored.attrs["long_name"],)
        assert GROUND.grid is not None
        assert raster.crs.to_string() == GROUND.grid.crs
        assert raster.xy(0, 0) == pytest.approx((float(stored.x[0]), float(stored.y[0])))
        assert raster.xy(raster.height - 1, raster.width - 1) == pytest.approx(
            (float(stored.x[-1]), float(stored.y[-1]))
        )
        assert raster.tags()["burst"] == handmade.BURST


def test_ground_that_sinks_is_negative_in_metres_a_year(files: dict[str, Path]) -> None:
    with rasterio.open(files["velocity"]) as raster:
        values = raster.read(1)
        assert raster.units == ("m year-1",)
    assert np.nanmax(values) < 0
    assert np.nanmin(values) == pytest.approx(-0.06, abs=1e-4)
    assert np.isnan(values).sum() == 20 * 30


def test_all_are_valid_cogs(files: dict[str, Path]) -> None:
    for path in files.values():
        valid, errors, warnings = rio_cogeo.cog_validate(str(path), strict=True)
        assert (valid, errors, warnings) == (True, [], [])


def _layer(values: object, name: str = "a", grid: Grid | None = None, **attributes: object) -> Layer:
    array = xr.DataArray(values, dims=("y", "x"), attrs=attributes)
    return Layer("b", name, array, grid or Grid("EPSG:32648", 5e5, 3e6, 20.0, -20.0, *array.shape), "g", "r")


def test_overviews_are_means_of_what_is_known(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(700, 1100)).astype(np.float32)
    values[:50] = np.nan
    path = cog.write(_layer(values, units="m"), tmp_path / "a.tif")
    assert rio_cogeo.cog_validate(str(path), strict=True)[0]
    with rasterio.open(path) as raster:
        structure = raster.tags(ns="IMAGE_STRUCTURE")
        assert structure["LAYOUT"] == "COG"
        assert (structure["COMPRESSION"], structure["PREDICTOR"]) == ("DEFLATE", "3")
        assert raster.block_shapes == [(512, 512)]
        assert raster.overviews(1) == [2, 4]
        np.testing.assert_array_equal(raster.read(1), values)
    with rasterio.open(path, overview_level=0) as raster:
        halved = values.reshape(350, 2, 550, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(raster.read(1), halved, atol=1e-6)


def test_dates_are_bands_named_by_their_day(run: Run, tmp_path: Path) -> None:
    (path,) = cog.export(run, tmp_path, names=["displacement"])
    with rasterio.open(path) as raster:
        assert raster.count == len(handmade.DATES)
        assert raster.descriptions[1].startswith("2021-03-06 line-of-sight displacement")
        np.testing.assert_array_equal(raster.read(), handmade.displacement(GROUND))
        assert np.nanmax(raster.read(raster.count)) < 0


def test_seasons_and_whole_numbers_by_name(run: Run, tmp_path: Path) -> None:
    names = ["season_mean_coherence", "pair_count"]
    written = cog.export(run, tmp_path, bursts=[handmade.BURST], names=names)
    assert [path.name for path in written] == [f"{handmade.BURST}_{name}.tif" for name in names]
    with rasterio.open(written[0]) as raster:
        assert raster.descriptions[0].startswith("4 ")
    with rasterio.open(written[1]) as raster:
        assert raster.dtypes == ("int32",)
        np.testing.assert_array_equal(raster.read(1), run.gradients(handmade.BURST)["pair_count"].values)


def test_patches_lie_on_the_grid_of_their_burst(tmp_path: Path) -> None:
    windows = [Window(30, 110, 50, 170), Window(200, 290, 250, 400)]
    patched = open_run(str(handmade.make(tmp_path, patches=windows)))
    (path,) = cog.export(patched, tmp_path / "maps", names=["velocity"])
    expected = np.full(handmade.SHAPE, np.nan, np.float32)
    for window in windows:
        inside = window.rows, window.columns
        expected[inside] = handmade.velocity(GROUND)[inside]
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(1), expected)


def test_styles_colour_towards_blue_and_away_red(files: dict[str, Path]) -> None:
    items = ElementTree.parse(files["velocity"].with_suffix(".qml")).findall(".//item")
    values = [float(item.get("value", "")) for item in items]
    assert values == sorted(values)
    assert values[0] == -values[-1] <= -0.06
    first, last = (item.get("color", "") for item in (items[0], items[-1]))
    assert int(first[1:3], 16) > int(first[5:], 16)
    assert int(last[1:3], 16) < int(last[5:], 16)
    entries = ElementTree.parse(files["class"].with_suffix(".qml")).findall(".//paletteEntry")
    assert [entry.get("label") for entry in entries] == ["no_data", "good", "foreshortened", "layover", "shadow"]


def test_only_whole_files_have_a_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that breaks off leaves older files as they were, and nothing beside them."""
    cog.export(run, tmp_path, names=["velocity"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(before) == 2

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rasterio.io.DatasetWriter, "set_band_description", stop)
    with pytest.raises(KeyboardInterrupt):
        cog.export(run, tmp_path, names=["velocity"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_unknown_names_are_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no map 'speed'"):
        cog.export(run, tmp_path / "maps", names=["velocity", "speed"])
    with pytest.raises(KeyError, match="no burst 't9'"):
        cog.export(run, tmp_path / "maps", bursts=["t9"])
    assert not (tmp_path / "maps").exists()


def test_radar_geometry_is_refused_by_name(tmp_path: Path) -> None:
    header, _ = steady.in_radar(GROUND)
    run = open_run(str(handmade.make(tmp_path, [header])))
    with pytest.raises(ValueError, match=f"{handmade.BURST}.*radar geometry"):
        cog.export(run, tmp_path / "maps")


def test_damaged_values_are_named_with_their_remedy(tmp_path: Path) -> None:
    import dask.array as da

    def tear(_: object) -> None:
        raise RuntimeError("error during blosc decompression")

    torn = da.zeros((600, 600), dtype=np.float32).map_blocks(tear, dtype=np.float32, meta=np.empty((0, 0), np.float32))
    with pytest.raises(DataError, match=r"a of b in r cannot be read.*slidecloud verify"):
        cog.write(_layer(torn), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


MEMORY = """
import resource, sys
from pathlib import Path
import dask.array as da, numpy as np, xarray as xr
from slidecloud.products import cog
from slidecloud.products.layers import Layer
from slidecloud.types import Grid

def write(size, name):
    lines = da.arange(size, chunks=512, dtype=np.float32)
    array = xr.DataArray(lines[:, None] - lines[None, :] / size, dims=("y", "x"))
    cog.write(Layer("b", "a", array, Grid("EPSG:32648", 0.0, 0.0, 20.0, -20.0, size, size), "g", "r"), Path(name))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = write(600, "small.tif")
print(write(int(sys.argv[1]), "large.tif") - before)
"""


@pytest.mark.parametrize("size", [6_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_memory_is_that_of_some_blocks(size: int, tmp_path: Path) -> None:
    """A map of 137 MiB, and one of 1.5 GiB, in no more than 130 MiB beyond what a small one takes."""
    program = [sys.executable, "-c", MEMORY, str(size)]
    finished = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert float(finished.stdout) < 130
    with rasterio.open(tmp_path / "large.tif") as raster:
        assert raster.read(1, window=((size - 1, size), (0, 1)))[0, 0] == size - 1
