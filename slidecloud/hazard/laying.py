"""Maps brought onto the one grid of all factors: on purpose, and the same however it is tiled."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.sampling import at_places
from slidecloud.stack.map_files import MapFile
from slidecloud.stack.warped import pixels_under
from slidecloud.types import Float32, Float64, Grid

How = Literal["nearest", "linear"]
_BLOCK: Final = (256, 1024)
"""Rows and columns whose places are computed at once."""
BLOCK_BYTES: Final = 64 * _BLOCK[0] * _BLOCK[1]
"""Bytes for the places of a block, and for a map that is as fine as the grid beneath it."""
_HAIR: Final = 1e-6
"""Pixels by which two grids may be apart and still be one."""


def check_map(key: str, source: MapFile, grid: Grid, how: How | None) -> None:
    """Refuse a map that lies on another grid unless it is said how to bring it over, and one that lies elsewhere.

    Raises
    ------
    ConfigError
        Names the key, the file, both CRSs and what to do.
    """
    from pyproj import CRS, Transformer

    there = source.grid
    if how is None and _offset(there, grid) is None:
        raise ConfigError(
            f"{key}: {source.name} is in {short(there.crs)} with pixels of {there.dx:g} x {-there.dy:g}, and the grid "
            f"is in {short(grid.crs)} with pixels of {grid.dx:g} m; nothing is resampled unasked. Say how with "
            "'resampling: linear' or 'resampling: nearest', or give a map on the grid."
        )
    borders = there.left, there.top + there.dy * there.height, there.left + there.dx * there.width, there.top
    turn = Transformer.from_crs(CRS.from_user_input(there.crs), CRS.from_user_input(grid.crs), always_xy=True)
    west, south, east, north = turn.transform_bounds(*borders)
    right, bottom = grid.left + grid.dx * grid.width, grid.top + grid.dy * grid.height
    if all(map(math.isfinite, (west, south, east, north))) and (
        west >= right or east <= grid.left or south >= grid.top or north <= bottom
    ):
        raise ConfigError(
            f"{key}: {source.name} reaches from {west:.0f}, {south:.0f} to {east:.0f}, {north:.0f} in "
            f"{short(grid.crs)}, beside the grid's bounds; give a map that covers the grid, or other bounds."
        )


def lay(source: MapFile, grid: Grid, rows: slice, columns: slice, *, how: How | None) -> Float32:
    """A window of the grid from a map, float32 (y, x); NaN where the map has no data. It may reach beyond the grid.

    A pixel depends on its own place alone. On the grid's own lattice values are taken as they are. Else ``nearest``
    takes the pixel that holds the centre, and ``linear`` a mean whose weights fall linearly to zero over a pixel of the
    grid or, where it is coarser, of the map: bilinear interpolation of coarse maps, averages of fine ones.
    """
    offset = _offset(source.grid, grid)
    if offset is not None:
        return source.read(
            rows.start + offset[0], columns.start + offset[1], rows.stop - rows.start, columns.stop - columns.start
        )
    found = np.empty((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    for top, bottom in _pieces(rows, _BLOCK[0]):
        for left, right in _pieces(columns, _BLOCK[1]):
            inside = slice(top - rows.start, bottom - rows.start), slice(left - columns.start, right - columns.start)
            found[inside] = _block(source, grid, slice(top, bottom), slice(left, right), how)
    return found


def centres(grid: Grid, rows: slice, columns: slice) -> tuple[Float64, Float64]:
    """x (columns,) and y (rows,) of the pixel centres of a window, to the last bit what the whole grid has."""
    x = grid.left + grid.dx * (np.arange(columns.start, columns.stop) + 0.5)
    y = grid.top + grid.dy * (np.arange(rows.start, rows.stop) + 0.5)
    return x, y


def reach(source: Grid, grid: Grid) -> tuple[int, int]:
    """Pixels (y, x) of a source over which a linear sample of the grid is averaged to either side."""
    from pyproj import CRS, Transformer

    x = grid.left + grid.dx * np.array([grid.width / 2, grid.width / 2 + 1])
    y = grid.top + grid.dy * np.array([grid.height / 2, grid.height / 2 + 1])
    turn = Transformer.from_crs(CRS.from_user_input(grid.crs), CRS.from_user_input(source.crs), always_xy=True)
    x, y = turn.transform(x, y)
    return max(1, round(abs((y[1] - y[0]) / source.dy))), max(1, round(abs((x[1] - x[0]) / source.dx)))


def short(crs: str) -> str:
    """A CRS for messages: its code, or its name where it has none."""
    from pyproj import CRS

    found = CRS.from_user_input(crs)
    code: Sequence[str] | None = found.to_authority()
    return ":".join(code) if code else f"{found.name!r}"


def _offset(source: Grid, grid: Grid) -> tuple[int, int] | None:
    """Rows and columns by which the first pixel of the grid lies in a source on its lattice; None on another."""
    from pyproj import CRS

    extent = max(grid.height, grid.width, source.height, source.width)
    if abs(source.dx / grid.dx - 1) * extent > _HAIR or abs(source.dy / grid.dy - 1) * extent > _HAIR:
        return None
    row, column = (grid.top - source.top) / grid.dy, (grid.left - source.left) / grid.dx
    if max(abs(row - round(row)), abs(column - round(column))) > _HAIR:
        return None
    same = source.crs == grid.crs or CRS.from_user_input(source.crs) == CRS.from_user_input(grid.crs)
    return (round(row), round(column)) if same else None


def _pieces(along: slice, size: int) -> list[tuple[int, int]]:
    return [(at, min(at + size, along.stop)) for at in range(along.start, along.stop, size)]


def _block(source: MapFile, grid: Grid, rows: slice, columns: slice, how: How | None) -> Float32:
    shape = rows.stop - rows.start, columns.stop - columns.start
    window: Any = Window(grid, rows, columns)
    row, column = pixels_under(window, source.grid)
    margin = (1, 1) if how == "nearest" else reach(source.grid, grid)
    near = np.isfinite(row) & np.isfinite(column)
    near &= (row > -margin[0]) & (row < source.grid.height + margin[0])
    near &= (column > -margin[1]) & (column < source.grid.width + margin[1])
    if not near.any():
        return np.full(shape, np.nan, np.float32)
    top, left = (math.floor(axis[near].min()) - size for axis, size in zip((row, column), margin, strict=True))
    bottom, right = (math.floor(axis[near].max()) + size + 1 for axis, size in zip((row, column), margin, strict=True))
    values = source.read(top, left, bottom - top, right - left)
    row, column = np.where(near, row - top, np.nan), np.where(near, column - left, np.nan)
    if how == "linear":
        return at_places(values, row, column, reach=margin)
    found = np.full(shape, np.nan, np.float32)
    found[near] = values[np.floor(row[near]).astype(np.intp), np.floor(column[near]).astype(np.intp)]
    return found


@dataclasses.dataclass(frozen=True)
class Window:
    """Pixel centres of a window as the whole grid has them, to the last bit."""

    grid: Grid
    rows: slice
    columns: slice

    @property
    def crs(self) -> str:
        return self.grid.crs

    @property
    def x(self) -> Float64:
        return centres(self.grid, self.rows, self.columns)[0]

    @property
    def y(self) -> Float64:
        return centres(self.grid, self.rows, self.columns)[1]
