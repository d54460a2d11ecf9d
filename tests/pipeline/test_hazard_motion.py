"""Deformation and inventory of a run as factors: what the run says at a place, of one track, up to a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
import xarray as xr
from pyproj import CRS, Transformer

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_factors import compute
from slidecloud.pipeline.verify import verify
from slidecloud.store import open_run
from slidecloud.types import track_of


@pytest.fixture(scope="module", params=["map", "radar"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one burst, not to be changed but by hazard."""
    return small.finished(tmp_path_factory.mktemp("run"), small.scene(geometry=request.param))


def places(run: Path) -> tuple[Any, Any, str]:
    """Longitude and latitude of all pixels of the burst, and the UTM zone they lie in."""
    opened = open_run(str(run))
    series, header = opened.timeseries(small.BURST), opened.header(small.BURST)
    if header.grid is None:
        longitude, latitude = series.longitude.values, series.latitude.values
    else:
        turn = Transformer.from_crs(CRS.from_user_input(header.grid.crs), "EPSG:4326", always_xy=True)
        longitude, latitude = turn.transform(*np.meshgrid(header.grid.x, header.grid.y))
    zone = int((np.mean(longitude) + 180) // 6) + 1
    return longitude, latitude, f"EPSG:{32600 + zone}"


def config(run: Path, factors: dict[str, Any]) -> HazardConfig:
    longitude, latitude, crs = places(run)
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude)
    step = 60.0
    west, south = (np.floor(axis.min() / step) * step - 5 * step for axis in (x, y))
    east, north = (np.ceil(axis.max() / step) * step + 5 * step for axis in (x, y))
    grid = {"crs": crs, "spacing": step, "bounds": (west, south, east, north)}
    return HazardConfig.model_validate({"run": str(run), "grid": grid, "factors": factors})


def made(run: Path) -> xr.Dataset:
    return xr.open_zarr(run / "hazard" / "factors", chunks=None, decode_coords="all")


def test_rate_and_displacement_are_those_of_the_run(run):
    opened = open_run(str(run))
    series = opened.timeseries(small.BURST)
    middle = series.time.values[5].astype("datetime64[D]")
    factors = {
        "los_rate": {"track": track_of(opened.header(small.BURST))},
        "moved": {"kind": "los_displacement"},
        "earlier": {"kind": "los_displacement", "until": str(middle)},
        "slides": {"kind": "density", "radius": 900},
    }
    settings = config(run, factors)
    summary = compute(settings, executor=serial())
    assert summary.exit_code == 0, summary.lines()
    found = made(run)
    assert found.attrs["deformation_ends"]["earlier"] == str(middle)
    assert found.attrs["deformation_ends"]["moved"] == str(series.time.values[-1].astype("datetime64[D]"))
    longitude, latitude, crs = places(run)
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(
        longitude[8:-8:6, 8:-8:6], latitude[8:-8:6, 8:-8:6]
    )
    inside = slice(8, -8, 6), slice(8, -8, 6)
    expected = {
        "los_rate": series.velocity.values[inside],
        "los_rate_sigma": series.velocity_sigma.values[inside],
        "moved": series.displacement.values[-1][inside],
        "earlier": series.displacement.values[5][inside],
    }
    for name, values in expected.items():
        near = found[name].interp(x=xr.DataArray(x), y=xr.DataArray(y)).values
        known = np.isfinite(near) & np.isfinite(values)
        assert known.mean() > 0.5
        # A sample is a mean over its surroundings: it keeps what changes slowly.
        spread = np.nanstd(values)
        assert np.nanmedian(np.abs(near - values)[known]) < 0.35 * spread, name
        assert np.corrcoef(near[known], values[known])[0, 1] > 0.8, name
    cells = 60.0**2 / 1e6
    assert float(found.slides.sum()) * cells == pytest.approx(len(opened.inventory), rel=0.02)
    again = compute(settings, executor=serial())
    assert again.done == 0
    assert verify(str(run)).damaged == ()


def test_tracks_and_days_that_are_not_there_are_refused(run):
    with pytest.raises(ConfigError, match=r"factors\.los_rate names the track 'ascending 999'; .* never mixed"):
        compute(config(run, {"los_rate": {"track": "ascending 999"}}), executor=serial())
    with pytest.raises(ConfigError, match="until is 2001-01-01, and displacement begins on"):
        compute(config(run, {"los_displacement": {"until": date(2001, 1, 1)}}), executor=serial())
