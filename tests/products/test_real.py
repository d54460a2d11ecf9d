"""Every writer on a run of real interferograms: Sentinel-1 over Mexico City, which sinks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import h5py
import numpy as np
import pytest
import rasterio
import rio_cogeo
import runs
import xarray as xr
from kml import valid
from pystac.validation import validate_dict

from slidecloud.plots.balloons import Balloons
from slidecloud.products import cog, kmz, mintpy, multiscales, stac, vectors
from slidecloud.products.overlays import overlays
from slidecloud.stack.source import WavelengthWarning
from slidecloud.store import Run, open_run

BURST = "mexico_city"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, real_data: Any) -> Run:
    source, folder = real_data("mexico_city_s1"), tmp_path_factory.mktemp("mexico")
    with pytest.warns(WavelengthWarning):
        summary = runs.rerun(
            folder,
            f"sources: [{{path: '{source}', id: {BURST}}}]",
            "gradients: {window_pixels: 3, max_days: 36}",
            "resources: {executor: serial}",
        )
    assert summary.exit_code == 0
    return open_run(str(folder / "run.zarr"))


def test_maps_are_valid_cogs_and_the_city_sinks(city: Run, tmp_path: Path) -> None:
    for path in cog.export(city, tmp_path):
        assert rio_cogeo.cog_validate(str(path), strict=True)[0]
    with rasterio.open(tmp_path / f"{BURST}_velocity.tif") as raster:
        found = raster.read(1)
        assert raster.crs.to_epsg() == 4326
    np.testing.assert_array_equal(found, city.timeseries(BURST)["velocity"].values)
    assert np.nanmin(found) < -0.2
    assert -np.nanmin(found) > 3 * np.nanmax(found)


def test_mintpy_files_hold_the_series(city: Run, tmp_path: Path) -> None:
    written = mintpy.export(city, tmp_path)
    series = city.timeseries(BURST)
    with h5py.File(written[0]) as file:
        np.testing.assert_array_equal(file["timeseries"], series["displacement"].values)
        assert file.attrs["X_UNIT"] == "degrees"
        assert file["date"][0] == b"20180106"
        assert np.ptp(file["bperp"]) > 10
        row, column = int(file.attrs["REF_Y"]), int(file.attrs["REF_X"])
    assert series["stable"].values[row, column] == 1


def test_pyramids_tables_and_catalogue_are_whole(city: Run, tmp_path: Path) -> None:
    path = multiscales.export(city, tmp_path / "maps.zarr", names=["velocity"])
    level = xr.open_zarr(path, group=f"{BURST}/0")
    np.testing.assert_array_equal(level["velocity"].values, city.timeseries(BURST)["velocity"].values)
    for document in stac.export(city, tmp_path / "stac"):
        assert validate_dict(json.loads(document.read_text()), extensions=[])
    (package,) = vectors.write(vectors.read(city), tmp_path, "gpkg")
    assert len(geopandas.read_file(package, layer="landslides")) == len(city.inventory)
    valid(kmz.write(city.inventory, tmp_path / "a.kmz", picture=Balloons(city)))
    (overlay,) = overlays(city)
    assert overlay.style.limits[0] < -0.2
    assert -99.3 < overlay.west < overlay.east < -98.8
