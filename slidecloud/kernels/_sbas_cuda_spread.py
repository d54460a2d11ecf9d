"""What the careful way found to its place among all pixels: series, and the network's variance of each date."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cuda, float32, float64

from slidecloud.kernels._sbas_cuda_band import clearing, elimination, selection

ZERO = float64(0)
NOTHING = float32(np.nan)


@cuda.jit
def store_series(level, slot, label, used, first, chosen, series):  # type: ignore[no-untyped-def]
    """Series relative to the first date of the first subset, NaN at dates of no pair."""
    t = cuda.grid(1)
    if t >= chosen.size:
        return
    zero = ZERO
    for k in range(used.size):
        if label[k, t] == -1:
            zero = level[slot[t], k, t]
        series[used[k], first + chosen[t]] = float32(level[slot[t], k, t] - zero) if label[k, t] != 0 else NOTHING


@cache
def spreading(half: int) -> Any:
    """Kernel of the variance of each date relative to the first of its subset, to the rows ``used`` of ``variance``.

    The phases' Laplacian, one superdiagonal wider than the normal matrix, with those dates held fixed. A date is
    eliminated when the pairs that end there are added. ``scratch`` is (date, half + 2, thread).
    """
    width, size = half + 1, half + 2
    eliminate, select = elimination(width, float64), selection(width, float64)
    clear, clear_covariance = clearing(size, size, float64), clearing(width, width, float64)

    @cuda.jit(device=True)
    def descend(w, rows, label, scratch, t):  # type: ignore[no-untyped-def]
        window, column = cuda.local.array((size, size), float64), cuda.local.array(size, float64)
        clear(window)
        for k in range(rows.shape[0], -1, -1):
            for d in range(1, size):
                if k > 0 and rows[k - 1, d - 1] >= 0:
                    own = float64(w[rows[k - 1, d - 1], t])
                    window[0, 0] += own
                    window[d, d] += own
                    if label[k, t] > 0 and label[k - d, t] > 0:
                        window[0, d] -= own
            if label[k, t] <= 0:
                window[0, 0] = float64(1)
            scratch[k, width, t] = eliminate(window, column)
            for d in range(1, size):
                scratch[k, d - 1, t] = column[d]

    @cuda.jit
    def spread(w, rows, label, used, first, chosen, scratch, variance):  # type: ignore[no-untyped-def]
        t = cuda.grid(1)
        if t >= chosen.size:
            return
        descend(w, rows, label, scratch, t)
        covariance, fresh = cuda.local.array((width, width), float64), cuda.local.array(size, float64)
        column = cuda.local.array(size, float64)
        clear_covariance(covariance)
        for k in range(used.size):
            for d in range(1, size):
                column[d] = scratch[k, d - 1, t]
            own = select(covariance, fresh, column, scratch[k, width, t])
            if label[k, t] <= 0:
                own = ZERO if label[k, t] < 0 else float64(np.nan)
            variance[used[k], first + chosen[t]] = float32(own)

    return spread
