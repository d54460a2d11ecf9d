"""The catalogue: valid by pystac, complete, with places, dates and assets that are really there."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import handmade
import numpy as np
import pystac
import pytest
import rasterio
import shapely
import steady
import xarray as xr
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.validation import validate_dict

from slidecloud.products import cog, stac
from slidecloud.store import Run, locate, open_run

GROUND = steady.header(handmade.SHAPE, burst=handmade.BURST)


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("catalogue")
    cog.export(run, out, names=["velocity", "displacement", "density"])
    written = stac.export(run, out)
    assert [path.relative_to(out).as_posix() for path in written] == [
        "collection.json", f"{handmade.BURST}/{handmade.BURST}.json", "products/products.json",
    ]  # fmt: skip
    return out


def test_every_document_is_valid(folder: Path) -> None:
    """Against the core schemas that pystac brings; those of extensions would have to be fetched."""
    for path in folder.rglob("*.json"):
        assert validate_dict(json.loads(path.read_text()), extensions=[], href=str(path))
    catalogue = pystac.Collection.from_file(str(folder / "collection.json"))
    items = {item.id: item for item in catalogue.get_items()}
    assert [*items] == [handmade.BURST, "products"]
    assert all(item.get_collection() is catalogue for item in items.values())
    assert catalogue.extent.temporal.intervals[0][0].isoformat() == "2021-01-05T11:12:13+00:00"


def _item(folder: Path, name: str = handmade.BURST) -> pystac.Item:
    return pystac.Item.from_file(str(folder / name / f"{name}.json"))


def test_the_burst_lies_where_its_grid_does(folder: Path) -> None:
    item = _item(folder)
    outline = shapely.geometry.shape(item.geometry)
    assert outline.is_valid
    assert outline.exterior.is_ccw
    west, south = steady.position(GROUND, handmade.SHAPE[0], 0)
    east, north = steady.position(GROUND, 0, handmade.SHAPE[1])
    assert item.bbox == pytest.approx([west, south, east, north], abs=2e-4)
    assert outline.contains(handmade.outline(GROUND))
    projection = ProjectionExtension.ext(item)
    assert projection.code == "EPSG:32648"
    assert projection.shape == [*handmade.SHAPE]
    assert projection.transform == [40.0, 0.0, 500_000.0, 0.0, -40.0, 3_400_000.0]


def test_radar_and_processing_are_told(folder: Path) -> None:
    told = _item(folder).properties
    assert told["sar:center_frequency"] == pytest.approx(5.405, abs=1e-3)
    assert (told["sar:looks_range"], told["sar:looks_azimuth"]) == (8, 2)
    assert (told["sat:orbit_state"], told["sat:relative_orbit"]) == ("ascending", 26)
    assert (told["sar:relative_burst"], told["sar:beam_ids"]) == (1, ["IW2"])
    assert told["processing:software"].keys() == {"slidecloud"}
    assert told["datetime"] is None


def test_assets_open_from_where_the_document_lies(folder: Path) -> None:
    item = _item(folder)
    assert set(item.assets) == {"gradients", "timeseries", "visibility", "velocity_cog", "displacement_cog"}
    series = xr.open_zarr(item.assets["timeseries"].get_absolute_href())
    np.testing.assert_array_equal(series["velocity"].values, handmade.velocity(GROUND))
    asset = item.assets["velocity_cog"]
    with rasterio.open(asset.get_absolute_href()) as raster:
        assert np.nanmax(raster.read(1)) < 0
    assert FileExtension.ext(asset).size == Path(asset.get_absolute_href()).stat().st_size
    assert [band["unit"] for band in asset.extra_fields["bands"]] == ["m year-1"]
    assert len(item.assets["displacement_cog"].extra_fields["bands"]) == len(handmade.DATES)
    products = _item(folder, "products")
    assert set(products.assets) == {"landslides", "stability", "points", "density", "density_cog"}
    assert all(Path(asset.get_absolute_href()).exists() for asset in products.assets.values())


def test_runs_in_radar_geometry_are_placed_by_their_coordinates(tmp_path: Path) -> None:
    header, _ = steady.in_radar(GROUND)
    stac.export(open_run(str(handmade.make(tmp_path, [header]))), tmp_path / "out")
    item = _item(tmp_path / "out")
    outline = shapely.geometry.shape(item.geometry)
    assert outline.exterior.is_ccw
    assert outline.contains(handmade.outline(header))
    assert "proj:code" not in item.properties


def test_what_lies_in_a_bucket_is_named_by_its_address() -> None:
    run = SimpleNamespace(location=locate("s3://slides/run.zarr"))
    assert stac._href(run, "products/points.parquet", Path("out")) == "s3://slides/run.zarr/products/points.parquet"


def test_unknown_bursts_are_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no burst 't9'"):
        stac.export(run, tmp_path / "out", bursts=["t9"])
    assert not (tmp_path / "out").exists()


def test_the_same_run_makes_the_same_bytes(run: Run, tmp_path: Path) -> None:
    first, second = ([path.read_bytes() for path in stac.export(run, tmp_path / name)] for name in ("ab", "cd"))
    assert first == second
