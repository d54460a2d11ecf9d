"""Banded factors on the device: one thread a pixel, and of its band only the part that one date touches.

Step c joins date c to date c + 1. From the last step to the first, a thread adds the pairs that end at date c + 1,
after which nothing of c is missing, and eliminates c: ``M = U diag(p) U^T`` with U upper, as `_sbas_band` has it. What
it holds meanwhile is a window of (half + 1)^2 / 2 numbers, ``window[a, b]`` for the element (c - b, c - a), a <= b.
Widths are known when a kernel is compiled, so loops over the window unroll and it stays in registers (up to a
half-width of 7; the compiler puts wider ones into local memory). Before the first date it is zero: no case of its own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cuda


@cache
def arrival(half: int) -> Any:
    """Device function that adds the pairs which end one step after ``c``.

    ``share[i]`` and ``push[i]`` hold weight and weight times phase of the pair of span i + 1, zero if there is none. A
    pair touches every element of the window up to its span, so sums from the longest pair on are what each gains.
    """
    size = half + 1

    @cuda.jit(device=True)
    def arrive(window, right, share, push):  # type: ignore[no-untyped-def]
        for a in range(size - 1, 0, -1):
            share[a - 1] += share[a]
            push[a - 1] += push[a]
        for a in range(size):
            right[a] += push[a]
            for b in range(a, size):
                window[a, b] += share[b]

    return arrive


@cache
def elimination(width: int, real: Any) -> Any:
    """Device function that eliminates the first unknown of a window of ``width`` superdiagonals and moves it on.

    It returns one over the pivot (zero where there is none) and writes ``column[d] = U[c - d, c]``, one for d = 0.
    """
    zero, one = real(0), real(1)

    @cuda.jit(device=True)
    def eliminate(window, column):  # type: ignore[no-untyped-def]
        pivot = window[0, 0]
        inverse = one / pivot if pivot > zero else zero
        column[0] = one
        for a in range(1, width + 1):
            column[a] = window[0, a]
        for a in range(1, width + 1):
            share = column[a] * inverse
            for b in range(a, width + 1):
                window[a - 1, b - 1] = window[a, b] - share * column[b]
            column[a] = share
        for a in range(width + 1):
            window[a, width] = zero
        return inverse

    return eliminate


@cache
def substitution(half: int, real: Any) -> tuple[Any, Any]:
    """Device functions ``forward(right, column)`` and ``backward(recent, column, inverse, value)``.

    The first returns the eliminated element of the right-hand side and moves ``right`` on; the second returns an
    unknown and moves ``recent``, those before it, on.
    """
    zero = real(0)

    @cuda.jit(device=True)
    def forward(right, column):  # type: ignore[no-untyped-def]
        here = right[0]
        for a in range(1, half + 1):
            right[a - 1] = right[a] - column[a] * here
        right[half] = zero
        return here

    @cuda.jit(device=True)
    def backward(recent, column, inverse, value):  # type: ignore[no-untyped-def]
        x = value * inverse
        for d in range(1, half + 1):
            x -= column[d] * recent[d - 1]
        for d in range(half, 0, -1):
            recent[d] = recent[d - 1]
        recent[0] = x
        return x

    return forward, backward


@cache
def selection(width: int, real: Any) -> Any:
    """Device function that continues the selected inverse of ``U diag(p) U^T`` by one unknown and returns its variance.

    Takahashi, Fagan and Chin (1973), first unknown first: ``covariance[a, b]``, a <= b < width, is that of the unknowns
    a + 1 and b + 1 before this one; ``column`` as `elimination` writes it; ``fresh`` (width + 1,) is scratch.
    """
    zero = real(0)

    @cuda.jit(device=True)
    def select(covariance, fresh, column, inverse):  # type: ignore[no-untyped-def]
        variance = inverse
        for e in range(1, width + 1):
            fresh[e] = zero
            for d in range(1, width + 1):
                fresh[e] -= column[d] * covariance[min(d, e) - 1, max(d, e) - 1]
            variance -= column[e] * fresh[e]
        for a in range(width - 1, 0, -1):
            for b in range(width - 1, a - 1, -1):
                covariance[a, b] = covariance[a - 1, b - 1]
        for b in range(1, width):
            covariance[0, b] = fresh[b]
        covariance[0, 0] = variance
        return variance

    return select


@cache
def clearing(rows: int, columns: int, real: Any) -> Any:
    """Device function that sets a local table to zero."""
    zero = real(0)

    @cuda.jit(device=True)
    def clear(table):  # type: ignore[no-untyped-def]
        for a in range(rows):
            for b in range(columns):
                table[a, b] = zero

    return clear
