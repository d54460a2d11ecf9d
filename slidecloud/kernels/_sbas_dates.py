"""What a block's dates yield: how many there are, and their phase, sigma and subset as `invert` returns them."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import WIDTH, choose, fused, narrow, root, splat, widen
from slidecloud.kernels._lanes_memory import load, store
from slidecloud.kernels._sbas_band import INLINE, NJIT


@njit(**NJIT)
def _tally(label, dates, subsets, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        dates[j] += 1 if label[j] > 0 else 0
        subsets[j] = max(subsets[j], label[j])


@njit(**NJIT)
def count_dates(label, dates, subsets):  # type: ignore[no-untyped-def]
    """Dates with a valid pair and subsets of each pixel, from ``label`` (date, pixel) int16, into int16 (pixel,)."""
    dates[:] = 0
    subsets[:] = 0
    for k in range(label.shape[0]):
        _tally(label[k], dates, subsets, dates.size)


@njit(**INLINE)
def _sigma(variance, k, factor, scatter, start):  # type: ignore[no-untyped-def]
    own = load(scatter, 0, start)
    own = choose(own == own, own, splat(0.0))
    return narrow(root(fused(widen(load(variance, k, start)), load(factor, 0, start), own)))


@njit(**NJIT)
def store_dates(solved, variance, label, factor, scatter, used, series, sigma, subset, first, last):  # type: ignore[no-untyped-def]
    """Rows of a block to the rows ``used`` of the columns ``first .. last - 1`` of the results.

    ``sigma`` is the root of ``variance * factor + scatter``; factor and scatter are (1, lane) float64, scatter NaN
    where there is none.
    """
    part = np.empty((1, WIDTH), np.float32)
    for k in range(used.size):
        row = used[k]
        for start in range(0, last - first, WIDTH):
            to = first + start
            if to + WIDTH <= last:
                store(series, row, to, load(solved, k, start))
                store(sigma, row, to, _sigma(variance, k, factor, scatter, start))
            else:
                store(part, 0, 0, _sigma(variance, k, factor, scatter, start))
                series[row, to:last] = solved[k, start : start + last - to]
                sigma[row, to:last] = part[0, : last - to]
        for j in range(last - first):
            subset[row, first + j] = min(label[k, j], np.int16(255))
