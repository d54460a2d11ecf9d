"""Boxes of blobs: how far the motion around a peak reaches, and which of several boxes are different slides."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.kernels.boxes import keep_best, pair_share
from slidecloud.types import Float32, Float64

SHARE: Final = 0.4
"""Of the peak's motion: where it is less, a box ends."""

STRETCH: Final = 1.3
BLUR: Final = 1.5
"""A box is so many times as long as the area, less so many pixels that the window adds; at least half as long."""

SHARED: Final = 0.6
"""A box goes when it shares more than this part of the smaller one with a better box."""

REACH: Final = 7.0
"""Scales from a peak to the furthest edge its box may have."""


def box_around(motion: Float32, row: int, column: int, width: float) -> list[float] | None:
    """Box (top, left, bottom, right) of the area around a peak that moves at least at a share of the peak's speed.

    Parameters
    ----------
    motion
        (y, x), of either sign; positive at the peak.
    row, column
        Where significance peaks; the nearest peak of motion is taken, within a width.
    width
        Scale in pixels; a box reaches seven of them at most.

    Returns
    -------
    list or None
        Edges lie between pixels, where motion falls through the share. None where nothing moves, or where motion goes
        on beyond the reach: it is wider than the scale.
    """
    reach = math.ceil(REACH * width) + 3
    top, left = max(row - reach, 0), max(column - reach, 0)
    part = motion[top : row + reach + 1, left : column + reach + 1]
    at = _climb(part, row - top, column - left, math.ceil(width))
    level = SHARE * float(part[at])
    if level <= 0:
        return None
    labels, _ = ndimage.label(part > level)
    inside = labels == labels[at]
    if _leaves(inside, (top, left), motion.shape):
        return None
    rows, columns = (_stretch(*_ends(part, inside, level, axis)) for axis in range(2))
    return [top + rows[0], left + columns[0], top + rows[1], left + columns[1]]


def distinct(boxes: Float64, heights: Float64) -> NDArray[np.intp]:
    """Indices of boxes that show different things, best first: one that mostly lies in a better one goes."""
    return keep_best(boxes, heights, lambda one, other: pair_share(one, other) > SHARED)


def _leaves(inside: NDArray[np.bool_], corner: tuple[int, int], shape: tuple[int, ...]) -> bool:
    """Whether an area touches an edge of its window that is not an edge of the whole map."""
    for axis in range(2):
        ends = np.flatnonzero(inside.any(1 - axis))
        first, last = corner[axis], corner[axis] + inside.shape[axis]
        if (ends[0] == 0 and first > 0) or (ends[-1] == inside.shape[axis] - 1 and last < shape[axis]):
            return True
    return False


def _climb(part: Float32, row: int, column: int, reach: int) -> tuple[int, int]:
    top, left = max(row - reach, 0), max(column - reach, 0)
    near = part[top : row + reach + 1, left : column + reach + 1]
    up, along = np.unravel_index(int(np.argmax(near)), near.shape)
    return top + int(up), left + int(along)


def _ends(part: Float32, inside: NDArray[np.bool_], level: float, axis: int) -> tuple[float, float]:
    """First and last coordinate of an area along an axis, to parts of a pixel from the motion beyond its edge."""
    fastest = np.where(inside, part, -np.inf).max(1 - axis)
    # What lies beyond and belongs to another area has no say.
    beyond = np.where(part <= level, part, -np.inf).max(1 - axis)
    filled = np.flatnonzero(np.isfinite(fastest))
    first, last = int(filled[0]), int(filled[-1])
    start, end = float(first), float(last + 1)
    if first > 0:
        start = first + 0.5 - _fall(fastest[first], beyond[first - 1], level)
    if last < len(fastest) - 1:
        end = last + 0.5 + _fall(fastest[last], beyond[last + 1], level)
    return start, end


def _stretch(start: float, end: float) -> tuple[float, float]:
    half = max(STRETCH * (end - start) - BLUR, 0.5 * (end - start)) / 2
    middle = (start + end) / 2
    return middle - half, middle + half


def _fall(here: float, beyond: float, level: float) -> float:
    """Part of the way to the next pixel at which motion falls through the level; half where that is unknown."""
    return float((here - level) / (here - beyond)) if np.isfinite(beyond) else 0.5
