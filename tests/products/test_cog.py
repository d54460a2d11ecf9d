"""GeoTIFFs hold the store's values exactly, where they lie, in their units, and are whole or absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import small

from slidecloud.products import cog
from slidecloud.store import Run, open_run
from slidecloud.store.trajectory_specs import TRAJECTORY
from slidecloud.types import DataError, Grid

FITTED = {spec.name for spec in TRAJECTORY}
PLAIN = tuple(name for name in cog.USUAL if name not in FITTED)
"""What a run without models of motion has."""


@pytest.fixture(scope="module")
def run(finished: Path) -> Run:
    return open_run(str(finished))


@pytest.fixture(scope="module")
def files(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    written = cog.export(run, tmp_path_factory.mktemp("maps"))
    return {path.stem.removeprefix(f"{small.BURST}_"): path for path in written}


def test_the_usual_maps_are_written(files: dict[str, Path]) -> None:
    assert tuple(files) == PLAIN


@pytest.mark.parametrize("name", PLAIN)
def test_values_units_and_place_are_the_stores(run: Run, files: dict[str, Path], name: str) -> None:
    group = run.timeseries(small.BURST) if name in run.timeseries(small.BURST) else run.gradients(small.BURST)
    stored, header = group[name], run.header(small.BURST)
    with rasterio.open(files[name]) as raster:
        assert raster.count == 1
        assert raster.dtypes == (str(stored.dtype),)
        np.testing.assert_array_equal(raster.read(1), stored.values)
        assert np.isnan(raster.nodata)
        assert raster.units == (stored.attrs["units"],)
        assert raster.descriptions == (stored.attrs["long_name"],)
        assert header.grid is not None
        assert raster.crs.to_string() == header.grid.crs
        assert raster.xy(0, 0) == pytest.approx((float(group.x[0]), float(group.y[0])))
        assert raster.xy(raster.height - 1, raster.width - 1) == pytest.approx((float(group.x[-1]), float(group.y[-1])))
        assert raster.tags()["burst"] == small.BURST


def test_files_are_cloud_optimised(tmp_path: Path) -> None:
    """A map larger than a block has overviews, and its layout is the one GDAL calls COG."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(700, 1100)).astype(np.float32)
    values[:50] = np.nan
    grid = Grid("EPSG:32648", 500_000.0, 3_000_000.0, 20.0, -20.0, 700, 1100)
    path = cog.write_map(values, {"units": "m"}, grid, tmp_path / "a.tif", tags={"burst": "b"})
    with rasterio.open(path) as raster:
        structure = raster.tags(ns="IMAGE_STRUCTURE")
        assert structure["LAYOUT"] == "COG"
        assert (structure["COMPRESSION"], structure["PREDICTOR"]) == ("DEFLATE", "3")
        assert raster.block_shapes == [(512, 512)]
        assert raster.overviews(1) == [2, 4]
        np.testing.assert_array_equal(raster.read(1), values)


def test_integers_and_other_maps_by_name(run: Run, tmp_path: Path) -> None:
    names = ["pair_count", "flags", "redundancy", "gradient_x"]
    written = cog.export(run, tmp_path, bursts=[small.BURST], names=names)
    assert [path.name for path in written] == [f"{small.BURST}_{name}.tif" for name in names]
    with rasterio.open(written[0]) as raster:
        assert raster.dtypes == ("int32",)
        np.testing.assert_array_equal(raster.read(1), run.gradients(small.BURST)["pair_count"].values)


def test_only_whole_files_have_a_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that breaks off leaves an older file as it was, and nothing beside it."""
    old = cog.export(run, tmp_path, names=["velocity"])[0]
    before = old.read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rasterio.io.BufferedDatasetWriter, "set_band_description", stop)
    with pytest.raises(KeyboardInterrupt):
        cog.export(run, tmp_path, names=["velocity"])
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == before


def test_unknown_names_are_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no map 'speed'"):
        cog.export(run, tmp_path / "maps", names=["velocity", "speed"])
    with pytest.raises(KeyError, match="no burst 't9'"):
        cog.export(run, tmp_path / "maps", bursts=["t9"])
    assert not (tmp_path / "maps").exists()


def test_radar_geometry_is_refused_by_name(tmp_path: Path) -> None:
    run = open_run(str(small.finished(tmp_path, small.scene(geometry="radar"))))
    with pytest.raises(ValueError, match=f"{small.BURST}.*radar geometry"):
        cog.export(run, tmp_path / "maps")


def test_damaged_values_are_named_with_their_remedy(run: Run) -> None:
    class Torn:
        @property
        def values(self) -> None:
            raise RuntimeError("error during blosc decompression")

    with pytest.raises(DataError, match="slidecloud verify"):
        cog.read_map(Torn(), "velocity of burst x", run)  # type: ignore[arg-type]
