"""Counts of cells by their probability: whole numbers, so that any tiling adds up to the same."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float64

_SHIFT: Final = 15
"""Bits of a float32 below those that tell bins apart: 256 bins from each probability to its double."""
BINS: Final = (int(np.float32(1).view(np.uint32)) >> _SHIFT) + 1


def bin_of(probability: ArrayLike) -> NDArray[np.int64]:
    """Bin of each probability, int64 in its shape, rising with it; -1 where it is NaN."""
    value = np.asarray(probability, np.float32)
    known = np.isfinite(value)
    bits = np.where(known, value, np.float32(0)).astype(np.float32).view(np.uint32) >> np.uint32(_SHIFT)
    return np.where(known, bits.astype(np.int64), -1)


def lowest(number: ArrayLike) -> Float64:
    """Lowest probability of bins, float64 in their shape; NaN for -1."""
    found = np.asarray(number, np.int64)
    bits = (np.maximum(found, 0) << _SHIFT).astype(np.uint32)
    return np.where(found < 0, np.nan, bits.view(np.float32).astype(np.float64))


def counted(probability: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bins that hold cells, rising, and how many each holds."""
    found = bin_of(probability)
    number, cells = np.unique(found[found >= 0], return_counts=True)
    return number, cells.astype(np.int64)


def borders_by_area(cells: ArrayLike, shares: tuple[float, ...]) -> Float64:
    """Probabilities that leave these shares of the cells below them, to a bin's width of 0.4 % or less.

    Parameters
    ----------
    cells
        int (BINS,), cells in each bin.
    shares
        Rising, in (0, 1).

    Returns
    -------
    float64 (share,), rising, equal where one bin holds more ground than lies between two shares.
    """
    below = np.cumsum(np.asarray(cells, np.int64))
    return lowest(np.searchsorted(below, np.array(shares) * below[-1]))
