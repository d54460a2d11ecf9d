"""Offsets between maps that overlap: what two of them differ by, and one level for all that hang together."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slidecloud.types import Float64

BLOCK: Final = 8
"""Pixels along a side of the blocks whose medians are taken to be independent."""
LEAST_BLOCKS: Final = 16
"""Blocks that are wanted; of a small overlap they are smaller."""
LEAST_PIXELS: Final = 25
"""Pixels with data in both maps that an offset needs."""
_NORMAL: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
_MEDIAN: Final = 1.2533
"""Standard error of the median over that of the mean, sqrt(pi / 2)."""


class Difference(NamedTuple):
    """What `difference` returns.

    Attributes
    ----------
    offset
        Median of the differences; NaN with fewer than `LEAST_PIXELS`.
    sigma
        Its standard error.
    scatter
        Standard deviation of a pixel about it, from the median absolute deviation.
    pixels
        Pixels with data in both.
    """

    offset: float
    sigma: float
    scatter: float
    pixels: int


def difference(first: ArrayLike, second: ArrayLike, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Difference:
    """By how much one map lies above another where both have data.

    Neighbours share noise, so the standard error comes from the medians of blocks of pixels, and is never smaller than
    that of independent pixels.

    Parameters
    ----------
    first, second
        (pixel,) values of the same places; NaN = missing.
    rows, columns
        (pixel,) where they are, for the blocks.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.ndim != 1 or not (one.shape == other.shape == rows.shape == columns.shape):
        raise ValueError(
            f"first, second, rows, columns: found shapes {one.shape}, {other.shape}, {rows.shape}, {columns.shape}, "
            "expected one shape (pixel,)"
        )
    apart = one - other
    known = np.isfinite(apart)
    apart, count = apart[known], int(known.sum())
    if count < LEAST_PIXELS:
        return Difference(np.nan, np.nan, np.nan, count)
    offset, scatter = float(np.median(apart)), _spread(apart)
    side = int(np.clip(np.sqrt(count / LEAST_BLOCKS), 1, BLOCK))
    middles = _block_medians(apart, rows[known] // side, columns[known] // side)
    sigma = max(_spread(middles) / np.sqrt(middles.size), scatter / np.sqrt(count))
    return Difference(offset, _MEDIAN * float(sigma), scatter, count)


def _spread(values: Float64) -> float:
    return _NORMAL * float(np.median(np.abs(values - np.median(values))))


def _block_medians(values: Float64, row: NDArray[np.intp], column: NDArray[np.intp]) -> Float64:
    block = (row - row.min()) * (int(np.ptp(column)) + 1) + column - column.min()
    order = np.lexsort((values, block))
    ordered, (_, starts, counts) = values[order], np.unique(block[order], return_index=True, return_counts=True)
    medians: Float64 = (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2
    return medians


class Levels(NamedTuple):
    """What `adjust` returns, (map,): ``offset`` and ``sigma``; NaN where no chain of offsets leads to the datum."""

    offset: Float64
    sigma: Float64


def parts(first: ArrayLike, second: ArrayLike, *, maps: int) -> NDArray[np.int64]:
    """Which maps hang together by offsets between ``first`` and ``second`` (edge,): (map,) number of their part."""
    one, other = np.asarray(first, np.int64), np.asarray(second, np.int64)
    links = coo_array((np.ones(one.size), (one, other)), shape=(maps, maps))
    found: NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return found


def adjust(
    first: NDArray[np.intp], second: NDArray[np.intp], offset: Float64, sigma: Float64, *, datum: NDArray[np.intp]
) -> Levels:
    """The offset of each map against the datum of its part, by weighted least squares over all differences.

    Parameters
    ----------
    first, second
        (edge,) the maps that overlap.
    offset, sigma
        (edge,) by how much the first lies above the second, NaN = not known, and its standard error.
    datum
        (map,) the map that each is to be levelled to; a map that is its own datum stays.
    """
    count = datum.size
    value, spread = np.full(count, np.nan), np.full(count, np.nan)
    fixed = np.flatnonzero(datum == np.arange(count))
    value[fixed] = spread[fixed] = 0
    known = np.isfinite(offset) & np.isfinite(sigma)
    ends, weight = (first[known], second[known]), 1 / np.maximum(sigma[known], 1e-9)
    label = parts(*ends, maps=count)
    for one in fixed:
        free = np.flatnonzero((label == label[one]) & (np.arange(count) != one))
        inside = np.flatnonzero(label[ends[0]] == label[one])
        if not free.size:
            continue
        place = np.full(count, -1)
        place[free] = np.arange(free.size)
        design = np.zeros((inside.size, free.size))
        for sign, end in zip((1, -1), ends, strict=True):
            column = place[end[inside]]
            there = np.flatnonzero(column >= 0)
            design[there, column[there]] += sign
        normal = np.linalg.inv((design * weight[inside, None] ** 2).T @ design)
        value[free] = normal @ (design.T @ (weight[inside] ** 2 * offset[known][inside]))
        spread[free] = np.sqrt(np.diag(normal))
    return Levels(value, spread)
