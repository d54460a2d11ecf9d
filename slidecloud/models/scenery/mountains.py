"""Mountain ranges that tiles are cut from: simulated, or those of a real elevation model."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import rasterio
import rasterio.warp
from scipy import ndimage

from slidecloud.simulate.terrain import fractal_mountains
from slidecloud.stack import warped
from slidecloud.types import DataError, Float32, Grid

SPACING = 80.0
SIDE = 400
_MOST_UNKNOWN = 0.2


@lru_cache(maxsize=2)
def mountains(number: int, dem: str | None = None) -> Float32:
    """The range of a number, m, float32 (`SIDE`, `SIDE`) at `SPACING`.

    Parameters
    ----------
    number
        Another number is another range: another steepness, or another part of the elevation model.
    dem
        A raster of elevations in any CRS; None simulates.

    Raises
    ------
    DataError
        If the raster cannot be read or has nowhere enough data.
    """
    rng = np.random.default_rng(number)
    if dem is not None:
        return _part(dem, rng)
    steepness = math.radians(rng.uniform(14.0, 30.0))
    return fractal_mountains(number, shape=(SIDE, SIDE), spacing=(SPACING, SPACING), mean_slope=steepness, lowest=300.0)


def _part(dem: str, rng: np.random.Generator) -> Float32:
    """A random part of an elevation model; small gaps take the nearest value."""
    for _ in range(20):
        height = warped.on_grid(dem, _around(*_place(dem, rng)), how="bilinear")
        gaps = np.isnan(height)
        if gaps.mean() <= _MOST_UNKNOWN:
            nearest = ndimage.distance_transform_edt(gaps, return_distances=False, return_indices=True)
            return np.ascontiguousarray(height[tuple(nearest)])
    extent = SIDE * SPACING / 1000.0
    raise DataError(
        f"{dem} has no part of {extent:.0f} x {extent:.0f} km with elevations on {1 - _MOST_UNKNOWN:.0%} of it, which "
        "tiles need. Give a larger elevation model, or leave it out to simulate mountains."
    )


def _place(dem: str, rng: np.random.Generator) -> tuple[float, float]:
    """Longitude and latitude of a random place where a part fits, or of the middle where none does."""
    try:
        with rasterio.open(dem) as dataset:
            west, south, east, north = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
    except (rasterio.errors.RasterioError, AttributeError) as error:
        raise DataError(f"{dem} cannot be read as an elevation model with a CRS ({error}); check the path.") from None
    middle = 0.5 * (south + north)
    half = 0.5 * SIDE * SPACING / 111_000.0
    widths = (half / max(0.1, math.cos(math.radians(middle))), half)
    places = []
    for low, high, width in ((west, east, widths[0]), (south, north, widths[1])):
        inner = (low + width, high - width)
        places.append(rng.uniform(*inner) if inner[0] < inner[1] else 0.5 * (low + high))
    return float(places[0]), float(places[1])


def _around(longitude: float, latitude: float) -> Grid:
    """A grid in UTM around a place."""
    from pyproj import Transformer

    zone = int((longitude + 180.0) // 6.0) % 60 + 1
    crs = f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude)
    half = 0.5 * SIDE * SPACING
    return Grid(crs, x - half, y + half, SPACING, -SPACING, SIDE, SIDE)
