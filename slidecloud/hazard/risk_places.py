"""Places that a risk index is made from and scored at: landslides, and as many at random on the same ground."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.hazard.factor_classes import MISSING
from slidecloud.hazard.factors import cell_of
from slidecloud.types import DataError, Float64, Grid

_SURPLUS: Final = 8
"""Random places drawn for each point: those on masked or unknown ground are left out again."""


class Places(NamedTuple):
    """Cells of a grid: ``row`` and ``column`` int (n,), ``point`` bool (n,), true for landslides, which come first, and
    ``beyond``, the number of landslides off the grid, which are left out."""

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    point: NDArray[np.bool_]
    beyond: int

    def within(self, rows: slice, columns: slice) -> NDArray[np.intp]:
        """Numbers of the places in a window, rising."""
        inside = (self.row >= rows.start) & (self.row < rows.stop)
        inside &= (self.column >= columns.start) & (self.column < columns.stop)
        return np.flatnonzero(inside)

    def metres(self, grid: Grid) -> tuple[Float64, Float64]:
        """x and y of the centres of the cells, in units of the grid's CRS."""
        return grid.x[self.column], grid.y[self.row]


class Kept(NamedTuple):
    """``place``: numbers of the places that are used, rising, points first. ``masked``, ``unknown``: points left out
    because they lie on masked ground, or where a factor is missing."""

    place: NDArray[np.intp]
    masked: int
    unknown: int


def places(x: ArrayLike, y: ArrayLike, grid: Grid, *, seed: int = 0) -> Places:
    """Cells of landslides and of places at random.

    Parameters
    ----------
    x, y
        (n,) of the landslides, in the CRS of the grid; several may share a cell.
    grid
        The one grid of all factors.
    seed
        Of the draw; the same whatever the tiles.

    Raises
    ------
    DataError
        If no landslide lies on the grid.
    """
    along = cell_of(grid, np.asarray(x, np.float64), np.asarray(y, np.float64))
    row, column = (np.floor(part).astype(np.intp) for part in along)
    inside = (row >= 0) & (row < grid.height) & (column >= 0) & (column < grid.width)
    count = int(inside.sum())
    if not count:
        raise DataError(
            f"points: found {inside.size}, none within the grid; expected some. Look at their CRS and at grid.bounds"
        )
    cell = np.random.default_rng(seed).integers(0, grid.height * grid.width, _SURPLUS * count)
    return Places(
        np.concatenate([row[inside], cell // grid.width]),
        np.concatenate([column[inside], cell % grid.width]),
        np.arange((1 + _SURPLUS) * count) < count,
        int(inside.size) - count,
    )


def kept(found: Places, codes: ArrayLike, open_ground: ArrayLike) -> Kept:
    """Points on open ground whose factors are all known, and as many random places of the same kind.

    Parameters
    ----------
    found
        All places.
    codes
        int (factors, n): class of each factor at each place, -1 = missing.
    open_ground
        bool (n,), false on masked ground.

    Raises
    ------
    DataError
        If no point or no random place is left.
    """
    known = (np.asarray(codes) != MISSING).all(axis=0)
    seen = np.asarray(open_ground, bool)
    points = np.flatnonzero(found.point & known & seen)
    others = np.flatnonzero(~found.point & known & seen)[: points.size]
    if not points.size or not others.size:
        raise DataError(
            f"points: {points.size} of {int(found.point.sum())} and {others.size} random places lie on open ground "
            "where all factors are known; expected some of both. Look at the masks and at the factors' extent"
        )
    masked = found.point & ~seen
    return Kept(np.concatenate([points, others]), int(masked.sum()), int((found.point & seen & ~known).sum()))
