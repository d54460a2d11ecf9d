"""How well a series explains its pairs: residuals, temporal coherence, the scale of the weights."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT, load_pair
from slidecloud.kernels._sbas_exact import SMOOTHING
from slidecloud.kernels.phase import sincos_poly

LANES = 256


@njit(**NJIT)
def _add_pair(value, w, first, last, count, total, misfit, square, cosine, sine, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        known = w[j] > 0
        r = np.float64(value[j]) - (np.float64(last[j]) - np.float64(first[j])) if known else 0.0
        s, c = sincos_poly(r)
        count[j] += 1.0 if known else 0.0
        total[j] += w[j]
        misfit[j] += w[j] * (r * r)
        square[j] += r * r
        cosine[j] += c if known else 0.0
        sine[j] += s


@njit(**NJIT)
def summarise_residuals(phase, weight, order, reference, secondary, series, sums):  # type: ignore[no-untyped-def]
    """Sums over the valid pairs of each pixel into ``sums`` (6, pixel) float64.

    Rows: number, sum of weights, sum of w r^2, of r^2, of cos r and of sin r, r being observed less fitted.
    """
    value = np.empty(LANES, np.float32)
    w = np.empty(LANES, np.float32)
    for start in range(0, phase.shape[1], LANES):
        stop = min(start + LANES, phase.shape[1])
        lanes = stop - start
        out = np.zeros((6, LANES))
        for p in range(order.size):
            load_pair(phase[order[p], start:stop], weight[order[p], start:stop], value, w, lanes)
            first, last = series[reference[p], start:stop], series[secondary[p], start:stop]
            _add_pair(value, w, first, last, out[0], out[1], out[2], out[3], out[4], out[5], lanes)
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
def robust_variance_factor(phase, weight, order, reference, secondary, series, rank, factor):  # type: ignore[no-untyped-def]
    """s0^2 of a robust fit into ``factor`` (pixel,), one where pairs do not exceed ``rank`` (pixel,).

    The sandwich of an M-estimator in a form that holds where unknowns are not few beside pairs (El Karoui et al.,
    2013): with psi the derivative of the objective by the standardised residual, kappa = rank / pairs, and c such that
    ``mean(c psi' / (1 + c psi')) = kappa``, it is ``c^2 mean(psi^2) (1 - kappa) / kappa^2``. For squares this is the
    sum of squares over the redundancy, for few unknowns ``mean(psi^2) / mean(psi')^2``.
    """
    d2 = SMOOTHING * SMOOTHING
    slope = np.empty(order.size)
    for j in range(factor.size):
        number = 0
        power = 0.0
        for p in range(order.size):
            row, rated = order[p], weight[order[p], j]
            if phase[row, j] == phase[row, j] and rated > 0:
                r = np.float64(phase[row, j]) - (
                    np.float64(series[secondary[p], j]) - np.float64(series[reference[p], j])
                )
                power += r * r / (r * r + d2)
                slope[number] = d2 / ((r * r + d2) * np.sqrt((r * r + d2) * rated))
                number += 1
        factor[j] = 1.0
        if number > rank[j]:
            kappa = rank[j] / number
            c = _leverage_constant(slope[:number], rank[j])
            factor[j] = c * c * power / number * (1.0 - kappa) / (kappa * kappa)
