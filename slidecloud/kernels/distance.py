"""Exact distances to lines and points, tile by tile."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from slidecloud.types import Float32, Float64

_LARGE: Final = 512
_BLOCKS: Final = (64, 8)
"""Pixels along the sides of the blocks in which the choice of segments is narrowed down, coarse to fine."""
_MARGIN: Final = 1e-9
"""Share by which a bound is widened, far above the rounding of a distance and far below a pixel."""


def distance(x: ArrayLike, y: ArrayLike, segments: ArrayLike) -> Float32:
    """Distance of pixel centres to the nearest of many straight segments, float32 (y, x), in units of the coordinates.

    A pixel's value is the least of its distances to all segments, each computed from coordinates of the map alone. So
    it does not depend on what other pixels are asked for with it: any tiling gives the same bits, and a tile needs no
    halo and nothing of its neighbours. Most segments are never looked at: if the nearest to the centre of a block of
    circumradius r is d away, none beyond d + 2 r of the centre is the nearest to any pixel in it. Blocks narrow the
    choice down, coarse to fine, before each pixel is compared with what is left.

    Parameters
    ----------
    x, y
        (columns,) and (rows,) coordinates of pixel centres, metres.
    segments
        (n, 4): x and y of one end, x and y of the other; metres, finite. A point is a segment with both ends in one
        place.

    Returns
    -------
    float32 (y, x); NaN where there are no segments at all.

    Raises
    ------
    ValueError
        If shapes are others, or a coordinate is not finite.
    """
    east, north = (np.ascontiguousarray(axis, dtype=np.float64) for axis in (x, y))
    lines = np.ascontiguousarray(segments, dtype=np.float64)
    if east.ndim != 1 or north.ndim != 1 or lines.ndim != 2 or lines.shape[1] != 4:
        raise ValueError(
            f"x, y, segments: found shapes {east.shape}, {north.shape}, {lines.shape}, expected (columns,), (rows,), "
            "(n, 4)"
        )
    if not all(np.isfinite(values).all() for values in (east, north, lines)):
        raise ValueError("x, y, segments: found values that are not finite, expected coordinates on a map")
    found = np.full((north.size, east.size), np.nan, np.float32)
    if lines.size and found.size:
        directed, squares = _directed(lines), np.empty(len(lines))
        kept = np.empty((4, len(lines)), np.int64)
        kept[0] = np.arange(len(lines))
        near = kept[1, : _narrow(east, north, directed, kept[0], squares, kept[1])].copy()
        for top in range(0, north.size, _LARGE):
            for left in range(0, east.size, _LARGE):
                rows, columns = slice(top, top + _LARGE), slice(left, left + _LARGE)
                _fill(east[columns], north[rows], directed, near, squares, kept[1:], found[rows, columns])
    return found


def _directed(lines: Float64) -> Float64:
    """(n, 5): one end, the vector to the other, and one over its squared length (0 for a point)."""
    step = lines[:, 2:] - lines[:, :2]
    square = (step * step).sum(axis=1)
    inverse = np.divide(1.0, square, out=np.zeros_like(square), where=square > 0)
    return np.column_stack([lines[:, :2], step, inverse])


@njit(nogil=True, cache=True)
def _square(x, y, lines, n):  # type: ignore[no-untyped-def]
    """Squared distance of a place to a segment."""
    away_x, away_y = x - lines[n, 0], y - lines[n, 1]
    share = (away_x * lines[n, 2] + away_y * lines[n, 3]) * lines[n, 4]
    share = min(max(share, 0.0), 1.0)
    off_x, off_y = away_x - share * lines[n, 2], away_y - share * lines[n, 3]
    return off_x * off_x + off_y * off_y


@njit(nogil=True, cache=True)
def _narrow(x, y, lines, chosen, squares, kept):  # type: ignore[no-untyped-def]
    """Put into ``kept`` the ``chosen`` segments that may be nearest to a pixel of the block (x, y); how many."""
    middle_x, middle_y = 0.5 * (x[0] + x[-1]), 0.5 * (y[0] + y[-1])
    radius = np.hypot(0.5 * (x[-1] - x[0]), 0.5 * (y[-1] - y[0]))
    least = np.inf
    for m in range(chosen.size):
        squares[m] = _square(middle_x, middle_y, lines, chosen[m])
        least = min(least, squares[m])
    bound = (np.sqrt(least) + 2.0 * radius) * (1.0 + _MARGIN) + _MARGIN
    bound *= bound
    count = 0
    for m in range(chosen.size):
        if squares[m] <= bound:
            kept[count] = chosen[m]
            count += 1
    return count


@njit(nogil=True, cache=True)
def _fill(x, y, lines, near, squares, kept, found):  # type: ignore[no-untyped-def]
    coarse, fine = kept[1], kept[2]
    whole = kept[0, : _narrow(x, y, lines, near, squares, kept[0])]
    large, small = _BLOCKS
    for top in range(0, y.size, large):
        for left in range(0, x.size, large):
            bottom, right = min(top + large, y.size), min(left + large, x.size)
            some = coarse[: _narrow(x[left:right], y[top:bottom], lines, whole, squares, coarse)]
            for i in range(top, bottom, small):
                for j in range(left, right, small):
                    last_i, last_j = min(i + small, bottom), min(j + small, right)
                    few = fine[: _narrow(x[j:last_j], y[i:last_i], lines, some, squares, fine)]
                    for k in range(i, last_i):
                        for m in range(j, last_j):
                            least = np.inf
                            for n in few:
                                least = min(least, _square(x[m], y[k], lines, n))
                            found[k, m] = np.sqrt(least)
