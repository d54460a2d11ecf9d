"""The quick way: weighted least squares in increments, float32, for pixels whose pairs link all dates well."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import (
    NJIT,
    add_pair,
    clear,
    copy,
    difference_factor,
    factor,
    fill,
    load_pair,
    mean_diagonal,
    multiply,
    row_sum,
    selected_variance,
    solve,
)

LANES = 512
PIVOT = np.float32(1e-4)
WIDEST = 8
"""Superdiagonals up to which float32 keeps five digits: the condition number grows as the cube of the longest pair."""


@njit(**NJIT)
def _add_increment(total, step, out, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        total[j] += step[j]
        out[j] = total[j]


@njit(**NJIT)
def solve_increments(phase, weight, order, reference, secondary, half, series, variance, information, sound):  # type: ignore[no-untyped-def]
    """Series and network variance of every pixel that needs no repair.

    Parameters
    ----------
    phase, weight
        (pair, pixel), float32 rad with NaN, and float32 or uint8.
    order, reference, secondary
        (pair,) the row of each pair and its date indices, sorted by (reference, secondary).
    half
        Superdiagonals: the longest pair in date steps, less one.
    series, variance
        (date, pixel) float32, written: phase relative to date 0 and its variance for pairs of variance 1 / weight.
    information
        (date - 1, pixel) float32, written: the normal matrix of the increments times a vector of ones.
    sound
        (pixel,) bool, written: false where the smallest pivot is below 1e-4 of the mean diagonal, where the arrays
        above hold nothing. The mean, which is at least half the median, costs no sort.
    """
    steps = series.shape[0] - 1
    lanes_at_most = max(128, min(LANES, 4 * LANES // (half + 2)))
    band = np.empty((half + 2, steps, lanes_at_most), np.float32)
    inverse = np.empty((steps, lanes_at_most), np.float32)
    x = np.empty((steps, lanes_at_most), np.float32)
    ring = np.empty((half + 2, half + 2, lanes_at_most), np.float32)
    w = np.empty(lanes_at_most, np.float32)
    value = np.empty(lanes_at_most, np.float32)
    floor = np.empty(lanes_at_most, np.float32)
    total = np.empty(lanes_at_most)
    pixels = phase.shape[1]
    for start in range(0, pixels, lanes_at_most):
        stop = min(start + lanes_at_most, pixels)
        lanes = stop - start
        clear(band, lanes)
        for k in range(steps):
            fill(x[k], 0, lanes)
        for p in range(order.size):
            load_pair(phase[order[p], start:stop], weight[order[p], start:stop], value, w, lanes)
            multiply(value, value, w, lanes)
            add_pair(band, x, w, value, reference[p], secondary[p], lanes)
        for k in range(steps):
            row_sum(band, half, k, information[k, start:stop], lanes)
        mean_diagonal(band, floor, value, lanes)
        for j in range(lanes):
            floor[j] *= PIVOT
            sound[start + j] = True
        factor(band, half, inverse, floor, sound[start:stop], value, lanes)
        solve(band, half, inverse, x, lanes)
        fill(total, 0, lanes)
        fill(series[0, start:stop], 0, lanes)
        for k in range(steps):
            _add_increment(total, x[k], series[k + 1, start:stop], lanes)
        difference_factor(band, half, lanes)
        fill(variance[0, start:stop], 0, lanes)
        selected_variance(band, half + 1, inverse, ring, x, lanes)
        for k in range(steps):
            copy(x[k], variance[k + 1, start:stop], lanes)
