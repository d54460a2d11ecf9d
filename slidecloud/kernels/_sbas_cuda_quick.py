"""The quick way on the device: float32, one thread a pixel, one sweep down its dates and one up.

Down, each phase and weight is read once while the normal equations are formed and eliminated together (see
`_sbas_cuda_band`); the columns of the factor go to scratch, pixels next to each other. Up, they come back for the
series, the selected inverse and, from a second reading of the pairs, the residuals. With half-width q and n dates a
pixel moves 8 bytes a pair (5 with uint8 weights) and 8 (q + 2) a date for the series alone; residuals read the pairs
once more.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cuda, float32

from slidecloud.kernels._sbas_cuda_band import arrival, clearing, elimination, selection, substitution
from slidecloud.kernels._sbas_cuda_pairs import Stored, reading, sifting
from slidecloud.kernels._sbas_cuda_quality import tally
from slidecloud.kernels._sbas_increments import PIVOT
from slidecloud.kernels._sbas_quality import SUMS

REAL = float32
ZERO = REAL(0)


@cache
def descent(half: int, stored: Stored, complete: bool) -> Any:
    """Device function that forms and eliminates the normal equations of one pixel; returns whether they are sound.

    ``scratch`` (step, half + 2, thread) receives the columns of U, one over the pivots, and the right-hand side;
    ``information`` (step, thread), where ``complete``, the normal matrix times a vector of ones.
    """
    size = half + 1
    (read, angle, code), sift = reading(half, stored), sifting(stored)
    arrive, eliminate = arrival(half), elimination(half, REAL)
    forward, _ = substitution(half, REAL)
    clear = clearing(size, size, REAL)

    @cuda.jit(device=True)
    def descend(phase, weight, offset, scale, table, rows, pixel, t, scratch, information, fault):  # type: ignore[no-untyped-def]
        window = cuda.local.array((size, size), REAL)
        right, share, push = cuda.local.array(size, REAL), cuda.local.array(size, REAL), cuda.local.array(size, REAL)
        reach, column = cuda.local.array(size, REAL), cuda.local.array(size, REAL)
        seen, codes = cuda.local.array(size, angle), cuda.local.array(size, code)
        clear(window)
        for a in range(size):
            right[a] = ZERO
            reach[a] = ZERO
        trace, covered, least = ZERO, ZERO, REAL(np.inf)
        for c in range(rows.shape[0] - 1, -1, -1):
            read(phase, weight, rows, c, pixel, seen, codes)
            for i in range(size):
                share[i] = ZERO
                push[i] = ZERO
                if rows[c, i] >= 0:
                    value, w = sift(seen[i], codes[i], table, offset[rows[c, i]], scale, fault)
                    share[i] = w
                    push[i] = w * value
                    trace += w * REAL(i + 1)
                    if complete:
                        for a in range(i + 1):
                            reach[a] += w * REAL(i + 1)
            arrive(window, right, share, push)
            pivot = window[0, 0]
            if not pivot > ZERO:
                return False
            least = min(least, pivot)
            covered += REAL(1)
            inverse = eliminate(window, column)
            for d in range(1, size):
                scratch[c, d - 1, t] = column[d]
            scratch[c, half, t] = inverse
            scratch[c, half + 1, t] = forward(right, column)
            if complete:
                information[c, t] = reach[0]
                for a in range(1, size):
                    reach[a - 1] = reach[a]
                reach[half] = ZERO
        return least > PIVOT * trace / covered

    return descend


@cache
def quick_series(half: int, stored: Stored) -> Any:
    """Kernel that writes the series of the pixels ``first ..`` and which of them are sound.

    ``rows`` (step, half + 1) int32 is the row of the pair that ends one step after c and spans i + 1, or -1; ``used``
    (date,) the row of ``series`` of each date. Unsound pixels are left to the exact way.
    """
    size, descend = half + 1, descent(half, stored, False)
    _, backward = substitution(half, REAL)

    @cuda.jit
    def solve(phase, weight, offset, scale, table, rows, used, first, scratch, series, sound, fault):  # type: ignore[no-untyped-def]
        t = cuda.grid(1)
        if t >= sound.size:
            return
        pixel = first + t
        sound[t] = descend(phase, weight, offset, scale, table, rows, pixel, t, scratch, scratch[0], fault)
        if not sound[t]:
            return
        recent, column = cuda.local.array(size, REAL), cuda.local.array(size, REAL)
        for a in range(size):
            recent[a] = ZERO
        total = np.float64(0)
        series[used[0], pixel] = ZERO
        for c in range(rows.shape[0]):
            for d in range(1, size):
                column[d] = scratch[c, d - 1, t]
            total += np.float64(backward(recent, column, scratch[c, half, t], scratch[c, half + 1, t]))
            series[used[c + 1], pixel] = REAL(total)

    return solve


@cache
def quick_inversion(half: int, stored: Stored) -> Any:
    """As `quick_series`; writes the network's variance to the rows of ``sigma``, and ``information`` and ``sums``.

    The variances come from ``D^T U``, D taking first differences of the phases: the factor of their Laplacian, formed
    column by column without cancellation because its off-diagonals are never positive.
    """
    size, wide = half + 1, half + 2
    (read, angle, code), sift = reading(half, stored), sifting(stored)
    descend, select = descent(half, stored, True), selection(half + 1, REAL)
    clear = clearing(size, size, REAL)
    _, backward = substitution(half, REAL)

    @cuda.jit
    def solve(  # type: ignore[no-untyped-def]
        phase, weight, offset, scale, table, rows, used, first, scratch, information, series, sigma, sums, sound, fault
    ):
        t = cuda.grid(1)
        if t >= sound.size:
            return
        pixel = first + t
        sound[t] = descend(phase, weight, offset, scale, table, rows, pixel, t, scratch, information, fault)
        if not sound[t]:
            return
        covariance, fresh = cuda.local.array((size, size), REAL), cuda.local.array(wide, REAL)
        recent, past = cuda.local.array(size, REAL), cuda.local.array(size, REAL)
        column, told = cuda.local.array(wide, REAL), cuda.local.array(SUMS, REAL)
        seen, codes = cuda.local.array(size, angle), cuda.local.array(size, code)
        clear(covariance)
        for a in range(size):
            recent[a] = ZERO
            past[a] = ZERO
        for a in range(SUMS):
            told[a] = ZERO
        total = np.float64(0)
        series[used[0], pixel] = ZERO
        sigma[used[0], pixel] = ZERO
        for c in range(rows.shape[0]):
            read(phase, weight, rows, c, pixel, seen, codes)
            column[0] = REAL(1)
            for d in range(1, size):
                column[d] = scratch[c, d - 1, t]
            column[size] = ZERO
            inverse = scratch[c, half, t]
            total += np.float64(backward(recent, column, inverse, scratch[c, half + 1, t]))
            level = REAL(total)
            series[used[c + 1], pixel] = level
            for d in range(size, 0, -1):
                column[d] -= column[d - 1]
            sigma[used[c + 1], pixel] = select(covariance, fresh, column, inverse)
            for i in range(size):
                if rows[c, i] >= 0:
                    value, w = sift(seen[i], codes[i], table, offset[rows[c, i]], scale, fault)
                    if w > ZERO:
                        tally(value - (level - past[i]), w, told)
            for a in range(half, 0, -1):
                past[a] = past[a - 1]
            past[0] = level
        for a in range(SUMS):
            sums[a, t] = told[a]

    return solve
