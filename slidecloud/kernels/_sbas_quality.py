"""How well a series explains its pairs: residuals, temporal coherence, the scale of the weights."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT, add, load_pair
from slidecloud.kernels._sbas_exact import SMOOTHING

LANES, ROBUST_LANES = 1024, 32
PER_TURN, QUARTER, HALF = np.float32(0.15915494309189535), np.float32(0.25), np.float32(0.5)
S1, S3, S5, S7, S9 = (np.float32(c) for c in (6.28318516, -41.3416549, 81.6009982, -76.5496568, 39.5358137))
"""Of sin(2 pi t), abs(t) <= 1/4, to 4e-8 before rounding."""


@njit(**NJIT)
def _residual(value, w, first, last, out, known, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        seen = w[j] > 0
        known[j] = np.float32(1) if seen else np.float32(0)
        out[j] = value[j] - (last[j] - first[j]) if seen else np.float32(0)


@njit(**NJIT)
def _add_squares(r, w, misfit, square, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        power = r[j] * r[j]
        square[j] += power
        misfit[j] += w[j] * power


@njit(**NJIT)
def _add_cosine(r, known, cosine, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        turns = r[j] * PER_TURN
        turns = abs(turns - np.floor(turns + HALF))
        t = QUARTER - turns
        s = t * t
        cosine[j] += known[j] * t * (S1 + s * (S3 + s * (S5 + s * (S7 + s * S9))))


@njit(**NJIT)
def _add_sine(r, sine, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        turns = r[j] * PER_TURN
        turns = turns - np.floor(turns + HALF)
        t = QUARTER - abs(abs(turns) - QUARTER)
        s = t * t
        size = t * (S1 + s * (S3 + s * (S5 + s * (S7 + s * S9))))
        sine[j] += -size if turns < 0 else size


@njit(**NJIT)
def summarise_residuals(phase, weight, order, reference, secondary, series, sums):  # type: ignore[no-untyped-def]
    """Sums over the valid pairs of each pixel into ``sums`` (6, pixel) float64.

    Rows: number, sum of weights, sum of w r^2, of r^2, of cos r and of sin r, r being observed less fitted. All of it
    is float32, whose rounding over a thousand pairs stays below 1e-5 of a sum.
    """
    value, w = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    r, known = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for start in range(0, phase.shape[1], LANES):
        stop = min(start + LANES, phase.shape[1])
        lanes = stop - start
        out = np.zeros((6, LANES), np.float32)
        for p in range(order.size):
            load_pair(phase[order[p], start:stop], weight[order[p], start:stop], value, w, lanes)
            _residual(value, w, series[reference[p], start:stop], series[secondary[p], start:stop], r, known, lanes)
            add(out[0], known, lanes)
            add(out[1], w, lanes)
            _add_squares(r, w, out[2], out[3], lanes)
            _add_cosine(r, known, out[4], lanes)
            _add_sine(r, out[5], lanes)
        sums[:, start:stop] = out[:, :lanes]


@njit(**NJIT)
def _leverage_constant(slope, rank):  # type: ignore[no-untyped-def]
    """The c > 0 at which the sum of ``c slope / (1 + c slope)`` is ``rank``; Newton from below, where it is concave."""
    c = rank / slope.sum()
    for _ in range(100):
        reached = rate = 0.0
        for p in range(slope.size):
            part = 1.0 / (1.0 + c * slope[p])
            reached += c * slope[p] * part
            rate += slope[p] * part * part
        step = (rank - reached) / rate
        c += step
        if not step > 1e-9 * c:
            break
    return c


@njit(**NJIT)
def _add_curvature(seen, rated, first, last, slope, power, number):  # type: ignore[no-untyped-def]
    """One pair's psi' to the end of each lane's ``slope``, its psi^2 to ``power``."""
    d2 = SMOOTHING * SMOOTHING
    for j in range(seen.size):
        if seen[j] == seen[j] and rated[j] > 0:
            r = np.float64(seen[j]) - (np.float64(last[j]) - np.float64(first[j]))
            power[j] += r * r / (r * r + d2)
            slope[j, number[j]] = d2 / ((r * r + d2) * np.sqrt((r * r + d2) * rated[j]))
            number[j] += 1


@njit(**NJIT)
def robust_variance_factor(phase, weight, order, reference, secondary, series, rank, factor):  # type: ignore[no-untyped-def]
    """s0^2 of a robust fit into ``factor`` (pixel,), one where pairs do not exceed ``rank`` (pixel,).

    The sandwich of an M-estimator in a form that holds where unknowns are not few beside pairs (El Karoui et al.,
    2013): with psi the derivative of the objective by the standardised residual, kappa = rank / pairs, and c such that
    ``mean(c psi' / (1 + c psi')) = kappa``, it is ``c^2 mean(psi^2) (1 - kappa) / kappa^2``. For squares this is the
    sum of squares over the redundancy, for few unknowns ``mean(psi^2) / mean(psi')^2``.
    """
    pairs = order.size
    slope, power = np.empty((ROBUST_LANES, pairs)), np.empty(ROBUST_LANES)
    number = np.empty(ROBUST_LANES, np.int64)
    for start in range(0, factor.size, ROBUST_LANES):
        stop = min(start + ROBUST_LANES, factor.size)
        power[:] = 0.0
        number[:] = 0
        for p in range(pairs):
            seen, rated = phase[order[p], start:stop], weight[order[p], start:stop]
            first, last = series[reference[p], start:stop], series[secondary[p], start:stop]
            _add_curvature(seen, rated, first, last, slope, power, number)
        for j in range(stop - start):
            free = rank[start + j]
            factor[start + j] = 1.0
            if number[j] > free:
                kappa = free / number[j]
                c = _leverage_constant(slope[j, : number[j]], free)
                factor[start + j] = c * c * power[j] / number[j] * (1.0 - kappa) / (kappa * kappa)
