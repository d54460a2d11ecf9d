"""Second moments of the products over pairs that share a date, at the points of the sigma grid.

Pairs are sorted by (reference, secondary), so one date at a time is summed as reference; the sums of the dates still to
come wait in slots, which are used again. Rows are float64, their parts as long as there are points, padded: products
x real, x imaginary, y real, y imaginary; moments real², real x imaginary, imaginary² of x, then of y.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import WIDTH, splat
from slidecloud.kernels._lanes_memory import put, take

POINTS = 128
"""Points whose moments are summed together: 30 rows of them are 30 KiB."""


@njit(nogil=True, cache=True)
def _add(row, j, values):  # type: ignore[no-untyped-def]
    put(row, j, take(row, j) + values)


@njit(nogil=True, cache=True)
def _add_pair(products, total, by_pair, as_reference, starts, date, opens, size, part):  # type: ignore[no-untyped-def]
    """Add a pair's products to ``total`` and to the sums of its dates, begun anew where told; and their moments."""
    keep_reference, keep_date = splat(0.0 if starts else 1.0), splat(0.0 if opens else 1.0)
    for axis in range(2):
        real, imag, first = 2 * axis * size, (2 * axis + 1) * size, 3 * axis * size
        for j in range(part[0], part[1], WIDTH):
            a, b = take(products, real + j), take(products, imag + j)
            _add(total, real + j, a)
            _add(total, imag + j, b)
            _add(by_pair, first + j, a * a)
            _add(by_pair, first + size + j, a * b)
            _add(by_pair, first + 2 * size + j, b * b)
            put(as_reference, real + j, take(as_reference, real + j) * keep_reference + a)
            put(as_reference, imag + j, take(as_reference, imag + j) * keep_reference + b)
            put(date, real + j, take(date, real + j) * keep_date + a)
            put(date, imag + j, take(date, imag + j) * keep_date + b)


@njit(nogil=True, cache=True)
def _add_outer(moments, values, size, part):  # type: ignore[no-untyped-def]
    """Add the outer products of (real, imaginary) of both axes."""
    for axis in range(2):
        real, imag, first = 2 * axis * size, (2 * axis + 1) * size, 3 * axis * size
        for j in range(part[0], part[1], WIDTH):
            a, b = take(values, real + j), take(values, imag + j)
            _add(moments, first + j, a * a)
            _add(moments, first + size + j, a * b)
            _add(moments, first + 2 * size + j, b * b)


@njit(nogil=True, cache=True)
def _add_symmetric(moments, values, others, size, part):  # type: ignore[no-untyped-def]
    """Add ``values others^T + others values^T`` of both axes."""
    for axis in range(2):
        real, imag, first = 2 * axis * size, (2 * axis + 1) * size, 3 * axis * size
        for j in range(part[0], part[1], WIDTH):
            a, b = take(values, real + j), take(values, imag + j)
            c, d = take(others, real + j), take(others, imag + j)
            _add(moments, first + j, a * c + a * c)
            _add(moments, first + size + j, a * d + b * c)
            _add(moments, first + 2 * size + j, b * d + b * d)


@njit(nogil=True, cache=True)
def _add_moments(products, step, as_reference, as_secondary, points, size, part):  # type: ignore[no-untyped-def]
    total, by_pair = points[: 4 * size], points[4 * size : 10 * size]
    by_role, by_chain = points[10 * size : 16 * size], points[16 * size :]
    slot, opens, starts, ends, own, closes = step[0], step[1], step[2], step[3], step[4], step[5]
    date = as_secondary[slot]
    _add_pair(products, total, by_pair, as_reference, starts == 1, date, opens == 1, size, part)
    if closes == 1:
        _add_outer(by_role, date, size, part)
    if ends == 1:
        _add_outer(by_role, as_reference, size, part)
        if own >= 0:
            past = as_secondary[own]
            _add_outer(by_role, past, size, part)
            _add_symmetric(by_chain, as_reference, past, size, part)


@njit(nogil=True, cache=True)
def add_moments(products, steps, as_reference, as_secondary, points):  # type: ignore[no-untyped-def]
    """Add the products of some pairs, (pair, 4 parts), and the moments of their dates to ``points``.

    ``steps`` are their rows of ``date_steps``. The parts of ``points``: 4 of the products, 6 moments by pair, 6 by role
    (dates as reference and as secondary), 6 by chain (dates that are secondary of some pairs and reference of others).
    All pairs are added to a few points before the next ones, which then are in the nearest cache.
    """
    size = products.shape[1] // 4
    for first in range(0, size, POINTS):
        for k in range(steps.shape[0]):
            part = (first, min(first + POINTS, size))
            _add_moments(products[k], steps[k], as_reference, as_secondary, points, size, part)


@njit(nogil=True, cache=True)
def gather(out, first, products, sizes, square, place, width):  # type: ignore[no-untyped-def]
    """Take a row's products at the points of the grid into ``out`` from ``first`` on; add their squared size."""
    points = out.size // 4
    for k in range(place.grid_columns):
        j = place.grid_column + k * place.step_x
        for part in range(4):
            out[part * points + first + k] = np.float64(products[part * width + j])
        size = np.float64(sizes[j]) + np.float64(sizes[width + j])
        square[first + k] += size * size


@njit(nogil=True, cache=True)
def add_adjacent(total, here, beside, valid, width):  # type: ignore[no-untyped-def]
    """Add the products (real, imaginary channel) of adjacent blocks, which alias later than those a lever apart."""
    for j in range(0, width, WIDTH):
        share = take(valid, j)
        real, imag = take(here, j), take(here, width + j)
        next_real, next_imag = take(beside, j), take(beside, width + j)
        put(total, j, take(total, j) + share * (next_real * real + next_imag * imag))
        put(total, width + j, take(total, width + j) + share * (next_imag * real - next_real * imag))
