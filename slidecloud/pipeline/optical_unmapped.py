"""How much of a polygon a scene did not map: under clouds, snow or water, or beyond its border."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard.factors import cell_of
from slidecloud.stack.map_files import MapFile
from slidecloud.types import Float64


def unmapped(mask: MapFile, shapes: NDArray[np.object_]) -> Float64:
    """Share of each polygon that a scene did not map, float64 (n,) in [0, 1], by the pixels whose centres lie inside.

    A polygon between the centres of pixels is judged by the pixel of a place inside it.

    Parameters
    ----------
    mask
        Above 0, or without data, where nothing is mapped.
    shapes
        (n,) polygons in longitude and latitude.
    """
    import shapely
    from pyproj import CRS, Transformer

    turn = Transformer.from_crs("EPSG:4326", CRS.from_user_input(mask.grid.crs), always_xy=True)
    laid = shapely.transform(shapes, lambda points: np.column_stack(turn.transform(*points.T)))
    return np.array([_share(mask, shape) for shape in laid], np.float64)


def _share(mask: MapFile, shape: Any) -> float:
    import shapely

    west, south, east, north = shape.bounds
    rows, columns = cell_of(mask.grid, np.array([west, east]), np.array([north, south]))
    top, left = math.floor(rows[0]), math.floor(columns[0])
    height, width = math.floor(rows[1]) + 1 - top, math.floor(columns[1]) + 1 - left
    covered = ~(mask.read(top, left, height, width) <= 0)
    grid = mask.grid
    x = grid.left + grid.dx * (left + 0.5 + np.arange(width))
    y = grid.top + grid.dy * (top + 0.5 + np.arange(height))
    inside = shapely.contains_xy(shape, x[None, :], y[:, None])
    if not inside.any():
        place = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
        row, column = cell_of(grid, place[:1], place[1:])
        inside[math.floor(row[0]) - top, math.floor(column[0]) - left] = True
    return float(covered[inside].mean())
