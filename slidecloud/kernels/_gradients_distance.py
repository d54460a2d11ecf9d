"""Distances between the weighted centres of the blocks, from exact integer moments of the weights.

A row of moments has three channels: the weights w, w times column, w times row, counted from the tile's corner. The
part of the corner is taken off while the sums are still integers, so distances do not depend on the tile.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import LEVELS, copy_row, double_along, move_down, sum_along


@njit(nogil=True, cache=True)
def moment_row(row, width, number):  # type: ignore[no-untyped-def]
    """Fill the channels behind the weights, int32; ``number`` is the row's in the tile."""
    mass, along_x, along_y = row[:width], row[width : 2 * width], row[2 * width : 3 * width]
    for j in range(width):
        along_x[j] = np.int32(mass[j] * np.int32(j))
    for j in range(width):
        along_y[j] = np.int32(mass[j] * np.int32(number))


@njit(nogil=True, cache=True, error_model="numpy")
def _shift(out, mass, moment, next_mass, next_moment, first, slope):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        corner = np.int32(first + slope * np.int32(j))
        here = np.float32(np.int32(moment[j] - np.int32(corner * mass[j])))
        beyond = np.float32(np.int32(next_moment[j] - np.int32(corner * next_mass[j])))
        out[j] = beyond / np.float32(next_mass[j]) - here / np.float32(mass[j])


@njit(nogil=True, cache=True)
def shifts(out, here, following, width, row):  # type: ignore[no-untyped-def]
    """Distance along x and along y (two channels) of the centres of two blocks; not finite where a block is empty."""
    mass, next_mass = here[:width], following[:width]
    along_x, next_x = here[width : 2 * width], following[width : 2 * width]
    along_y, next_y = here[2 * width : 3 * width], following[2 * width : 3 * width]
    _shift(out[:width], mass, along_x, next_mass, next_x, np.int32(0), np.int32(1))
    _shift(out[width : 2 * width], mass, along_y, next_mass, next_y, np.int32(row), np.int32(0))


@njit(nogil=True, cache=True, error_model="numpy")
def _mean_weights(weight, missing, pairs, scale, out):  # type: ignore[no-untyped-def]
    """Mean weight in whole parts of 1/``scale`` over the pairs that have the pixel."""
    for j in range(out.size):
        number = np.float64(max(np.int32(pairs - missing[j]), np.int32(1)))
        out[j] = np.int32(np.float64(weight[j]) * scale / number)


@njit(nogil=True, cache=True)
def add_deviation(total, size, shift, nominal):  # type: ignore[no-untyped-def]
    """Add ``size`` times how far ``shift`` is from its nominal value, where ``size`` is above zero."""
    for j in range(total.size):
        total[j] += size[j] * (shift[j] - nominal) if size[j] > 0.0 else np.float32(0.0)


@njit(nogil=True, cache=True)
def partial_sizes(out, size, whole):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = size[j] * (np.float32(1.0) - whole[j])


@njit(nogil=True, cache=True, error_model="numpy")
def _combine(out, shift, nominal, deviation, size, partial):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        away = shift[j] - nominal
        whole = (size[j] - partial[j]) * away if abs(away) < np.float32(1e9) else np.float32(0.0)
        out[j] = nominal + (deviation[j] + whole) / size[j] if size[j] > 0.0 else np.float32(0.0)


@njit(nogil=True, cache=True)
def combine_distances(shift, deviation, size, partial, lever_y, lever_x, width, out):  # type: ignore[no-untyped-def]
    """Mean over pairs, weighted by the size of their products, of the distances; ``out`` is float32 (y, 4 channels).

    Pairs without holes in the blocks have those under the mean weights, ``shift``; the others, whose sizes add up to
    ``partial``, their own, which add up to the nominal ones times their sizes and ``deviation``.
    """
    nominal = (np.float32(lever_x), np.float32(0.0), np.float32(0.0), np.float32(lever_y))
    for i in range(out.shape[0]):
        for part in range(4):
            one, axis = slice(part * width, (part + 1) * width), slice(part // 2 * width, (part // 2 + 1) * width)
            _combine(out[i, one], shift[i, one], nominal[part], deviation[i, one], size[i, axis], partial[i, axis])


@njit(nogil=True, cache=True)
def mean_distances(weight, missing, pairs, shape, scale, width, out):  # type: ignore[no-untyped-def]
    """Distances of the blocks under the mean weights, float32 (y, 4 channels), as of `shifts` of x and of y blocks.

    ``weight`` and ``missing`` are int32 (y with the halo, width); ``shape`` is a ``_gradients_tile.Shape``.
    """
    tall, narrow, short, wide = shape.tall, shape.narrow, shape.short, shape.wide
    lever_y, lever_x, delay = shape.lever_y, shape.lever_x, shape.delay
    depth, turns, size, halo = tall + delay + 1, lever_y + 1, 3 * width, short + lever_y - 1
    tall_rows, short_rows = np.zeros((depth, size), np.int32), np.zeros((depth, size), np.int32)
    powers = np.zeros((LEVELS, size + narrow + wide), np.int32)
    tall_sums, short_sums = np.zeros(size + lever_x, np.int32), np.zeros(size, np.int32)
    blocks = np.zeros((turns, size), np.int32)
    for r in range(weight.shape[0]):
        _mean_weights(weight[r], missing[r], pairs, scale, powers[0, :width])
        moment_row(powers[0], width, r)
        double_along(powers, max(narrow, wide), size)
        sum_along(tall_rows[r % depth], powers, narrow)
        sum_along(short_rows[r % depth], powers, wide)
        move_down(tall_sums[:size], tall_rows[(r - delay) % depth], tall_rows[(r - delay - tall) % depth])
        move_down(short_sums, short_rows[r % depth], short_rows[(r - short) % depth])
        copy_row(blocks[(r - short + 1) % turns], short_sums)
        i = r - halo
        if i >= 0:
            shifts(out[i, : 2 * width], tall_sums, tall_sums[lever_x:], width, i)
            shifts(out[i, 2 * width :], blocks[i % turns], blocks[(i + lever_y) % turns], width, i)
