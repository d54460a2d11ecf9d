"""Outlines of mapping units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Grid


def polygons(unit: NDArray[np.int32], count: int, grid: Grid, *, origin: tuple[int, int]) -> NDArray[np.object_]:
    """Outline of each unit along the borders of its cells.

    Parameters
    ----------
    unit
        int32 (y, x), 0 to ``count - 1``, each in one piece that hangs together along edges; below 0 is none.
    count
        Number of units.
    grid
        The whole grid.
    origin
        Row and column of the first cell in it.

    Returns
    -------
    object (unit,) of shapely polygons, counterclockwise, with the holes they have, in the CRS of the grid.

    Raises
    ------
    ValueError
        If a unit is in several pieces, or missing.
    """
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    left, top = grid.left + grid.dx * origin[1], grid.top + grid.dy * origin[0]
    place = Affine(grid.dx, 0.0, left, 0.0, grid.dy, top)
    found = np.full(count, None, object)
    for outline, value in shapes(unit, mask=unit >= 0, connectivity=4, transform=place):
        if found[int(value)] is not None:
            raise ValueError(f"unit {int(value)}: found several pieces, expected cells that hang together along edges")
        rings = outline["coordinates"]
        found[int(value)] = shapely.Polygon(rings[0], rings[1:])
    missing = [number for number, shape in enumerate(found) if shape is None]
    if missing:
        raise ValueError(f"unit {missing[0]}: found no cell, expected every number from 0 to {count - 1}")
    oriented: NDArray[np.object_] = shapely.orient_polygons(found)
    return oriented
