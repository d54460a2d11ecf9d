"""The quick way: weighted least squares in increments, float32, for pixels whose pairs link all dates well.

Assembly and elimination go together, from the last increment to the first. The normal matrix of the increments is
``M[a, c] = sum of w over pairs with reference <= a and secondary > c`` (a <= c), so

    M[a, c] = M[a, c + 1] + sum of w over pairs with reference <= a and secondary = c + 1

and likewise the right-hand side: one addition an element, with sums that run along the references of one secondary.
Only what the longest pair reaches is open at a time. It stays in the first-level cache; the factor is written once, and
read once on the way back. Functions here work on one vector of pixels (see `_lanes`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import fused, least, narrow, root, splat, widen
from slidecloud.kernels._lanes_memory import load, peek, poke, store
from slidecloud.kernels._sbas_band import INLINE, NJIT
from slidecloud.kernels._sbas_stage import INFINITE, ZERO

PIVOT = np.float32(1e-4)
WIDEST = 8
"""Superdiagonals up to which float32 keeps five digits: the condition number grows as their square."""
SMOOTHING = 0.1
"""Residuals well below this many radians count by their square in a robust fit, those above by their size."""
SMOOTH = np.float32(SMOOTHING * SMOOTHING)
ONE = np.float32(1)


MATRIX, RIGHT, CARRIED, SCHUR = 0, 1, 2, 3
"""Vectors of an open unknown a: M[a, c], right-hand side, what it loses, and what M[a - d, a], d >= 0, lose."""
ROOM = 4 * (WIDEST + 2) ** 2
"""Vectors of scratch that any number of superdiagonals needs."""


def diagonals(number: int) -> tuple[int, ...]:
    """A tuple of that length, by which numba knows the number of superdiagonals when it compiles, and unrolls loops."""
    return (0,) * number


@njit(**INLINE)
def _ring(half):  # type: ignore[no-untyped-def]
    """All ones in binary, at least ``half``: unknowns that are open together differ in these last digits."""
    mask = 0
    while mask < half:
        mask = 2 * mask + 1
    return mask


@njit(**INLINE)
def _clear(work, number):  # type: ignore[no-untyped-def]
    for i in range(number):
        poke(work, i, splat(ZERO))


@njit(**INLINE)
def _add_row_sums(information, work, c, diagonal, half, mask, column):  # type: ignore[no-untyped-def]
    """Add column c of M, and by symmetry row c, to ``M 1``."""
    own = load(information, c, column) + diagonal
    for d in range(1, min(half, c) + 1):
        element = peek(work, ((c - d) & mask) * (half + 4) + MATRIX)
        own = own + element
        store(information, c - d, column, load(information, c - d, column) + element)
    store(information, c, column, own)


@njit(**INLINE)
def _reduce(band, work, c, half, mask, inverse, y):  # type: ignore[no-untyped-def]
    """The factor's elements (c - d, c), and what they take from the matrix and right-hand side that are left."""
    stride, out = half + 4, c * (half + 2) + 1
    element = (mask + 1) * stride
    for d in range(half, 0, -1):
        row = peek(work, element + d) * inverse
        poke(band, out + d, row)
        there = ((c - d) & mask) * stride
        poke(work, there + CARRIED, row * y if d == half else fused(row, y, peek(work, there + CARRIED)))
        for e in range(1, d + 1):
            k, other = ((c - e) & mask) * stride + SCHUR + d - e, peek(work, element + e)
            poke(work, k, row * other if d == half else fused(row, other, peek(work, k)))


