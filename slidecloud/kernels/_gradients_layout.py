"""What the loops over a tile work on: its place and windows, accumulators, and rows in the making."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._lanes import WIDTH

COHERENT, OVERLAP, DIFFERENCES = 0, 1, 2


class Shape(NamedTuple):
    """Rows and columns of the x blocks and of the y blocks, and how far the second block of each lies from the first.

    ``delay`` is by how many rows the window sums of x end before those of y. ``step`` is the fixed-point value of a
    sample of coherence 1/255, a power of two with which sums along a row stay within 16 bits, and ``unit`` what
    fixed-point sums are multiplied by, 1 / (256 step). Weights are shifted by ``weight_shift`` bits for
    the same reason.
    """

    tall: int
    narrow: int
    short: int
    wide: int
    lever_y: int
    lever_x: int
    delay: int
    step: np.float32
    unit: np.float32
    weight_shift: int


class Place(NamedTuple):
    """Where a tile lies: the input pixel at which its first window begins, and how far into the window its pixel is.

    ``first_row`` to ``last_column`` are the outputs whose sums are wanted. The others are there for the grid of sigma,
    which has points at ``grid_row``, ``grid_row + step_y`` ... in ``grid_rows`` rows, and the same along x.
    """

    top: int
    left: int
    lead_y: int
    lead_x: int
    first_row: int
    last_row: int
    first_column: int
    last_column: int
    grid_row: int
    step_y: int
    grid_rows: int
    grid_column: int
    step_x: int
    grid_columns: int


class Cover(NamedTuple):
    """How much of the windows lies inside the input.

    ``valid`` float32 (y, x): 1 where blocks without holes have enough pixels; ``everywhere``: whether that is all.
    The others, float32, count rows of the x and y blocks, and columns of them in units of the window sums.
    """

    everywhere: bool
    valid: NDArray[np.float32]
    tall: NDArray[np.float32]
    narrow: NDArray[np.float32]
    short: NDArray[np.float32]
    wide: NDArray[np.float32]


class TileSums(NamedTuple):
    """Accumulators of a tile, float32 (y, channels x width) and int32 with the halo's rows; they start at zero.

    ``total`` (class of pairs, y, 4 channels) is summed over each class, from zero whatever it held before; ``sizes``
    (2), ``square``, ``span`` (1) are sums over all pairs; ``count``, ``lost`` (coherence of the pixel where it does not
    count) (1), ``deviation`` (4), ``partial`` (2) over pairs with holes; ``extra`` (4) of ``overlap``. float64, part
    by part of the points of the grid: ``points`` 22 (products 4, moments by pair 6, by role 6, by chain 6) and
    ``point_square``. The products of ``adjacent`` blocks are float32 rows (row of the grid, 4 channels).
    """

    total: Any
    sizes: Any
    square: Any
    span: Any
    extra: Any
    count: Any
    lost: Any
    deviation: Any
    partial: Any
    weight: Any
    missing: Any
    points: Any
    point_square: Any
    adjacent: Any


class Workspace(NamedTuple):
    """Rows in the making: samples, rings of sums along rows, sums of their columns, and what is made of those.

    ``columns`` counts along a row.
    """

    columns: Any
    row: Any
    long_row: Any
    tall_rows: Any
    short_rows: Any
    tall_long: Any
    short_long: Any
    tall_long_sums: Any
    y_long: Any
    x_sums: Any
    y_sums: Any
    products: Any
    sizes: Any
    valid: Any
    whole: Any
    sampled: Any
    as_reference: Any
    as_secondary: Any


def workspace(width: int, shape: Shape, points: int, slots: int, kept: int) -> Workspace:
    """Zeros for tiles of a width, a number of points of the grid and of dates that are open at a time.

    The points' products of ``kept`` pairs are kept.
    """
    depth, turns = shape.tall + shape.delay + 1, shape.lever_y + 1
    padded = 4 * width + shape.wide + shape.lever_x + WIDTH
    short, long, real = np.int16, np.int32, np.float32
    return Workspace(
        np.arange(width, dtype=long), np.zeros(padded, short), np.zeros(padded, long),
        np.zeros((depth, 4 * width), short), np.zeros((shape.short + 1, 4 * width), short),
        np.zeros((depth, 2 * width), long), np.zeros((shape.short + 1, 2 * width), long),
        np.zeros(padded, long), np.zeros((turns, 3 * width), long),
        np.zeros(padded, real), np.zeros((turns, 4 * width), real),
        np.zeros(4 * width, real), np.zeros(2 * width, real), np.zeros(width, real), np.zeros(width, real),
        np.zeros((kept, 4 * points)), np.zeros(4 * points), np.zeros((slots, 4 * points)),
    )  # fmt: skip
