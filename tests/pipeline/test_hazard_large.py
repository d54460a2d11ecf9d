"""Factors of a nation: memory is bounded, and no tiling shows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import terrain_files as files
import xarray as xr
import yaml
from rasterio.transform import Affine
from rasterio.windows import Window

from slidecloud.config_hazard import load
from slidecloud.hazard.factors import grid_of
from slidecloud.pipeline.hazard_factors import sources_of
from slidecloud.store import locate

LEFT, TOP, STEP = 300_000.0, 3_600_000.0, 30.0


def write_ground(path: Path, size: int) -> None:
    """Hills of several sizes, written some rows at a time."""
    rng = np.random.default_rng(5)
    about: dict[str, Any] = {
        "driver": "GTiff", "count": 1, "height": size, "width": size, "dtype": "float32", "crs": files.CRS,
        "transform": Affine(STEP, 0, LEFT, 0, -STEP, TOP), "tiled": True, "bigtiff": "yes",
    }  # fmt: skip
    column = np.arange(size)
    with rasterio.open(path, "w", **about) as file:
        for top in range(0, size, 512):
            row = np.arange(top, min(top + 512, size))[:, None]
            ground = 900 + 500 * np.sin(column / 190) * np.cos(row / 230) + 60 * np.sin(column / 17 + row / 23)
            ground += rng.normal(0, 0.5, ground.shape)
            ground[ground < 350] = np.nan
            file.write(ground.astype(np.float32), 1, window=Window(0, top, size, len(row)))


def write_rivers(path: Path, size: int, count: int) -> None:
    """Winding rivers, some 20 vertices a kilometre."""
    rng = np.random.default_rng(6)
    place = np.cumsum(rng.normal(0, 35, (count, 3000, 2)), axis=1) + rng.uniform(0, size * STEP, (count, 1, 2))
    lines = shapely.linestrings(place * (1, -1) + (LEFT, TOP))
    geopandas.GeoDataFrame(geometry=lines, crs=files.CRS).to_parquet(path)


def prepare(folder: Path, size: int, *, rivers: int) -> Path:
    """A region of so many pixels along each side, and its YAML."""
    write_ground(folder / "dem.tif", size)
    write_rivers(folder / "rivers.parquet", size, rivers)
    extent = size * STEP
    content = {
        "store": "hazard.zarr",
        "grid": {"crs": files.CRS, "spacing": STEP, "bounds": [LEFT, TOP - extent, LEFT + extent, TOP]},
        "factors": {
            "elevation": {"kind": "raster", "path": "dem.tif", "units": "m"},
            **dict.fromkeys(("slope", "aspect", "profile_curvature", "plan_curvature")),
            "rivers": {"kind": "distance", "path": "rivers.parquet"},
        },
        "resources": {"executor": "serial", "memory": "3 GiB"},
    }
    (folder / "hazard.yaml").write_text(yaml.safe_dump(content))
    return folder / "hazard.yaml"


def compute(config: Path) -> tuple[float, float]:
    """Seconds and bytes of memory that the command takes in a process of its own."""
    began = time.monotonic()
    command = [sys.executable, "-m", "slidecloud", "hazard", "factors", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.monotonic() - began, 1024.0 * used.ru_maxrss


def check_windows(config: Path, count: int) -> None:
    """Windows of any place and size hold the bits that the tiles of the command were given."""
    settings = load(config)
    grid = grid_of(settings.grid)
    stored = xr.open_zarr(Path(settings.place) / "hazard" / "factors", chunks=None)
    rng = np.random.default_rng(8)
    for source in sources_of(settings, locate(settings.place), grid):
        for _ in range(count):
            height, width = rng.integers(1, 700, 2)
            top, left = rng.integers(0, grid.height - height), rng.integers(0, grid.width - width)
            rows, columns = slice(int(top), int(top + height)), slice(int(left), int(left + width))
            for name, values in source.make(rows, columns).items():
                np.testing.assert_array_equal(stored[name].values[rows, columns], values, err_msg=name)


def plain(ground: Any) -> Any:
    """Slope, aspect and both curvatures the plain NumPy way, as one would write them for a single tile."""
    rise_y, rise_x = np.gradient(ground, STEP)
    bend_y, cross = np.gradient(rise_y, STEP)
    bend_x = np.gradient(rise_x, STEP, axis=1)
    steep = rise_x**2 + rise_y**2
    along = -(rise_x**2 * bend_x + 2 * rise_x * rise_y * cross + rise_y**2 * bend_y)
    across = -(rise_y**2 * bend_x - 2 * rise_x * rise_y * cross + rise_x**2 * bend_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            np.arctan(np.sqrt(steep)), np.arctan2(-rise_x, rise_y), along / (steep * (1 + steep) ** 1.5),
            across / steep**1.5,
        )  # fmt: skip


def test_windows_of_a_small_region_hold_the_same_bits(tmp_path: Path) -> None:
    config = prepare(tmp_path, 900, rivers=3)
    compute(config)
    check_windows(config, 4)


@pytest.mark.long
def test_a_nation_takes_less_than_four_gigabytes(tmp_path: Path, record_property: Any) -> None:
    size = 14_000
    config = prepare(tmp_path, size, rivers=300)
    seconds, memory = compute(config)
    with rasterio.open(tmp_path / "dem.tif") as file:
        ground = file.read(1, window=Window(0, 0, 2048, 2048)).astype(np.float64)
    began = time.process_time()
    plain(ground)
    record_property("seconds of the command", seconds)
    record_property("pixels a second, five factors written", size**2 / seconds)
    record_property("pixels a second, four terrain factors by plain NumPy", ground.size / (time.process_time() - began))
    record_property("peak memory in GiB", memory / 2**30)
    assert memory < 4 * 2**30
    check_windows(config, 6)
