"""Distances between the weighted centres of the blocks, from exact integer moments of the weights.

Moments have three channels: sums of the weights w, of w times column and of w times row, counted from the tile's
corner. The part of the corner is taken off while the sums are still integers, so distances do not depend on the tile.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import sum_along
from slidecloud.kernels._lanes import WIDTH, choose, real, splat
from slidecloud.kernels._lanes_memory import put, take


@njit(nogil=True, cache=True)
def moment_row(row, columns, width):  # type: ignore[no-untyped-def]
    """Fill the channel behind the weights with weight times column, int32."""
    for j in range(0, width, WIDTH):
        put(row, width + j, take(row, j) * take(columns, j))


@njit(nogil=True, cache=True)
def move_moments(out, column, entering, leaving, number, length, width):  # type: ignore[no-untyped-def]
    """Sums of the weights and of weight times column and row over ``length`` rows, one row further down, int32.

    ``entering`` and ``leaving`` are sums along rows of the first two channels; ``number`` is the entering row's.
    """
    last, gone = splat(np.int32(number)), splat(np.int32(number - length))
    for j in range(0, width, WIDTH):
        more, less = take(entering, j), take(leaving, j)
        put(out, j, take(column, j) + (more - less))
        along = take(entering, width + j) - take(leaving, width + j)
        put(out, width + j, take(column, width + j) + along)
        put(out, 2 * width + j, take(column, 2 * width + j) + (last * more - gone * less))


@njit(nogil=True, cache=True)
def _apart(mass, moment, next_mass, next_moment, corner):  # type: ignore[no-untyped-def]
    """Distance of the centres of two blocks from vectors of integers; not finite where a block is empty."""
    here = real(moment - corner * mass) / real(mass)
    return real(next_moment - corner * next_mass) / real(next_mass) - here


@njit(nogil=True, cache=True)
def _shifts(out, here, following, columns, row, width):  # type: ignore[no-untyped-def]
    """Distance along x and along y (two channels) of the centres of two blocks."""
    line = splat(np.int32(row))
    for j in range(0, width, WIDTH):
        mass, next_mass = take(here, j), take(following, j)
        x, next_x = take(here, width + j), take(following, width + j)
        y, next_y = take(here, 2 * width + j), take(following, 2 * width + j)
        put(out, j, _apart(mass, x, next_mass, next_x, take(columns, j)))
        put(out, width + j, _apart(mass, y, next_mass, next_y, line))


@njit(nogil=True, cache=True)
def add_deviations(deviation, partial, sizes, whole, here, following, nominal, axis, columns, row, width):  # type: ignore[no-untyped-def]
    """Add how far a pair's distances of the blocks of ``axis`` are from the nominal ones, by the size of its products.

    Only where the blocks have holes; ``partial`` sums the sizes there.
    """
    none, one, line = splat(np.float32(0)), splat(np.float32(1)), splat(np.int32(row))
    nominal_x = splat(nominal) if axis == 0 else none
    nominal_y = none if axis == 0 else splat(nominal)
    first, second = 2 * axis * width, (2 * axis + 1) * width
    for j in range(0, width, WIDTH):
        size = take(sizes, axis * width + j) * (one - take(whole, j))
        put(partial, axis * width + j, take(partial, axis * width + j) + size)
        mass, next_mass = take(here, j), take(following, j)
        x, next_x = take(here, width + j), take(following, width + j)
        y, next_y = take(here, 2 * width + j), take(following, 2 * width + j)
        away = size * (_apart(mass, x, next_mass, next_x, take(columns, j)) - nominal_x)
        put(deviation, first + j, take(deviation, first + j) + choose(size > none, away, none))
        away = size * (_apart(mass, y, next_mass, next_y, line) - nominal_y)
        put(deviation, second + j, take(deviation, second + j) + choose(size > none, away, none))


@njit(nogil=True, cache=True, error_model="numpy")
def _mean_weights(weight, missing, pairs, scale, out):  # type: ignore[no-untyped-def]
    """Mean weight in whole parts of 1/``scale`` over the pairs that have the pixel."""
    for j in range(out.size):
        number = np.float64(max(np.int32(pairs - missing[j]), np.int32(1)))
        out[j] = np.int32(np.float64(weight[j]) * scale / number)


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
def mean_distances(weight, missing, pairs, shape, scale, columns, width, out):  # type: ignore[no-untyped-def]
    """Distances of the blocks under the mean weights, float32 (y, 4 channels): x blocks along x and y, then y blocks.

    ``weight`` and ``missing`` are int32 (y with the halo, width), ``columns`` counts along a row; ``shape`` is a
    ``_gradients_layout.Shape``.
    """
    narrow, wide, lever_y, delay = shape.narrow, shape.wide, shape.lever_y, shape.delay
    depth, turns, halo = shape.tall + delay + 1, lever_y + 1, shape.short + lever_y - 1
    tall_rows, short_rows = np.zeros((depth, 2 * width), np.int32), np.zeros((depth, 2 * width), np.int32)
    row = np.zeros(2 * width + wide + WIDTH, np.int32)
    tall_sums, blocks = np.zeros(3 * width + shape.lever_x, np.int32), np.zeros((turns, 3 * width), np.int32)
    for r in range(weight.shape[0]):
        _mean_weights(weight[r], missing[r], pairs, scale, row[:width])
        moment_row(row, columns, width)
        sum_along(tall_rows[r % depth], short_rows[r % depth], row, narrow, wide, 2 * width)
        here, gone = tall_rows[(r - delay) % depth], tall_rows[(r - delay - shape.tall) % depth]
        move_moments(tall_sums, tall_sums, here, gone, r - delay, shape.tall, width)
        q, gone = r - shape.short + 1, short_rows[(r - shape.short) % depth]
        move_moments(blocks[q % turns], blocks[(q - 1) % turns], short_rows[r % depth], gone, r, shape.short, width)
        i = r - halo
        if i >= 0:
            _shifts(out[i, : 2 * width], tall_sums, tall_sums[shape.lever_x :], columns, i, width)
            _shifts(out[i, 2 * width :], blocks[i % turns], blocks[(i + lever_y) % turns], columns, i, width)
