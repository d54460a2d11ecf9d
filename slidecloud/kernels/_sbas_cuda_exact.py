"""The careful way on the device, in float64: subsets bridged by the smallest velocities, weak links, robust fits.

The pairs of these pixels lie together, (pair, thread) in network order. The same window as the quick way's slides over
their dates, with a ridge; the fit and the steps of a robust one are those of `_sbas_exact`. Series are kept twice,
``level[slot, date, thread]``, so that a trial stands beside the best.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from numba import cuda, float64

from slidecloud.kernels._sbas_cuda_band import arrival, clearing, elimination, substitution
from slidecloud.kernels._sbas_exact import RIDGE
from slidecloud.kernels._sbas_increments import SMOOTHING
from slidecloud.kernels._sbas_robust import SETTLED, STRETCH

ZERO = float64(0)
ROUND = 10
"""Robust steps before pixels that have settled make room: the others then run on in full warps."""


@cuda.jit(device=True)
def _rated(value, w, level, slot, p, first, last, t, robust):  # type: ignore[no-untyped-def]
    """Weight of a pair; in a robust fit that of the parabola which touches the objective at the series of ``slot``."""
    if not robust:
        return float64(w[p, t])
    r = float64(value[p, t]) - (level[slot, last, t] - level[slot, first, t])
    return math.sqrt(float64(w[p, t]) / (r * r + SMOOTHING * SMOOTHING))


@cache
def _fitting(half: int, robust: bool) -> Any:
    """Device function that fits the pixel of thread ``t`` with weights rated at ``best``, into ``level[trial]``.

    ``scratch`` (date, half + 2, thread) holds the columns of the factor, one over the pivots and the right-hand side.
    """
    size = half + 1
    arrive, eliminate, clear = arrival(half), elimination(half, float64), clearing(size, size, float64)
    forward, backward = substitution(half, float64)

    @cuda.jit(device=True)
    def descend(value, w, rows, ratio, ridge, level, best, scratch, t):  # type: ignore[no-untyped-def]
        window = cuda.local.array((size, size), float64)
        right, share = cuda.local.array(size, float64), cuda.local.array(size, float64)
        push, column = cuda.local.array(size, float64), cuda.local.array(size, float64)
        clear(window)
        for a in range(size):
            right[a] = ZERO
        for c in range(rows.shape[0] - 1, -1, -1):
            for i in range(size):
                share[i] = ZERO
                push[i] = ZERO
                if rows[c, i] >= 0:
                    share[i] = _rated(value, w, level, best, rows[c, i], c - i, c + 1, t, robust)
                    push[i] = share[i] * float64(value[rows[c, i], t])
            arrive(window, right, share, push)
            window[0, 0] += ridge * ratio[c]
            scratch[c, half, t] = eliminate(window, column)
            for d in range(1, size):
                scratch[c, d - 1, t] = column[d]
            scratch[c, half + 1, t] = forward(right, column)

    @cuda.jit(device=True)
    def descend_again(value, w, rows, level, best, trial, scratch, t):  # type: ignore[no-untyped-def]
        right, push = cuda.local.array(size, float64), cuda.local.array(size, float64)
        column = cuda.local.array(size, float64)
        for a in range(size):
            right[a] = ZERO
        for c in range(rows.shape[0] - 1, -1, -1):
            for i in range(size):
                push[i] = ZERO
                if rows[c, i] >= 0:
                    rise = level[trial, c + 1, t] - level[trial, c - i, t]
                    u = _rated(value, w, level, best, rows[c, i], c - i, c + 1, t, robust)
                    push[i] = u * (float64(value[rows[c, i], t]) - rise)
            for a in range(half, 0, -1):
                push[a - 1] += push[a]
            for a in range(size):
                right[a] += push[a]
            for d in range(1, size):
                column[d] = scratch[c, d - 1, t]
            scratch[c, half + 1, t] = forward(right, column)

    @cuda.jit(device=True)
    def ascend(scratch, steps, level, trial, t):  # type: ignore[no-untyped-def]
        recent, column = cuda.local.array(size, float64), cuda.local.array(size, float64)
        for a in range(size):
            recent[a] = ZERO
        total = ZERO
        for c in range(steps):
            for d in range(1, size):
                column[d] = scratch[c, d - 1, t]
            total += backward(recent, column, scratch[c, half, t], scratch[c, half + 1, t])
            level[trial, c + 1, t] += total

    @cuda.jit(device=True)
    def fit(value, w, rows, ratio, ridge, level, best, trial, scratch, t):  # type: ignore[no-untyped-def]
        for k in range(level.shape[1]):
            level[trial, k, t] = ZERO
        descend(value, w, rows, ratio, ridge, level, best, scratch, t)
        ascend(scratch, rows.shape[0], level, trial, t)
        descend_again(value, w, rows, level, best, trial, scratch, t)
        ascend(scratch, rows.shape[0], level, trial, t)

    return fit


@cache
def fitting(half: int) -> Any:
    """Kernel of the weighted fit: of all solutions that of least velocity, into ``level[0]``.

    A ridge ``ridge ratio`` (ratio the squared inverse interval) makes every pivot positive; one step of iterated
    Tikhonov on the residuals then removes its bias, which falls as the square of the ridge.
    """
    least = _fitting(half, False)

    @cuda.jit
    def fit(value, w, rows, ratio, ridge, level, scratch):  # type: ignore[no-untyped-def]
        t = cuda.grid(1)
        if t < ridge.size:
            least(value, w, rows, ratio, ridge[t], level, 0, 0, scratch, t)

    return fit


@cuda.jit(device=True)
def _judge(value, w, reference, secondary, level, slot, t):  # type: ignore[no-untyped-def]
    """The robust objective of a series, and the trace of the normal matrix with the weights it yields."""
    total, trace = ZERO, ZERO
    for p in range(reference.size):
        if w[p, t] > 0:
            r = float64(value[p, t]) - (level[slot, secondary[p], t] - level[slot, reference[p], t])
            part = math.sqrt(float64(w[p, t]) * (r * r + SMOOTHING * SMOOTHING))
            total += part
            trace += float64(w[p, t]) / part * float64(secondary[p] - reference[p])
    return total, trace


@cuda.jit
def judge(value, w, reference, secondary, level, slot, score, trace, moving):  # type: ignore[no-untyped-def]
    """What `settling` begins with: the fit in ``level[0]``, its objective, and every pixel moving."""
    t = cuda.grid(1)
    if t < slot.size:
        slot[t] = 0
        moving[t] = t
        score[t], trace[t] = _judge(value, w, reference, secondary, level, 0, t)


@cache
def settling(half: int) -> Any:
    """Kernel of `ROUND` steps of iteratively reweighted least squares for the pixels ``moving[:count]``.

    See `_sbas_exact`: the objective cannot grow, and a pixel stays where it would or when no date moves by 1e-3 rad.
    Those that neither did are written to ``later``, in any order, and counted in ``left[0]``.
    """
    least = _fitting(half, True)

    @cuda.jit
    def settle(  # type: ignore[no-untyped-def]
        value,
        w,
        reference,
        secondary,
        rows,
        ratio,
        steps,
        level,
        slot,
        score,
        trace,
        scratch,
        moving,
        count,
        later,
        left,
    ):
        place = cuda.grid(1)
        if place >= count:
            return
        t = moving[place]
        for _ in range(ROUND):
            best = slot[t]
            trial = 1 - best
            ridge = RIDGE * trace[t] / float64(steps[t]) if steps[t] > 0 else float64(1)
            least(value, w, rows, ratio, ridge, level, best, trial, scratch, t)
            largest = ZERO
            for k in range(level.shape[1]):
                change = STRETCH * (level[trial, k, t] - level[best, k, t])
                level[trial, k, t] = level[best, k, t] + change
                largest = max(largest, abs(change))
            total, next_trace = _judge(value, w, reference, secondary, level, trial, t)
            if total < score[t]:
                slot[t] = trial
                score[t] = total
                trace[t] = next_trace
            if slot[t] == best or largest < SETTLED:
                return
        later[cuda.atomic.add(left, 0, 1)] = t

    return settle
