"""Metres between pixels of a stack, row by row where the grid is geographic."""

from __future__ import annotations

import math

import numpy as np

from slidecloud.types import Float64, StackHeader


def signed_spacing(header: StackHeader) -> tuple[float, Float64]:
    """Metres per pixel along increasing y (signed) and along increasing x for each row.

    Rows of a map run north to south, so the spacing along y is negative there: a gradient divided by it is per metre
    northward. In radar geometry both are positive (azimuth, range).

    Returns
    -------
    y, x
        Scalar m; (rows, 1) m.
    """
    height = header.shape[0]
    if header.grid is None:
        return header.spacing[0], np.full((height, 1), header.spacing[1])
    if not _is_geographic(header.grid.crs):
        return -header.spacing[0], np.full((height, 1), header.spacing[1])
    latitude = np.deg2rad(header.grid.y)
    middle = float(latitude[height // 2])
    per_row = header.spacing[1] * _parallel_radius(latitude) / _parallel_radius(np.array(middle))
    return -header.spacing[0], per_row[:, None]


def window_pixels(header: StackHeader, metres: float) -> tuple[int, int]:
    """Window (y, x) in whole pixels, at least 3, for a length in metres."""
    rows, columns = (max(3, math.floor(metres / step + 0.5)) for step in header.spacing)
    return rows, columns


def _is_geographic(crs: str) -> bool:
    from pyproj import CRS

    return bool(CRS.from_user_input(crs).is_geographic)


def _parallel_radius(latitude: Float64) -> Float64:
    """Radius of the parallel of a latitude (rad) on the WGS 84 ellipsoid, metres (Snyder 1987, p. 24)."""
    eccentricity_squared = 6.69437999014e-3
    radius: Float64 = 6378137.0 * np.cos(latitude) / np.sqrt(1 - eccentricity_squared * np.sin(latitude) ** 2)
    return radius
