"""Banded symmetric matrices of many pixels at once: unit upper factor, solution, selected inverse.

A matrix of order n with q superdiagonals is held for a block of pixels ("lanes") as ``band[d, k, lane]``, the element
(k, k + d). Every loop over lanes does the same IEEE operations in each, so a pixel's bits do not depend on its place.
Helpers take whole rows: numba turns loops over ``row[j]`` into vector code, but not those over ``band[d, k, j]``.
"""

from __future__ import annotations

from typing import Any

from numba import njit

NJIT: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
INLINE: dict[str, Any] = NJIT | {"forceinline": True}


@njit(**NJIT)
def add(out, a, lanes):  # type: ignore[no-untyped-def]
    """``out += a``."""
    for j in range(lanes):
        out[j] += a[j]


@njit(**NJIT)
def multiply(out, a, b, lanes):  # type: ignore[no-untyped-def]
    """``out = a * b``."""
    for j in range(lanes):
        out[j] = a[j] * b[j]


@njit(**NJIT)
def subtract_product(out, a, b, lanes):  # type: ignore[no-untyped-def]
    """``out -= a * b``."""
    for j in range(lanes):
        out[j] -= a[j] * b[j]


@njit(**NJIT)
def fill(out, value, lanes):  # type: ignore[no-untyped-def]
    """``out = value``."""
    for j in range(lanes):
        out[j] = value


@njit(**NJIT)
def copy(source, out, lanes):  # type: ignore[no-untyped-def]
    """``out = source``."""
    for j in range(lanes):
        out[j] = source[j]


@njit(**NJIT)
def clear(band, lanes):  # type: ignore[no-untyped-def]
    """Set the band to zero."""
    for d in range(band.shape[0]):
        for k in range(band.shape[1]):
            fill(band[d, k], 0, lanes)


@njit(**NJIT)
def _invert_pivot(inverse, pivot, floor, sound, lanes):  # type: ignore[no-untyped-def]
    one = pivot.dtype.type(1)
    for j in range(lanes):
        sound[j] &= pivot[j] > floor[j]
        inverse[j] = one / pivot[j]


@njit(**NJIT)
def factor(band, q, inverse, floor, sound, row, lanes):  # type: ignore[no-untyped-def]
    """Replace M by U of ``M = U diag(p) U^T`` (U upper with unit diagonal), last unknown first.

    ``inverse[k]`` receives 1 / p_k. ``sound`` becomes false in lanes where a pivot does not exceed ``floor``;
    what such a lane holds afterwards has no meaning. ``row`` is scratch.
    """
    for c in range(band.shape[1] - 1, -1, -1):
        _invert_pivot(inverse[c], band[0, c], floor, sound, lanes)
        for d in range(min(q, c), 0, -1):
            multiply(row, band[d, c - d], inverse[c], lanes)
            for e in range(1, d + 1):
                subtract_product(band[d - e, c - d], row, band[e, c - e], lanes)
            copy(row, band[d, c - d], lanes)


@njit(**NJIT)
def solve(band, q, inverse, x, lanes):  # type: ignore[no-untyped-def]
    """Replace the right-hand side ``x[k, lane]`` by the solution, with the results of `factor`."""
    n = band.shape[1]
    for c in range(n - 1, -1, -1):
        for d in range(1, min(q, c) + 1):
            subtract_product(x[c - d], band[d, c - d], x[c], lanes)
    for c in range(n):
        multiply(x[c], x[c], inverse[c], lanes)
        for d in range(1, min(q, c) + 1):
            subtract_product(x[c], band[d, c - d], x[c - d], lanes)


@njit(**NJIT)
def selected_variance(band, q, inverse, ring, out, lanes):  # type: ignore[no-untyped-def]
    """Diagonal of the inverse of ``U diag(p) U^T`` into ``out[k, lane]``.

    The recurrence of Takahashi, Fagan and Chin (1973), run from the first unknown on because U is upper: within the
    band ``C[i, j] = -sum_k U[k, i] C[k, j]`` and ``C[i, i] = 1 / p_i - sum_k U[k, i] C[k, i]``.
    ``ring[e, i % (q + 1)]`` is scratch for ``C[i, i - e]``.
    """
    size = q + 1
    for i in range(band.shape[1]):
        here = i % size
        reach = min(q, i)
        for e in range(1, reach + 1):
            fill(ring[e, here], 0, lanes)
            for d in range(1, reach + 1):
                later = max(i - d, i - e)
                subtract_product(ring[e, here], band[d, i - d], ring[abs(d - e), later % size], lanes)
        copy(inverse[i], ring[0, here], lanes)
        for d in range(1, reach + 1):
            subtract_product(ring[0, here], band[d, i - d], ring[d, here], lanes)
        copy(ring[0, here], out[i], lanes)


@njit(**NJIT)
def add_pair(band, rhs, w, weighted, first, last, lanes):  # type: ignore[no-untyped-def]
    """Add a pair of dates ``first < last`` to the normal equations of the increments ``first .. last - 1``."""
    for k in range(first, last):
        add(rhs[k], weighted, lanes)
        for l in range(k, last):  # noqa: E741
            add(band[l - k, k], w, lanes)


@njit(**NJIT)
def mean_diagonal(band, total, count, lanes):  # type: ignore[no-untyped-def]
    """Mean of the positive diagonal elements into ``total`` (zero where there is none); ``count`` is scratch."""
    fill(total, 0, lanes)
    fill(count, 0, lanes)
    for k in range(band.shape[1]):
        diagonal = band[0, k]
        for j in range(lanes):
            total[j] += diagonal[j]
            count[j] += 1 if diagonal[j] > 0 else 0
    for j in range(lanes):
        total[j] = total[j] / count[j] if count[j] > 0 else 0
