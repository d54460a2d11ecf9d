"""Grids of rasters: which belong to one lattice, their union, and where each lies in it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rasterio.crs import CRS

from slidecloud.types import DataError, Grid

TOLERANCE = 0.02
"""Shift, in pixels, up to which two lattices count as the same."""

_WGS84_RADIUS = 6378137.0
_WGS84_ECCENTRICITY2 = 0.00669437999014


def mismatch(grid: Grid, expected: Grid) -> str:
    """Why `grid` is not on the lattice of `expected` (what was found and expected, remedy), or an empty text.

    Lattices agree when CRS and spacing do and the corners differ by whole pixels, within `TOLERANCE`. Spacing may
    differ as far as the last pixel still lies within that tolerance.
    """
    if grid.crs != expected.crs:
        return f"is in {_short(grid.crs)}, expected {_short(expected.crs)}: reproject it to the grid of the others"
    drift = max(
        abs(grid.dx / expected.dx - 1) * max(grid.width, expected.width),
        abs(grid.dy / expected.dy - 1) * max(grid.height, expected.height),
    )
    if drift > TOLERANCE:
        return (
            f"has a pixel spacing of {grid.dx:.9g} x {grid.dy:.9g}, expected {expected.dx:.9g} x {expected.dy:.9g}: "
            "resample it to the grid of the others"
        )
    rows, columns = _shift(grid, expected)
    fraction = max(abs(rows - round(rows)), abs(columns - round(columns)))
    if fraction > TOLERANCE:
        return (
            f"is shifted by {columns:z.3f} columns and {rows:z.3f} rows, expected whole pixels: "
            "resample it to the grid of the others"
        )
    if rows >= expected.height or columns >= expected.width or rows <= -grid.height or columns <= -grid.width:
        return "lies beside the grid of the others without touching it: move it to a stack of its own"
    return ""


def placement(grid: Grid, stack: Grid) -> tuple[int, int]:
    """(row, column) in `stack` of the first pixel of `grid`; negative where it begins before.

    Raises
    ------
    DataError
        If the two are not on one lattice, or do not touch.
    """
    problem = mismatch(grid, stack)
    if problem:
        raise DataError(problem)
    rows, columns = _shift(grid, stack)
    return round(rows), round(columns)


def majority(grids: Iterable[Grid]) -> Grid:
    """The union of all grids on the lattice that most of them share; of equals, the one met first.

    Raises
    ------
    ValueError
        If there are no grids.
    """
    lattices: list[list[Grid]] = []
    for grid in grids:
        for members in lattices:
            if not mismatch(grid, members[0]):
                members.append(grid)
                break
        else:
            lattices.append([grid])
    if not lattices:
        raise ValueError("no grid given: expected at least one")
    return union(max(lattices, key=len))


def union(grids: list[Grid]) -> Grid:
    """The smallest grid, on the lattice of the first, that holds all grids."""
    first = grids[0]
    corners = [placement(grid, first) for grid in grids]
    top, left = min(row for row, _ in corners), min(column for _, column in corners)
    bottom = max(row + grid.height for (row, _), grid in zip(corners, grids, strict=True))
    right = max(column + grid.width for (_, column), grid in zip(corners, grids, strict=True))
    return Grid(
        crs=first.crs,
        left=first.left + left * first.dx,
        top=first.top + top * first.dy,
        dx=first.dx,
        dy=first.dy,
        height=bottom - top,
        width=right - left,
    )


def spacing(grid: Grid) -> tuple[float, float]:
    """Metres per pixel along (y, x) at the centre of the grid, both positive.

    Degrees become metres with the radii of curvature of the WGS 84 ellipsoid along the meridian and the prime
    vertical (Snyder 1987, equations 4-18 and 4-20).
    """
    crs = CRS.from_user_input(grid.crs)
    if not crs.is_geographic:
        metres = float(crs.linear_units_factor[1])
        return abs(grid.dy) * metres, grid.dx * metres
    latitude = math.radians(grid.top + grid.dy * grid.height / 2)
    flattened = 1 - _WGS84_ECCENTRICITY2 * math.sin(latitude) ** 2
    meridian = _WGS84_RADIUS * (1 - _WGS84_ECCENTRICITY2) / flattened**1.5
    prime_vertical = _WGS84_RADIUS / math.sqrt(flattened)
    return (
        math.radians(abs(grid.dy)) * meridian,
        math.radians(grid.dx) * prime_vertical * math.cos(latitude),
    )


def _shift(grid: Grid, expected: Grid) -> tuple[float, float]:
    """Rows and columns from the corner of `expected` to that of `grid`."""
    return (grid.top - expected.top) / expected.dy, (grid.left - expected.left) / expected.dx


def _short(crs: str) -> str:
    return crs if len(crs) <= 40 else crs[:37] + "..."
