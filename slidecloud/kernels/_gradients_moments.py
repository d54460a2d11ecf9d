"""Second moments of the products over pairs that share a date, at the points of the sigma grid.

Pairs are sorted by (reference, secondary), so one date at a time is summed as reference; the sums of the dates still to
come wait in slots, which are used again. Arrays are float64 (part, point): the products x real, x imaginary, y real,
y imaginary; moments real², real x imaginary, imaginary² of x, then of y.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_products import add_row
from slidecloud.kernels._gradients_windows import copy_row


@njit(nogil=True, cache=True)
def _add_product(total, first, second):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += first[j] * second[j]


@njit(nogil=True, cache=True)
def _add_outer(moments, values):  # type: ignore[no-untyped-def]
    """Add the outer products of (real, imaginary) of both axes."""
    for axis in range(2):
        real, imag = values[2 * axis], values[2 * axis + 1]
        _add_product(moments[3 * axis], real, real)
        _add_product(moments[3 * axis + 1], real, imag)
        _add_product(moments[3 * axis + 2], imag, imag)


@njit(nogil=True, cache=True)
def _add_symmetric(moments, first, second):  # type: ignore[no-untyped-def]
    """Add ``first second^T + second first^T`` of both axes."""
    for axis in range(2):
        real, imag = 2 * axis, 2 * axis + 1
        for _ in range(2):
            _add_product(moments[3 * axis], first[real], second[real])
            _add_product(moments[3 * axis + 2], first[imag], second[imag])
        _add_product(moments[3 * axis + 1], first[real], second[imag])
        _add_product(moments[3 * axis + 1], first[imag], second[real])


@njit(nogil=True, cache=True)
def _put(total, values, fresh):  # type: ignore[no-untyped-def]
    for part in range(4):
        if fresh:
            copy_row(total[part], values[part])
        else:
            add_row(total[part], values[part])


@njit(nogil=True, cache=True)
def add_moments(products, step, as_reference, as_secondary, points):  # type: ignore[no-untyped-def]
    """Add a pair's products and the moments of its dates to ``points``; ``step`` is its row of ``date_steps``.

    The parts of ``points``: 4 of the products, 6 moments by pair, 6 by role (dates as reference and as secondary), 6 by
    chain (dates that are secondary of some pairs and reference of others).
    """
    total, by_pair, by_role, by_chain = points[:4], points[4:10], points[10:16], points[16:22]
    slot, opens, starts, ends, own, closes = step[0], step[1], step[2], step[3], step[4], step[5]
    _put(total, products, False)
    _add_outer(by_pair, products)
    _put(as_reference, products, starts == 1)
    date = as_secondary[slot]
    _put(date, products, opens == 1)
    if closes == 1:
        _add_outer(by_role, date)
    if ends == 1:
        _add_outer(by_role, as_reference)
        if own >= 0:
            past = as_secondary[own]
            _add_outer(by_role, past)
            _add_symmetric(by_chain, as_reference, past)


@njit(nogil=True, cache=True)
def gather(out, first, products, sizes, square, place, width):  # type: ignore[no-untyped-def]
    """Take a row's products at the points of the grid into ``out`` from ``first`` on; add their squared size."""
    for k in range(place.grid_columns):
        j = place.grid_column + k * place.step_x
        for part in range(4):
            out[part, first + k] = np.float64(products[part * width + j])
        size = np.float64(sizes[j]) + np.float64(sizes[width + j])
        square[first + k] += size * size


@njit(nogil=True, cache=True)
def add_adjacent(extra, first, x_sums, here, beside, valid, shift, place, width):  # type: ignore[no-untyped-def]
    """Add the products of adjacent blocks, which alias at a smaller distance than those a lever apart."""
    for k in range(place.grid_columns):
        j = place.grid_column + k * place.step_x
        share = np.float64(valid[j])
        real, imag = np.float64(x_sums[j]), np.float64(x_sums[width + j])
        next_real, next_imag = np.float64(x_sums[j + shift]), np.float64(x_sums[width + j + shift])
        extra[0, first + k] += share * (next_real * real + next_imag * imag)
        extra[1, first + k] += share * (next_imag * real - next_real * imag)
        real, imag = np.float64(here[j]), np.float64(here[width + j])
        next_real, next_imag = np.float64(beside[j]), np.float64(beside[width + j])
        extra[2, first + k] += share * (next_real * real + next_imag * imag)
        extra[3, first + k] += share * (next_imag * real - next_real * imag)
