"""How well a series explains its pairs: residuals and temporal coherence."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import choose, fused, magnitude, splat, whole
from slidecloud.kernels._lanes_memory import load, store
from slidecloud.kernels._sbas_band import NJIT
from slidecloud.kernels._sbas_increments import ONE
from slidecloud.kernels._sbas_stage import ZERO

SUMS = 6
PER_TURN, QUARTER, HALF = np.float32(0.15915494309189535), np.float32(0.25), np.float32(0.5)
S1, S3, S5, S7, S9 = (np.float32(c) for c in (6.28318516, -41.3416549, 81.6009982, -76.5496568, 39.5358137))
"""Of sin(2 pi t), abs(t) <= 1/4, to 4e-8 before rounding."""


@njit(**NJIT)
def _sine(t):  # type: ignore[no-untyped-def]
    """sin(2 pi t), abs(t) <= 1/4."""
    s = t * t
    series = fused(s, fused(s, fused(s, fused(s, splat(S9), splat(S7)), splat(S5)), splat(S3)), splat(S1))
    return t * series


@njit(**NJIT)
def sum_residuals(value, w, column, pairs, series, out):  # type: ignore[no-untyped-def]
    """Sums over the valid pairs of a vector of pixels into ``out`` (`SUMS`, lane) float32.

    Rows: number, sum of weights, sum of w r^2, of r^2, of cos r and of sin r, r being observed less fitted. All of it
    is float32, whose rounding over a thousand pairs stays below 1e-5 of a sum.
    """
    reference, secondary = pairs.reference, pairs.secondary
    zero, one, half, quarter = splat(ZERO), splat(ONE), splat(HALF), splat(QUARTER)
    number, total, misfit, square, cosine, sine = zero, zero, zero, zero, zero, zero
    for p in range(reference.size):
        rated = load(w, p, column)
        known = rated > zero
        model = load(series, secondary[p], column) - load(series, reference[p], column)
        r = choose(known, load(value, p, column) - model, zero)
        power = r * r
        number, total = number + choose(known, one, zero), total + rated
        misfit, square = fused(rated, power, misfit), square + power
        turns = r * splat(PER_TURN)
        turns = turns - whole(turns + half)
        size = magnitude(turns)
        cosine = cosine + choose(known, _sine(quarter - size), zero)
        across = _sine(quarter - magnitude(size - quarter))
        sine = sine + choose(turns < zero, -across, across)
    store(out, 0, column, number)
    store(out, 1, column, total)
    store(out, 2, column, misfit)
    store(out, 3, column, square)
    store(out, 4, column, cosine)
    store(out, 5, column, sine)
