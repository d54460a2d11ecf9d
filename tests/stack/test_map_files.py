"""Maps as files: GeoTIFF and Zarr give the same window, here and in a bucket, and what is no map is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import terrain_files as files
import xarray as xr
from pyproj import CRS

from slidecloud.stack.map_files import open_map
from slidecloud.stack.shapes import open_shapes
from slidecloud.store import locate
from slidecloud.types import DataError

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


def write_zarr(path: Path, values: Any = VALUES, *, flip: bool = False, crs: bool = True) -> Path:
    y = 3_300_000 - 30.0 * (np.arange(values.shape[0]) + 0.5)
    x = 400_000 + 30.0 * (np.arange(values.shape[1]) + 0.5)
    dataset = xr.Dataset({"ndvi": (("y", "x"), values)}, coords={"y": y[::-1] if flip else y, "x": x})
    if crs:
        dataset["ndvi"].attrs["grid_mapping"] = "spatial_ref"
        dataset = dataset.assign_coords(spatial_ref=((), 0, {"crs_wkt": CRS.from_epsg(32648).to_wkt()}))
    dataset.to_zarr(path, zarr_format=3, consolidated=False)
    return path


@pytest.fixture(params=["tif", "zarr"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "zarr":
        return str(write_zarr(tmp_path / "map.zarr", np.where(VALUES == 5, np.nan, VALUES)))
    about = {"crs": files.CRS, "left": 400_000, "top": 3_300_000, "step": 30.0, "nodata": 5.0}
    return str(files.write_map(tmp_path / "map.tif", VALUES, **about))


def test_windows_reach_beyond_the_border_with_nan(path):
    found = open_map(path)
    assert (found.grid.crs, found.grid.left, found.grid.top) == ("EPSG:32648", 400_000, 3_300_000)
    assert (found.grid.dx, found.grid.dy, found.grid.height, found.grid.width) == (30, -30, 3, 4)
    expected = np.full((5, 6), np.nan, np.float32)
    expected[1:4, 1:5] = VALUES
    expected[2, 2] = np.nan
    np.testing.assert_array_equal(found.read(-1, -1, 5, 6), expected)
    np.testing.assert_array_equal(found.read(1, 2, 2, 1), VALUES[1:, 2:3])
    assert np.isnan(found.read(40, 40, 2, 2)).all()


def test_a_file_that_changes_has_another_fingerprint(path):
    before = open_map(path).fingerprint
    assert open_map(path).fingerprint == before
    if path.endswith(".tif"):
        files.write_map(Path(path), VALUES + 1, crs=files.CRS, left=400_000, top=3_300_000, step=30.0)
    else:
        Path(path, "ndvi", "c", "0", "0").write_bytes(b"x")
    assert open_map(path).fingerprint != before


def test_a_store_is_opened_once_for_many_windows(tmp_path, monkeypatch):
    opened = []
    plain = xr.open_zarr
    monkeypatch.setattr(xr, "open_zarr", lambda *about, **more: opened.append(about) or plain(*about, **more))
    options = {"client_kwargs": {"region_name": "somewhere"}}  # with values that have no hash
    place = write_zarr(tmp_path / "map.zarr")
    found = open_map(str(place), options=options)
    for _ in range(5):
        np.testing.assert_array_equal(found.read(0, 0, 3, 4), VALUES)
    assert len(opened) <= 2
    shutil.rmtree(place)
    write_zarr(place, VALUES[:2, :3] + 20)
    np.testing.assert_array_equal(open_map(str(place), options=options).read(0, 0, 2, 3), VALUES[:2, :3] + 20)


def test_a_remote_map_is_read_as_a_local_one(tmp_path, endpoint):
    files.write_map(tmp_path / "map.tif", VALUES, crs=files.CRS, left=400_000, top=3_300_000, step=30.0)
    url, options = "s3://slides", {"endpoint_url": endpoint}
    locate(url, options).write("maps/map.tif", (tmp_path / "map.tif").read_bytes())
    found = open_map(f"{url}/maps/map.tif", options=options)
    np.testing.assert_array_equal(found.read(0, 0, 3, 4), VALUES)
    files.rivers().to_parquet(tmp_path / "rivers.parquet")
    locate(url, options).write("maps/rivers.parquet", (tmp_path / "rivers.parquet").read_bytes())
    assert len(open_shapes(f"{url}/maps/rivers.parquet", options=options).read()) == 3
    with pytest.raises(FileNotFoundError, match="There is no object"):
        open_map(f"{url}/maps/none.tif", options=options)


def test_what_is_no_map_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        open_map(str(tmp_path / "none.tif"))
    (tmp_path / "text.tif").write_text("no map")
    with pytest.raises(DataError, match=r"text.tif cannot be read as a GeoTIFF"):
        open_map(str(tmp_path / "text.tif"))
    with pytest.raises(DataError, match="expected rows from north to south"):
        open_map(str(write_zarr(tmp_path / "flipped.zarr", flip=True)))
    with pytest.raises(DataError, match="no coordinate reference system"):
        open_map(str(write_zarr(tmp_path / "nowhere.zarr", crs=False)))
    with pytest.raises(DataError, match="no map 'evi'; name one with the key 'variable': ndvi"):
        open_map(str(write_zarr(tmp_path / "other.zarr")), variable="evi")
    with pytest.raises(FileNotFoundError, match="There is no Zarr store"):
        open_map(str(tmp_path / "none.zarr"))


def test_what_holds_no_shapes_is_named(tmp_path):
    (tmp_path / "text.gpkg").write_text("no shapes")
    with pytest.raises(DataError, match=r"text.gpkg cannot be read"):
        open_shapes(str(tmp_path / "text.gpkg")).read()
    files.rivers().iloc[:0].to_parquet(tmp_path / "empty.parquet")
    with pytest.raises(DataError, match=r"empty.parquet has no geometries"):
        open_shapes(str(tmp_path / "empty.parquet")).read()
