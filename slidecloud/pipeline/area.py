"""Pixels of a burst that a reference point or area names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_timeseries import ReferenceConfig
from slidecloud.types import DataError, Grid, StackHeader


def reference_mask(header: StackHeader, reference: ReferenceConfig) -> NDArray[np.bool_]:
    """Pixels of the reference, (pixel,) in row-major order.

    Raises
    ------
    DataError
        If the burst does not cover it, or lies in radar geometry.
    """
    if header.grid is None:
        raise DataError(
            f"Stack {header.id} is in radar geometry; a reference {reference.kind} in degrees needs map geometry. "
            "Use reference 'stable'."
        )
    rows, columns = _window(header.grid, reference)
    mask = np.zeros(header.shape, np.bool_)
    mask[rows, columns] = True
    if not mask.any():
        place = reference.point if reference.kind == "point" else reference.area
        raise DataError(
            f"The reference {reference.kind} {list(place or ())} (longitude, latitude) lies outside stack {header.id}. "
            "Choose one that every burst covers, or reference 'stable'."
        )
    return mask.ravel()


def _window(grid: Grid, reference: ReferenceConfig) -> tuple[slice, slice]:
    from pyproj import CRS, Transformer

    forward = Transformer.from_crs("EPSG:4326", CRS.from_user_input(grid.crs), always_xy=True)
    if reference.kind == "point":
        x, y = forward.transform(*(reference.point or (np.nan, np.nan)))
        if not (np.isfinite(x) and np.isfinite(y)):
            return slice(0), slice(0)
        row, column = int(np.floor((y - grid.top) / grid.dy)), int(np.floor((x - grid.left) / grid.dx))
        inside = 0 <= row < grid.height and 0 <= column < grid.width
        return (slice(row, row + 1), slice(column, column + 1)) if inside else (slice(0), slice(0))
    west, south, east, north = forward.transform_bounds(*(reference.area or (np.nan,) * 4))
    top, bottom = (max(0, round((y - grid.top) / grid.dy)) for y in (north, south))
    left, right = (max(0, round((x - grid.left) / grid.dx)) for x in (west, east))
    return slice(top, bottom), slice(left, right)
