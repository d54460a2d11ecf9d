"""Polygons painted on the one grid: the category at the centre of each pixel, the same however the grid is tiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Grid

if TYPE_CHECKING:
    import shapely

_BLOCK: Final = (256, 512)
"""Rows and columns that are painted at once: those of a chunk, which tiles are made of."""


def paint(
    tree: shapely.STRtree, numbers: NDArray[np.int16], grid: Grid, rows: slice, columns: slice, *, missing: int
) -> NDArray[np.int16]:
    """Numbers of the polygons that hold the pixel centres of a window, int16 (y, x); of several the last.

    Whole blocks of the grid are painted one by one. A centre that lies on a border to the last bit so goes to the same
    side whatever window is asked for.

    Parameters
    ----------
    tree
        Polygons in the grid's CRS.
    numbers
        (n,) of each.
    grid, rows, columns
        The window.
    missing
        Where there is no polygon.
    """
    found = np.full((rows.stop - rows.start, columns.stop - columns.start), missing, np.int16)
    height, width = _BLOCK
    for top in range(rows.start - rows.start % height, rows.stop, height):
        for left in range(columns.start - columns.start % width, columns.stop, width):
            block = _painted(tree, numbers, grid, top, left, missing)
            first, start = max(top, rows.start), max(left, columns.start)
            last, stop = min(top + height, rows.stop), min(left + width, columns.stop)
            found[first - rows.start : last - rows.start, start - columns.start : stop - columns.start] = block[
                first - top : last - top, start - left : stop - left
            ]
    return found


def _painted(
    tree: shapely.STRtree, numbers: NDArray[np.int16], grid: Grid, top: int, left: int, missing: int
) -> NDArray[Any]:
    import shapely
    from rasterio.features import rasterize
    from rasterio.transform import Affine

    west, north = grid.left + left * grid.dx, grid.top + top * grid.dy
    box = shapely.box(west, north + _BLOCK[0] * grid.dy, west + _BLOCK[1] * grid.dx, north)
    chosen = np.sort(tree.query(box))
    if not len(chosen):
        return np.full(_BLOCK, missing, np.int16)
    painted: NDArray[Any] = rasterize(
        [(tree.geometries[number], int(numbers[number])) for number in chosen],
        out_shape=_BLOCK, transform=Affine(grid.dx, 0, west, 0, grid.dy, north), fill=missing, dtype="int16",
    )  # fmt: skip
    return painted
