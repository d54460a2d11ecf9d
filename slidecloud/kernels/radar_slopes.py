"""Slope and aspect of ground that is sampled in radar geometry, where rows and columns run askew to the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.kernels.places import EARTH_RADIUS
from slidecloud.kernels.terrain import SlopeAspect, gradient

_FOLDED = 0.1
"""Share of the median area of a pixel on the map below which its place tells no slope: ground in layover."""


def slope_aspect(elevation: ArrayLike, latitude: ArrayLike, longitude: ArrayLike) -> SlopeAspect:
    """Slope and downslope direction of every pixel, from where each pixel lies.

    Rises of elevation, easting and northing along rows and columns (Horn's operator, `slidecloud.kernels.terrain`) give
    the rise per metre eastward and northward. Places may be uneven, as they are where each pixel was geocoded over the
    terrain; where pixels fold over each other the slope is NaN.

    Parameters
    ----------
    elevation
        (y, x), m; NaN = no data.
    latitude, longitude
        (y, x), degrees, of the pixel centres; longitudes may cross the antimeridian.

    Raises
    ------
    ValueError
        If the arrays are not of one 2-D shape.
    """
    height, north, east = (np.asarray(values, np.float64) for values in (elevation, latitude, longitude))
    if not height.shape == north.shape == east.shape:
        raise ValueError(
            f"latitude, longitude: found shapes {north.shape} and {east.shape}, expected that of the elevation "
            f"{height.shape}"
        )
    metres = np.radians(1.0) * EARTH_RADIUS
    away = np.mod(east - np.nanmedian(east) + 180.0, 360.0) - 180.0
    fields = (height, away * metres, north * metres)
    (z_y, z_x), (e_y, e_x), (n_y, n_x) = (gradient(field, spacing=(1.0, 1.0)) for field in fields)
    # Degrees of longitude are as long as they are where the pixel lies.
    e_y, e_x = (step * np.cos(np.radians(north)) for step in (e_y, e_x))
    area = e_x * n_y - e_y * n_x
    area[np.abs(area) < _FOLDED * np.nanmedian(np.abs(area))] = np.nan
    rise_east = (z_x * n_y - z_y * n_x) / area
    rise_north = (e_x * z_y - e_y * z_x) / area
    slope = np.arctan(np.hypot(rise_east, rise_north)).astype(np.float32)
    aspect = np.mod(np.arctan2(-rise_east, -rise_north), 2.0 * np.pi).astype(np.float32)
    aspect[(slope == 0.0) | (aspect >= np.float32(2.0 * np.pi))] = 0.0
    return SlopeAspect(slope, aspect)
