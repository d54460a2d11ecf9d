"""How well a series explains its pairs, on the device: see `_sbas_quality` for the same on the CPU."""

from __future__ import annotations

import math

import numpy as np
from numba import cuda, float32, float64

from slidecloud.kernels._sbas_increments import SMOOTHING
from slidecloud.kernels._sbas_quality import HALF, PER_TURN, QUARTER, S1, S3, S5, S7, S9, SUMS

ZERO, ONE = np.float32(0), np.float32(1)


@cuda.jit(device=True)
def tally(r, w, sums):  # type: ignore[no-untyped-def]
    """Add a pair of weight ``w`` > 0 and residual ``r``, float32 rad, to ``sums`` (6,): see `_sbas_quality`."""
    sums[0] += ONE
    sums[1] += w
    sums[2] += w * r * r
    sums[3] += r * r
    turns = r * PER_TURN
    turns = turns - np.float32(math.floor(turns + HALF))
    t = QUARTER - abs(turns)
    s = t * t
    sums[4] += t * (S1 + s * (S3 + s * (S5 + s * (S7 + s * S9))))
    t = QUARTER - abs(abs(turns) - QUARTER)
    s = t * t
    size = t * (S1 + s * (S3 + s * (S5 + s * (S7 + s * S9))))
    sums[5] += -size if turns < ZERO else size


@cuda.jit
def summarise(value, w, reference, secondary, used, first, chosen, series, sums):  # type: ignore[no-untyped-def]
    """`SUMS` rows of ``sums`` of gathered pairs (pair, thread), from the rows ``used`` of ``series``."""
    t = cuda.grid(1)
    if t >= chosen.size:
        return
    pixel = first + chosen[t]
    told = cuda.local.array(SUMS, float32)
    for a in range(SUMS):
        told[a] = ZERO
    for p in range(reference.size):
        if w[p, t] > ZERO:
            rise = series[used[secondary[p]], pixel] - series[used[reference[p]], pixel]
            tally(value[p, t] - rise, w[p, t], told)
    for a in range(SUMS):
        sums[a, t] = told[a]


@cuda.jit(device=True)
def _leverage(value, w, reference, secondary, level, slot, c, t):  # type: ignore[no-untyped-def]
    """Sums over pairs: of ``c s / (1 + c s)``, s the slope of psi, of its derivative by c, of s, and of psi^2."""
    reached, rate, slopes, power = 0.0, 0.0, 0.0, 0.0
    for p in range(reference.size):
        if w[p, t] > ZERO:
            r = float64(value[p, t]) - (level[slot, secondary[p], t] - level[slot, reference[p], t])
            square = r * r + SMOOTHING * SMOOTHING
            slope = SMOOTHING * SMOOTHING / (square * math.sqrt(square * float64(w[p, t])))
            part = 1.0 / (1.0 + c * slope)
            reached += c * slope * part
            rate += slope * part * part
            slopes += slope
            power += r * r / square
    return reached, rate, slopes, power


@cuda.jit
def robust_factor(value, w, reference, secondary, level, slot, linked, sums, factor):  # type: ignore[no-untyped-def]
    """s0^2 of a robust fit (see `_sbas_quality.robust_variance_factor`), one where pairs do not exceed ``linked``."""
    t = cuda.grid(1)
    if t >= factor.size:
        return
    factor[t] = 1.0
    number, rank = float64(sums[0, t]), float64(linked[t])
    if not number > rank:
        return
    _, _, slopes, power = _leverage(value, w, reference, secondary, level, slot[t], 0.0, t)
    c = rank / slopes
    for _ in range(100):
        reached, rate, _, _ = _leverage(value, w, reference, secondary, level, slot[t], c, t)
        step = (rank - reached) / rate
        c += step
        if not step > 1e-9 * c:
            break
    kappa = rank / number
    factor[t] = c * c * power / number * (1.0 - kappa) / (kappa * kappa)
