"""Maps of how many landslides there are and how much ground they cover."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels.density import point_density
from slidecloud.kernels.places import EARTH_RADIUS
from slidecloud.types import Float32, Float64, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CELL: Final = 0.01
"""Degrees of a cell, about a kilometre; doubled until a map has no more than `MOST_CELLS`."""
MOST_CELLS: Final = 4_000_000


def density_grid(corners: Iterable[tuple[float, float, float, float]]) -> Grid:
    """The grid of a run's density maps: whole cells in longitude and latitude around all bursts.

    Parameters
    ----------
    corners
        West, south, east and north of each burst, degrees; at least one.
    """
    west, south, east, north = np.array(list(corners)).T
    cell = CELL
    while True:
        left, bottom = math.floor(west.min() / cell), math.floor(south.min() / cell)
        right, top = math.ceil(east.max() / cell), math.ceil(north.max() / cell)
        height, width = max(top - bottom, 1), max(right - left, 1)
        if height * width <= MOST_CELLS:
            return Grid("EPSG:4326", left * cell, (bottom + height) * cell, cell, -cell, height, width)
        cell *= 2


def density(inventory: GeoDataFrame, grid: Grid, *, radius: float) -> Float32:
    """Landslides per square kilometre, float32 (y, x), each spread over ``radius`` metres by a quartic kernel."""
    centre_x = (inventory["west"].to_numpy() + inventory["east"].to_numpy()) / 2
    centre_y = (inventory["south"].to_numpy() + inventory["north"].to_numpy()) / 2
    metres = math.radians(1.0) * EARTH_RADIUS
    found = point_density(
        (centre_y - grid.top) / grid.dy,
        (centre_x - grid.left) / grid.dx,
        shape=(grid.height, grid.width),
        spacing=(-grid.dy * metres, grid.dx * metres * np.cos(np.radians(grid.y))),
        radius=radius,
    )
    return (1e6 * found).astype(np.float32)


def area_fraction(geometries: Any, grid: Grid) -> Float32:
    """Share of each cell that geometries cover, float32 (y, x) in [0, 1]; where they overlap, once."""
    import shapely

    covered = np.zeros((grid.height, grid.width))
    parts = _apart(np.asarray(geometries, dtype=object))
    if len(parts):
        number, row, column = _cells(shapely.bounds(parts), grid)
        left, top = grid.left + column * grid.dx, grid.top + row * grid.dy
        cells = shapely.box(left, top + grid.dy, left + grid.dx, top)
        np.add.at(covered, (row, column), shapely.area(shapely.intersection(parts[number], cells)))
    return np.clip(covered / (grid.dx * -grid.dy), 0.0, 1.0).astype(np.float32)


def _apart(geometries: Any) -> Any:
    """Parts that cover the same ground without overlap; geometries that touch no other need no work."""
    import shapely

    tree = shapely.STRtree(geometries)
    one, other = tree.query(geometries, predicate="intersects")
    crowded = np.zeros(len(geometries), np.bool_)
    crowded[one[one != other]] = True
    if not crowded.any():
        return shapely.get_parts(geometries)
    return np.concatenate(
        [shapely.get_parts(geometries[~crowded]), shapely.get_parts(shapely.union_all(geometries[crowded]))]
    )


def _cells(bounds: Float64, grid: Grid) -> tuple[Any, Any, Any]:
    """Number of each part, and row and column of the cells that its bounds touch, within the grid."""
    left = np.clip(np.floor((bounds[:, 0] - grid.left) / grid.dx).astype(int), 0, grid.width - 1)
    right = np.clip(np.floor((bounds[:, 2] - grid.left) / grid.dx).astype(int), 0, grid.width - 1)
    top = np.clip(np.floor((bounds[:, 3] - grid.top) / grid.dy).astype(int), 0, grid.height - 1)
    bottom = np.clip(np.floor((bounds[:, 1] - grid.top) / grid.dy).astype(int), 0, grid.height - 1)
    wide, high = right - left + 1, bottom - top + 1
    number = np.repeat(np.arange(len(bounds)), wide * high)
    place = np.arange(len(number)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
    return number, top[number] + place // wide[number], left[number] + place % wide[number]
