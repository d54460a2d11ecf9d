"""Water on a grid: steepest descent over filled pits, and the main stems that streams follow up to the divide.

Directions are those of D8 in the usual powers of two, clockwise from east: 1 east, 2 southeast, 4 south, and so on to
128 northeast; `PIT` ends a path, `NOWHERE` is a cell without an elevation. Rows run southward, columns eastward.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.types import Float32

PIT: Final = 0
NOWHERE: Final = 247
DOWN: Final = np.array([0, 1, 1, 1, 0, -1, -1, -1])
RIGHT: Final = np.array([1, 1, 0, -1, -1, -1, 0, 1])
"""Rows down and columns right to the neighbour in each direction, clockwise from east."""

_TURN: Final = np.full(256, -1, np.int64)
_TURN[1 << np.arange(8)] = np.arange(8)


def steepest(
    elevation: Float32, receiver: NDArray[np.integer], order: NDArray[np.integer], *, spacing: tuple[float, float]
) -> NDArray[np.uint8]:
    """Direction of steepest descent over filled ground.

    The forest given fills pits but need not follow the steepest way. Every cell is raised to the level at which it
    spills along it; where a neighbour then lies lower the steepest such way is taken, and on the flats the forest's.
    Levels are compared, never computed, so no path can close on itself.

    Parameters
    ----------
    elevation
        (y, x) float32, m; NaN = none.
    receiver
        (cell,) flat index of the cell that each drains to along the forest, its own at outlets.
    order
        Flat indices of all cells with an elevation, each after the one it drains to.
    spacing
        Metres per pixel along (y, x), positive.

    Returns
    -------
    uint8 (y, x) directions. Of ways that are equally steep the first clockwise from east is taken.
    """
    direction = np.full(elevation.shape, NOWHERE, np.uint8)
    lengths = np.hypot(spacing[0] * DOWN, spacing[1] * RIGHT)
    _steepest(elevation, receiver, order, lengths, direction)
    return direction


def main_stems(direction: NDArray[np.uint8], accumulation: NDArray[np.int32]) -> NDArray[np.int32]:
    """Cells that drain through the lower end of the stem on which each cell lies.

    At every confluence the branch that drains most goes on as the stem, up to the divide; each other branch is a stem
    of its own. A stem is part of the streams above a threshold exactly where this number reaches it, so the streams of
    a lower threshold contain those of a higher one.

    Parameters
    ----------
    direction
        uint8 (y, x), without loops.
    accumulation
        int32 (y, x), cells that drain through each, itself included.

    Returns
    -------
    int32 (y, x); 0 where there is no direction.
    """
    stem = np.zeros(direction.shape, np.int32)
    cells = np.flatnonzero(direction != NOWHERE)
    order = cells[np.argsort(-accumulation.ravel()[cells], kind="stable")]
    _main_stems(direction, accumulation, order, stem)
    return stem


@njit(nogil=True, cache=True)
def below(direction, i, j):  # type: ignore[no-untyped-def]
    """Turn, row and column of the cell that (i, j) drains to; turn -1 where it ends or leaves the grid."""
    turn = _TURN[direction[i, j]]
    if turn < 0:
        return -1, i, j
    row, column = i + DOWN[turn], j + RIGHT[turn]
    if row < 0 or row >= direction.shape[0] or column < 0 or column >= direction.shape[1]:
        return -1, i, j
    return turn, row, column


@njit(nogil=True, cache=True)
def main_branch(direction, accumulation, i, j):  # type: ignore[no-untyped-def]
    """Direction, counted clockwise from east, of the neighbour that brings (i, j) most; -1 where none drains to it."""
    best, most = -1, 0
    for turn in range(8):
        row, column = i + DOWN[turn], j + RIGHT[turn]
        if row < 0 or row >= direction.shape[0] or column < 0 or column >= direction.shape[1]:
            continue
        if _TURN[direction[row, column]] == (turn + 4) % 8 and accumulation[row, column] > most:
            best, most = turn, accumulation[row, column]
    return best


@njit(nogil=True, cache=True)
def _steepest(elevation, receiver, order, lengths, direction):  # type: ignore[no-untyped-def]
    rows, columns = elevation.shape
    level = np.full(elevation.shape, np.nan, np.float32)
    for cell in order:
        i, j = cell // columns, cell % columns
        down = receiver[cell]
        level[i, j] = max(elevation[i, j], level[down // columns, down % columns]) if down != cell else elevation[i, j]
    for cell in order:
        i, j = cell // columns, cell % columns
        down = receiver[cell]
        if down == cell:
            direction[i, j] = PIT
            continue
        best, steepness = -1, 0.0
        for turn in range(8):
            row, column = i + DOWN[turn], j + RIGHT[turn]
            if row < 0 or row >= rows or column < 0 or column >= columns or math.isnan(level[row, column]):
                continue
            fall = (np.float64(level[i, j]) - np.float64(level[row, column])) / lengths[turn]
            if fall > steepness:
                best, steepness = turn, fall
        if best < 0:
            for turn in range(8):
                if i + DOWN[turn] == down // columns and j + RIGHT[turn] == down % columns:
                    best = turn
        direction[i, j] = 1 << best


@njit(nogil=True, cache=True)
def _main_stems(direction, accumulation, order, stem):  # type: ignore[no-untyped-def]
    columns = direction.shape[1]
    for cell in order:
        i, j = cell // columns, cell % columns
        turn, row, column = below(direction, i, j)
        if turn >= 0 and main_branch(direction, accumulation, row, column) == (turn + 4) % 8:
            stem[i, j] = stem[row, column]
        else:
            stem[i, j] = accumulation[i, j]
