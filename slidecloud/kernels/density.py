"""Kernel density of points on a grid."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from slidecloud.types import Float64

_POWERS = {"epanechnikov": 1, "quartic": 2}


def point_density(
    row: ArrayLike,
    column: ArrayLike,
    *,
    shape: tuple[int, int],
    spacing: tuple[ArrayLike, ArrayLike],
    radius: float,
    kernel: Literal["quartic", "epanechnikov"] = "quartic",
    edge: bool = True,
) -> Float64:
    """Points per square metre, each spread over ``radius`` by ``(1 - (d / radius)^2)^k``, k = 2 (quartic) or 1.

    Each kernel is normalised over the cells it touches, so that density times cell area sums to the number of points
    however coarse the grid (Silverman 1986, section 4.2, for the kernels).

    Parameters
    ----------
    row, column
        (n,) positions in cells, counted from the outer corner of the first cell.
    shape
        Rows and columns of the grid.
    spacing
        Metres per cell along (y, x); each a number or one value per row, as on geographic grids.
    radius
        Metres.
    edge
        True: what would fall off the grid stays on it, so the density does not sink towards the border. False: it is
        lost.

    Returns
    -------
    float64 (y, x), m-2.

    Raises
    ------
    ValueError
        If positions differ in number or are not finite, or radius, spacing, shape or kernel make no sense.
    """
    rows, columns = (np.asarray(values, dtype=np.float64).reshape(-1) for values in (row, column))
    if rows.shape != columns.shape or not np.isfinite([rows, columns]).all():
        raise ValueError(f"row, column: found {rows.size} and {columns.size}, expected as many finite positions")
    if kernel not in _POWERS:
        raise ValueError(f"kernel: found {kernel!r}, expected one of {', '.join(_POWERS)}")
    if min(shape) < 1 or not (math.isfinite(radius) and radius > 0.0):
        raise ValueError(f"shape, radius: found {shape} and {radius}, expected at least one cell and positive metres")
    high, wide = (np.broadcast_to(np.asarray(step, dtype=np.float64).reshape(-1), shape[:1]) for step in spacing)
    if not (np.isfinite([high, wide]).all() and min(high.min(), wide.min()) > 0.0):
        raise ValueError("spacing: expected positive metres along (y, x)")
    density = np.zeros(shape)
    # In a fixed order, so that sums of floating-point numbers do not depend on that of the points.
    order = np.lexsort((columns, rows))
    _spread(rows[order], columns[order], high, wide, radius, _POWERS[kernel], edge, density)
    return density


@njit(nogil=True, cache=True)
def _spread(rows, columns, high, wide, radius, power, edge, density):  # type: ignore[no-untyped-def]
    height, width = density.shape
    for n in range(rows.size):
        here = min(max(math.floor(rows[n]), 0), height - 1)
        dy, dx = high[here], wide[here]
        top, bottom = math.floor(rows[n] - radius / dy), math.floor(rows[n] + radius / dy) + 1
        left, right = math.floor(columns[n] - radius / dx), math.floor(columns[n] + radius / dx) + 1
        if edge:
            top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, height), min(right, width)
        total = 0.0
        for i in range(top, bottom):
            area = dy * wide[min(max(i, 0), height - 1)]
            for j in range(left, right):
                total += area * _weight(i + 0.5 - rows[n], j + 0.5 - columns[n], dy, dx, radius, power)
        column = math.floor(columns[n])
        if total == 0.0:  # between the centres of cells wider than the radius: all of it in its own cell
            if 0 <= rows[n] < height and 0 <= column < width:
                density[here, column] += 1.0 / (dy * dx)
            continue
        for i in range(max(top, 0), min(bottom, height)):
            for j in range(max(left, 0), min(right, width)):
                density[i, j] += _weight(i + 0.5 - rows[n], j + 0.5 - columns[n], dy, dx, radius, power) / total


@njit(nogil=True, cache=True)
def _weight(rows, columns, dy, dx, radius, power):  # type: ignore[no-untyped-def]
    share = 1.0 - ((rows * dy) ** 2 + (columns * dx) ** 2) / (radius * radius)
    return 0.0 if share <= 0.0 else share**power
