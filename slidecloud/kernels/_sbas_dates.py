"""What a block's dates yield: how many there are, and their phase, sigma and subset as `invert` returns them."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT, copy


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


@njit(**NJIT)
def _store_sigma(variance, factor, scatter, out, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        own = scatter[j] if scatter[j] == scatter[j] else 0.0
        out[j] = np.sqrt(np.float64(variance[j]) * factor[j] + own)


@njit(**NJIT)
def _store_label(label, out, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        out[j] = min(label[j], np.int16(255))


@njit(**NJIT)
def store_dates(solved_series, variance, label, factor, scatter, used, series, sigma, subset):  # type: ignore[no-untyped-def]
    """Rows of a block to the rows ``used`` of the results: ``sigma = sqrt(variance * factor + scatter)``."""
    lanes = factor.size
    for k in range(used.size):
        copy(solved_series[k], series[used[k]], lanes)
        _store_sigma(variance[k], factor, scatter, sigma[used[k]], lanes)
        _store_label(label[k], subset[used[k]], lanes)