@njit(**NJIT)
def eliminate(value, w, column, pairs, wide, fit, band, work, information):  # type: ignore[no-untyped-def]
    """Assemble and factor the normal equations of the lanes from ``column`` on: M = U diag(p) U^T, U upper.

    Unknowns before the first, which have no pairs, are carried along as zeros, so that all loops have one length.

    Parameters
    ----------
    value, w
        (pair, lane) of `stage`, pairs in the order of ``pairs``, which are `Arrivals`.
    wide
        `diagonals` of M: the longest pair in date steps, less one.
    fit
        None, or (date, lane) rad: weights are then ``sqrt(w / (r^2 + 0.1^2))``, r the residuals of that fit.
    band
        Scratch of ``len(wide) + 2`` vectors an increment, written. Of unknown c: one over its pivot; its reduced
        right-hand side over the pivot; the factor's elements (c - d, c), d >= 1.
    work
        Scratch of `ROOM` vectors.
    information
        None, or (date - 1, lane), written: M times a vector of ones.

    Returns
    -------
    The smallest pivot, the mean diagonal, and the objective ``sum of sqrt(w (r^2 + 0.1^2))`` of ``fit`` (float64).
    """
    half, reference, first = len(wide), pairs.reference, pairs.first
    steps, mask, stride = first.size - 2, _ring(half), half + 4
    _clear(work, (mask + 1) * stride)
    if information is not None:
        for k in range(steps):
            store(information, k, column, splat(ZERO))
    smallest, total, objective = splat(INFINITE), splat(ZERO), splat(np.float64(0))
    for c in range(steps - 1, -1, -1):
        here, p, end = (c & mask) * stride, first[c + 1], first[c + 2]
        sum_w, sum_value, cost = splat(ZERO), splat(ZERO), splat(ZERO)
        diagonal, right = sum_w, sum_value
        for d in range(half, -1, -1):
            if p < end and reference[p] == c - d:
                share, seen = load(w, p, column), load(value, p, column)
                if fit is not None:
                    residual = seen - (load(fit, c + 1, column) - load(fit, c - d, column))
                    power = fused(residual, residual, splat(SMOOTH))
                    share = root(share / power)
                    cost = fused(share, power, cost)
                sum_w = sum_w + share
                sum_value = fused(share, seen, sum_value)
                p += 1
            there = ((c - d) & mask) * stride
            diagonal = sum_w if d == half else peek(work, there + MATRIX) + sum_w
            right = sum_value if d == half else peek(work, there + RIGHT) + sum_value
            if d > 0:
                poke(work, there + MATRIX, diagonal)
                poke(work, there + RIGHT, right)
                poke(work, (mask + 1) * stride + d, diagonal - peek(work, here + SCHUR + d))
        if fit is not None:
            objective = objective + widen(cost)
        if information is not None:
            _add_row_sums(information, work, c, diagonal, half, mask, column)
        pivot = diagonal - peek(work, here + SCHUR)
        y = right - peek(work, here + CARRIED)
        inverse = splat(ONE) / pivot
        smallest, total = least(smallest, pivot), total + diagonal
        poke(band, c * (half + 2), inverse)
        poke(band, c * (half + 2) + 1, y * inverse)
        _reduce(band, work, c, half, mask, inverse, y)
    return smallest, total / splat(np.float32(steps)), objective


@njit(**NJIT)
def substitute(wide, band, work, series, column):  # type: ignore[no-untyped-def]
    """The increments, and their running sum into ``series`` (date, lane) rad from ``column`` on; date 0 is zero."""
    half = len(wide)
    mask = _ring(half)
    total = splat(np.float64(0))
    store(series, 0, column, splat(ZERO))
    _clear(work, mask + 1)
    for c in range(series.shape[0] - 1):
        row = c * (half + 2) + 1
        step = peek(band, row)
        for d in range(half, 0, -1):
            step = fused(-peek(band, row + d), peek(work, (c - d) & mask), step)
        poke(work, c & mask, step)
        total = total + widen(step)
        store(series, c + 1, column, narrow(total))


@njit(**NJIT)
def date_variance(wide, band, work, out, column):  # type: ignore[no-untyped-def]
    """Variance of each date's phase relative to date 0, of pairs of variance 1 / weight, by the results of `eliminate`.

    With D the first differences of dates, ``D^T U`` is the banded factor of the phases' Laplacian: its elements
    ``U[k, c] - U[k + 1, c]``, never positive, come from one column of U. Its selected inverse follows by the recurrence
    of Takahashi, Fagan and Chin (1973), run from the first date on because U is upper: within the band
    ``C[i, j] = sum_k L[k, i] C[k, j]`` and ``C[i, i] = 1 / p_i + sum_k L[k, i] C[k, i]``, L the elements' size. All
    terms are positive: nothing cancels. Date 0 and what would be before it have no variance. Written to ``out`` (date,
    lane).
    """
    half = len(wide)
    reach = half + 1
    mask = _ring(reach)
    stride = reach + 1
    difference = (mask + 1) * stride
    _clear(work, difference)
    store(out, 0, column, splat(ZERO))
    for i in range(out.shape[0] - 1):
        row, here = i * (half + 2) + 1, (i & mask) * stride
        before = splat(ONE)
        for d in range(1, reach + 1):
            element = peek(band, row + d) if d <= half else splat(ZERO)
            poke(work, difference + d, before - element)
            before = element
        variance = peek(band, row - 1)
        for e in range(1, reach + 1):
            covariance = splat(ZERO)
            for d in range(1, reach + 1):
                k = ((i - min(d, e)) & mask) * stride + abs(d - e)
                covariance = fused(peek(work, difference + d), peek(work, k), covariance)
            poke(work, here + e, covariance)
            variance = fused(peek(work, difference + e), covariance, variance)
        poke(work, here, variance)
        store(out, i + 1, column, variance)
