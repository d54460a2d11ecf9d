"""Files of a small mountain region: elevation, rivers, rocks and past slides, in the grid's CRS or in degrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import Affine

CRS = "EPSG:32648"
SPACING = 30.0
BOUNDS = (400_000.0, 3_300_000.0, 418_300.0, 3_308_100.0)
SHAPE = (270, 610)


def height(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Smooth ground, m."""
    return 1500 + 400 * np.sin(x / 1700) * np.cos(y / 1300) + 0.05 * (x - BOUNDS[0])


def write_map(
    path: Path, values: NDArray[Any], *, crs: str, left: float, top: float, step: float, nodata: float | None = None
) -> Path:
    """A map as GeoTIFF."""
    about = {
        "driver": "GTiff", "count": 1, "height": values.shape[0], "width": values.shape[1], "dtype": values.dtype,
        "crs": crs, "transform": Affine(step, 0, left, 0, -step, top), "nodata": nodata,
    }  # fmt: skip
    with rasterio.open(path, "w", **about) as file:
        file.write(values, 1)
    return path


def write_elevation(path: Path, *, margin: int = 20) -> Path:
    """Elevation on the grid's lattice, some pixels wider on every side."""
    left, top = BOUNDS[0] - margin * SPACING, BOUNDS[3] + margin * SPACING
    rows, columns = (np.arange(size + 2 * margin) + 0.5 for size in SHAPE)
    x, y = np.meshgrid(left + SPACING * columns, top - SPACING * rows)
    return write_map(path, height(x, y).astype(np.float32), crs=CRS, left=left, top=top, step=SPACING)


def write_degrees(path: Path, *, step: float = 0.0005) -> Path:
    """The same ground in longitude and latitude."""
    turn = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    west, south, east, north = turn.transform_bounds(*BOUNDS)
    longitude = np.arange(west - 0.01, east + 0.01, step)
    latitude = np.arange(north + 0.01, south - 0.01, -step)
    x, y = turn.transform(*np.meshgrid(longitude, latitude), direction="INVERSE")
    values = height(np.asarray(x), np.asarray(y)).astype(np.float32)
    return write_map(path, values, crs="EPSG:4326", left=longitude[0] - step / 2, top=latitude[0] + step / 2, step=step)


def rivers() -> geopandas.GeoDataFrame:
    """Two rivers and a lake."""
    west, south, east, north = BOUNDS
    along = np.linspace(west, east, 80)
    lines = [
        shapely.LineString(np.column_stack([along, south + 2500 + 700 * np.sin(along / 900)])),
        shapely.LineString([(west - 500, north + 300), (west + 4000, south - 200)]),
    ]
    return geopandas.GeoDataFrame(geometry=[*lines, shapely.Point(west + 9000, north - 1500).buffer(600)], crs=CRS)


def rocks() -> geopandas.GeoDataFrame:
    """Two rocks side by side, and ground without one in the north."""
    west, south, east, north = BOUNDS
    middle = west + 7000
    return geopandas.GeoDataFrame(
        {"rock": ["granite", "red beds"]},
        geometry=[
            shapely.box(west - 1e4, south - 1e4, middle, north - 3000), shapely.box(middle, south, east, north - 3000),
        ],
        crs=CRS,
    )  # fmt: skip


def slides(count: int = 40, *, seed: int = 3) -> geopandas.GeoDataFrame:
    """Places of past slides, some beyond the border."""
    rng = np.random.default_rng(seed)
    west, south, east, north = BOUNDS
    place = rng.uniform((west - 1000, south - 1000), (east + 1000, north + 1000), (count, 2))
    return geopandas.GeoDataFrame(geometry=shapely.points(place), crs=CRS)
