"""Adding pairs up, tile by tile: the products themselves and the second moments over pairs that share a date.

A tile's accumulators stay in the cache while all pairs go by. Pairs are sorted by (reference, secondary), so one date
at a time is summed as reference; the sums of the dates still to come wait in slots, which are used again.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_products import coherent_products, difference_products, overlap_products
from slidecloud.kernels._gradients_windows import load_pair

COHERENT, OVERLAP, DIFFERENCES = 0, 1, 2
TILE_ROWS, TILE_COLUMNS = 32, 384


@njit(nogil=True, cache=True)
def _add(total, values):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += values[j]


@njit(nogil=True, cache=True)
def _add_product(total, first, second):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += first[j] * second[j]


@njit(nogil=True, cache=True)
def _add_scaled(total, values, factor):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += values[j] * factor


@njit(nogil=True, cache=True)
def _count(total, valid):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += np.int32(valid[j])


@njit(nogil=True, cache=True)
def _add_coherence(total, coherence, valid):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += np.int32(np.int32(coherence[j]) * np.int32(valid[j]))


@njit(nogil=True, cache=True)
def _length(out, real, imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.sqrt(real[j] * real[j] + imag[j] * imag[j])


@njit(nogil=True, cache=True)
def _add_outer(moments, real, imag):  # type: ignore[no-untyped-def]
    """Add the outer product of (real, imaginary) to ``moments``: real², real x imaginary, imaginary²."""
    _add_product(moments[0], real, real)
    _add_product(moments[1], real, imag)
    _add_product(moments[2], imag, imag)


@njit(nogil=True, cache=True)
def _add_symmetric(moments, first, second):  # type: ignore[no-untyped-def]
    """Add ``first second^T + second first^T`` of two (real, imaginary) rows to ``moments``."""
    _add_product(moments[0], first[0], second[0])
    _add_product(moments[0], first[0], second[0])
    _add_product(moments[1], first[0], second[1])
    _add_product(moments[1], first[1], second[0])
    _add_product(moments[2], first[1], second[1])
    _add_product(moments[2], first[1], second[1])


@njit(nogil=True, cache=True)
def _put(total, values, fresh):  # type: ignore[no-untyped-def]
    if fresh:
        total[:] = values
        return
    for part in range(4):
        _add(total[part], values[part])


@njit(nogil=True, cache=True)
def _add_dates(row, products, step, as_reference, as_secondary, by_role, by_chain):  # type: ignore[no-untyped-def]
    """Second moments of the dates this pair touches; ``step`` is the pair's row of ``date_steps``."""
    slot, opens, starts, ends, own, closes = step
    running = as_reference[row]
    _put(running, products, starts == 1)
    date = as_secondary[slot, row]
    _put(date, products, opens == 1)
    for axis in range(2):
        part, role, chain = 2 * axis, by_role[row, 3 * axis :], by_chain[row, 3 * axis :]
        if closes == 1:
            _add_outer(role, date[part], date[part + 1])
        if ends == 1:
            _add_outer(role, running[part], running[part + 1])
        if ends == 1 and own >= 0:
            past = as_secondary[own, row]
            _add_outer(role, past[part], past[part + 1])
            _add_symmetric(chain, running[part : part + 2], past[part : part + 2])


@njit(nogil=True, cache=True)
def _add_magnitudes(row, products, valid, magnitude, years, differences, scratch):  # type: ignore[no-untyped-def]
    size = scratch[0]
    if differences:
        size[:] = valid
    else:
        _length(size, products[0], products[1])
        _length(scratch[1], products[2], products[3])
        _add(size, scratch[1])
    _add(magnitude[row, 0], size)
    _add_product(magnitude[row, 1], size, size)
    _add_scaled(magnitude[row, 2], size, years)


@njit(nogil=True, cache=True)
def accumulate_tile(  # type: ignore[no-untyped-def]
    phase, coherence, order, span, steps, kind, window, block, top, left, lead,
    total, extra_total, by_pair, by_role, by_chain, magnitude, count, pixel_coherence, weight,
):  # fmt: skip
    """Add all pairs of a tile whose first output pixel is (top, left); ``lead`` is the window's reach before a pixel.

    The arrays of the last two lines are the tile's own and start at zero: ``total``, ``extra_total`` (y, 4, x),
    ``by_pair``, ``by_role``, ``by_chain`` (y, 6, x), ``magnitude`` (y, 3, x) float64; ``count``,
    ``pixel_coherence`` (y, x) int32; ``weight`` int32 (y, x) with the halo of the window.
    """
    rows, columns = count.shape
    height, width = weight.shape
    samples = np.zeros((4 if kind == OVERLAP else 3, height, width), np.int16)
    scratch = np.empty((3, width), np.int32)
    products = np.empty((rows, 4, columns))
    extra = np.empty((rows, 4, columns))
    valid = np.empty((rows, columns), np.uint8)
    row_scratch = np.empty((2, columns))
    as_reference = np.empty((rows, 4, columns))
    as_secondary = np.empty((steps[:, 0].max() + 1, rows, 4, columns))
    lever = (window[0] - block[0], window[1] - block[1])
    windows = kind != COHERENT
    boxes_x = np.empty((3, rows + 1, columns + 1) if windows else (3, rows, columns + lever[1]), np.int32)
    boxes_y = np.empty((3, 0 if windows else rows + lever[0], columns), np.int32)
    squares = np.empty((height, width) if kind == OVERLAP else (0, 0), np.int64)
    shared_x = np.empty((rows, columns + 1) if kind == OVERLAP else (0, 0), np.int64)
    shared_y = np.empty((rows + 1, columns) if kind == OVERLAP else (0, 0), np.int64)
    long_scratch = np.empty((3, width), np.int64)
    for pair in range(order.size):
        step = (steps[pair, 0], steps[pair, 1], steps[pair, 2], steps[pair, 3], steps[pair, 4], steps[pair, 5])
        load_pair(phase[order[pair]], coherence[order[pair]], top - lead[0], left - lead[1], samples, weight)
        if kind == COHERENT:
            coherent_products(samples, window, block, boxes_x, boxes_y, scratch, products, extra, valid)
        elif kind == OVERLAP:
            overlap_products(
                samples, window, boxes_x, squares, shared_x, shared_y, scratch, long_scratch, products, extra, valid
            )
        else:
            difference_products(samples, window, boxes_x, scratch, products, valid)
        for i in range(rows):
            row = products[i]
            for part in range(4):
                _add(total[i, part], row[part])
                if kind != DIFFERENCES:
                    _add(extra_total[i, part], extra[i, part])
            _add_outer(by_pair[i, :3], row[0], row[1])
            _add_outer(by_pair[i, 3:], row[2], row[3])
            _add_dates(i, row, step, as_reference, as_secondary, by_role, by_chain)
            _add_magnitudes(i, row, valid[i], magnitude, span[pair], kind == DIFFERENCES, row_scratch)
            _count(count[i], valid[i])
            _add_coherence(pixel_coherence[i], coherence[order[pair], top + i, left : left + columns], valid[i])
