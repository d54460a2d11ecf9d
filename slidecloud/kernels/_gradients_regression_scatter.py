"""Scatter of the pairs about their regression on span and baseline, at the points of the sigma grid.

With ``q = p e^(-i (g t + h b))`` and A as in ``_gradients_regression``, write ``k = A_tb / A_tt``, ``e = b - k t``.
Then ``u = g + k h``, the rate if there were no DEM error, and h do not mix: ``A = diag(A_tt, S)`` for ``(t, e)`` with
``S = A_bb - k A_tb``, and a small error of the pairs moves u by ``sum t Im q / A_tt`` and h by ``sum e Im q / S``. So
``s = t Im q`` and ``c = t Re q`` take the places of s and c in ``_gradients_variance`` for u, ``e Im q`` and ``e Re q``
for h.

Both parameters are fitted to the same pairs. If the errors of Im q are independent with variances proportional to Re q,
for which the fit is best, ``sum s_k s_l`` over pairs that share a date is too small by the factor
``1 - sum (f_k f_l + m_k m_l)`` over the same pairs, with ``f = t² Re q / A_tt`` for u, ``e² Re q / S`` for h, and
``m = t e Re q / sqrt(A_tt S)`` for both.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_regression import BY_TURN, OUTPUTS, turned_back
from slidecloud.kernels._gradients_windows import fill_row
from slidecloud.kernels._lanes import WIDTH, fused, root, splat
from slidecloud.kernels._lanes_memory import put, take

QUANTITIES = 7
"""s and c of u, s and c of h, f of u, f of h, m."""
SCATTERS = 14
"""Per axis: own, role and chain of s and c of u and of h, and what the fit leaves of u and of h."""


@njit(nogil=True, cache=True)
def class_sums(products, member, classes):  # type: ignore[no-untyped-def]
    """Class sums (class, point) of products (pair, point), float32, added in the order of a tile."""
    total = np.zeros((classes, products.shape[1]), np.float32)
    for n in range(member.size):
        for j in range(products.shape[1]):
            total[member[n], j] += products[n, j]
    return total


@njit(nogil=True, cache=True)
def _add(row, j, values):  # type: ignore[no-untyped-def]
    put(row, j, take(row, j) + values)


@njit(nogil=True, cache=True)
def _quantities(values, real, imag, t, e, by_tt, by_s, by_both):  # type: ignore[no-untyped-def]
    """Write the QUANTITIES of a pair, a vector of points each."""
    c, d = t * real, e * real
    put(values, 0, t * imag)
    put(values, WIDTH, c)
    put(values, 2 * WIDTH, e * imag)
    put(values, 3 * WIDTH, d)
    put(values, 4 * WIDTH, t * c * by_tt)
    put(values, 5 * WIDTH, e * d * by_s)
    put(values, 6 * WIDTH, t * d * by_both)


@njit(nogil=True, cache=True)
def _over_dates(sums, own, dates, m):  # type: ignore[no-untyped-def]
    """Own, role and chain of quantity m; ``sums`` is by date, role and quantity."""
    zero = splat(np.float32(0.0))
    role, chain = zero, zero
    for date in range(dates):
        here = (2 * date * QUANTITIES + m) * WIDTH
        first, last = take(sums, here), take(sums, here + QUANTITIES * WIDTH)
        role = fused(first, first, fused(last, last, role))
        chain = fused(first, last, chain)
    return take(own, m * WIDTH), role, chain + chain


@njit(nogil=True, cache=True)
def _write(out, place, size, own, sums, dates):  # type: ignore[no-untyped-def]
    for m in range(4):
        squares, role, chain = _over_dates(sums, own, dates, m)
        put(out, place + 3 * m * size, squares)
        put(out, place + (3 * m + 1) * size, role)
        put(out, place + (3 * m + 2) * size, chain)
    squares, role, chain = _over_dates(sums, own, dates, 6)
    left = splat(np.float32(1.0)) - (role - squares + chain)
    for m in range(2):
        squares, role, chain = _over_dates(sums, own, dates, 4 + m)
        put(out, place + (12 + m) * size, left - (role - squares + chain))


@njit(nogil=True, cache=True)
def regression_scatter(products, table, first, last, solution, size, out):  # type: ignore[no-untyped-def]
    """Fill ``out``, float32 flat (axis, SCATTERS, point), at ``size`` points, a multiple of `WIDTH`.

    ``products`` float32 (pair, 4 x points); ``table`` float32 (pair, 2) span and baseline in the units of the
    regression; ``first`` and ``last`` its dates, numbered from zero; ``solution`` what ``regress_row`` wrote. Not
    finite where there is no solution.
    """
    dates = max(first.max(), last.max()) + 1
    sums, own = np.empty(dates * 2 * QUANTITIES * WIDTH, np.float32), np.empty(QUANTITIES * WIDTH, np.float32)
    values = np.empty(QUANTITIES * WIDTH, np.float32)
    one, by_turn = splat(np.float32(1.0)), splat(np.float32(BY_TURN))
    for axis in range(2):
        for j in range(0, size, WIDTH):
            place = OUTPUTS * axis * size + j
            g, h = by_turn * take(solution, place), by_turn * take(solution, place + size)
            tt, tb = take(solution, place + 2 * size), take(solution, place + 3 * size)
            mixing = tb / tt
            information = take(solution, place + 4 * size) - mixing * tb
            by_tt, by_s, by_both = one / tt, one / information, one / root(tt * information)
            fill_row(sums, np.float32(0.0))
            fill_row(own, np.float32(0.0))
            for n in range(products.shape[0]):
                line = products[n]
                a, b = take(line, 2 * axis * size + j), take(line, (2 * axis + 1) * size + j)
                t, baseline = splat(table[n, 0]), splat(table[n, 1])
                real, imag = turned_back(a, b, fused(g, t, h * baseline))
                _quantities(values, real, imag, t, baseline - mixing * t, by_tt, by_s, by_both)
                as_first, as_last = 2 * first[n] * QUANTITIES * WIDTH, (2 * last[n] + 1) * QUANTITIES * WIDTH
                for m in range(0, QUANTITIES * WIDTH, WIDTH):
                    value = take(values, m)
                    put(own, m, fused(value, value, take(own, m)))
                    _add(sums, as_first + m, value)
                    _add(sums, as_last + m, value)
            _write(out, SCATTERS * axis * size + j, size, own, sums, dates)
