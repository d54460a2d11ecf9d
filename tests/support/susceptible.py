"""A simulated region as files, and the configuration of its susceptibility."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
import terrain_files as files
from region import SPACING, Region, region

from slidecloud.config_hazard import HazardConfig
from slidecloud.pipeline import hazard_factors
from slidecloud.pipeline.executors import serial

CRS = "EPSG:32648"
LEFT, TOP = 400_000.0, 3_400_000.0
FACTORS = ("slope", "wetness", "distance", "rate")
SECTION: dict[str, Any] = {
    "slides": "slides.gpkg",
    "date": "day",
    "factors": ["slope", "wetness", "distance", "rock"],
    "models": ["logistic"],
    "absences": {"ratio": 2},
    "splits": {"method": "blocks", "block": 2000, "number": 3, "repeats": 2},
    "draws": 100,
}
TILE = {"tile": [256, 512]}


def write(folder: Path, *, side: int = 300, gain: float = 0.0, mean: float = -5.0, seed: int = 0) -> Region:
    """Factors as maps, with a hole in one of them, and slides as points with a day in 2021."""
    land = region(seed, side=side, gain=gain, mean=mean)
    place: dict[str, Any] = {"crs": CRS, "left": LEFT, "top": TOP, "step": SPACING, "nodata": -99}
    for name in FACTORS:
        values = land.table[name].to_numpy(np.float32).reshape(side, side)
        if name == "wetness":
            values = values.copy()
            values[:5, :40] = -99
        files.write_map(folder / f"{name}.tif", values, **place)
    height = 800 + 300 * land.table["slope"].to_numpy(np.float32).reshape(side, side)
    files.write_map(folder / "elevation.tif", height, **place)
    rock = (land.table["distance"].to_numpy().reshape(side, side) > 0).astype(np.uint8)
    files.write_map(folder / "rock.tif", rock, **place | {"nodata": 255})
    x, y = LEFT + land.x[land.slid] + SPACING / 2, TOP - land.y[land.slid] - SPACING / 2
    days = np.datetime64("2021-01-01") + (np.arange(x.size) % 300).astype("timedelta64[D]")
    shapes = geopandas.GeoDataFrame({"day": days.astype(str)}, geometry=shapely.points(x, y), crs=CRS)
    shapes.to_file(folder / "slides.gpkg")
    return land


def config(
    folder: Path, store: Path, *, side: int = 300, section: dict[str, Any] | None = None, **more: Any
) -> HazardConfig:
    """The configuration of these files."""
    reach = side * SPACING
    names = (*FACTORS, "elevation")
    factors: dict[str, Any] = {name: {"kind": "raster", "path": str(folder / f"{name}.tif")} for name in names}
    factors["rock"] = {"kind": "category", "path": str(folder / "rock.tif"), "classes": {0: "slate", 1: "marl"}}
    given = SECTION | {"slides": str(folder / "slides.gpkg")} | (section or {})
    grid = {"crs": CRS, "spacing": SPACING, "bounds": [LEFT, TOP - reach, LEFT + reach, TOP]}
    content = {"store": str(store), "grid": grid, "factors": factors, "susceptibility": given}
    return HazardConfig.model_validate({**content, **more})


def with_factors(settings: HazardConfig) -> HazardConfig:
    """The same, its factors made."""
    assert hazard_factors.compute(settings, executor=serial()).exit_code == 0
    return settings
