"""Coarser copies of maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shrink(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """A map of which every pixel stands for a block of so many pixels by so many.

    Parameters
    ----------
    values
        (y, x). Of floating values the mean of those of the block that are no NaN is taken, in float64, NaN where there
        is none; of whole numbers and truth values, which may be classes, the pixel in the middle of the block.
    factor
        Rows and columns of a block; those at the lower and right border may be cut short.

    Returns
    -------
    (ceil(y / factor), ceil(x / factor)), dtype of ``values``
    """
    if factor == 1:
        return values
    height, width = values.shape
    if not np.issubdtype(values.dtype, np.floating):
        row, column = (np.minimum(np.arange(0, size, factor) + factor // 2, size - 1) for size in (height, width))
        return values[np.ix_(row, column)]
    known = np.isfinite(values)
    filled = np.where(known, values, 0).astype(np.float64)
    starts = np.arange(0, height, factor), np.arange(0, width, factor)
    total, count = (_sums(one, *starts) for one in (filled, known.astype(np.float64)))
    with np.errstate(invalid="ignore"):
        found: NDArray[Any] = (total / count).astype(values.dtype)
    return found


def _sums(values: NDArray[np.float64], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sums of the blocks that begin at rows and columns."""
    found: NDArray[np.float64] = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    return found
