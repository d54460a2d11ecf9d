"""What one pair adds at the pixels of a row: for every estimator a complex number along x and one along y.

A row of products is float32 with four channels: x real, x imaginary, y real, y imaginary. The coherent estimators give
the product of two window sums, whose angle is the gradient times their distance; the sum of differences gives
(1, wrapped difference), so that the ratio of the accumulated parts is the mean.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import copy_row
from slidecloud.kernels._lanes import WIDTH, root, splat
from slidecloud.kernels._lanes_memory import put, take
from slidecloud.kernels.phase import arctan2_poly

SQUARED_SAMPLE = np.float32(2.0**-16)
"""Squared magnitude, in squared units of the floating-point window sums, of a sample of coherence 1/255."""


@njit(nogil=True, cache=True)
def multiply_conjugate(product, following, here, width):  # type: ignore[no-untyped-def]
    """Product (real, imaginary channel) of the block sums ``following`` and the conjugate of ``here``."""
    for j in range(0, width, WIDTH):
        real, imag = take(here, j), take(here, width + j)
        next_real, next_imag = take(following, j), take(following, width + j)
        put(product, j, next_real * real + next_imag * imag)
        put(product, width + j, next_imag * real - next_real * imag)


@njit(nogil=True, cache=True)
def subtract_shared(out, shared):  # type: ignore[no-untyped-def]
    """Take squared magnitudes out of the real part; ``shared`` sums squared coherences and uses all 32 bits."""
    for j in range(out.size):
        out[j] -= np.float32(np.uint32(shared[j])) * SQUARED_SAMPLE


@njit(nogil=True, cache=True)
def add_shared(total, shared, valid, unit):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += np.float32(np.uint32(shared[j])) * unit * valid[j]


@njit(nogil=True, cache=True)
def add_whole(total, following, here, valid):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += following[j] * here[j] * valid[j]


@njit(nogil=True, cache=True, error_model="numpy")
def to_angle(real, imag):  # type: ignore[no-untyped-def]
    """Replace a product by (1, its angle)."""
    for j in range(real.size):
        imag[j] = np.float32(arctan2_poly(np.float64(imag[j]), np.float64(real[j])))
        real[j] = np.float32(1.0)


@njit(nogil=True, cache=True)
def keep_valid(products, valid, width):  # type: ignore[no-untyped-def]
    for j in range(0, width, WIDTH):
        seen = take(valid, j)
        for part in range(4):
            place = part * width + j
            put(products, place, take(products, place) * seen)


@njit(nogil=True, cache=True)
def find_sizes(sizes, products, differences, width):  # type: ignore[no-untyped-def]
    """Sizes of a row's products along x and along y (two channels); of differences 1 and 0."""
    if differences:
        copy_row(sizes[:width], products[:width])
        return
    for j in range(0, width, WIDTH):
        real, imag = take(products, j), take(products, width + j)
        put(sizes, j, root(real * real + imag * imag))
        real, imag = take(products, 2 * width + j), take(products, 3 * width + j)
        put(sizes, width + j, root(real * real + imag * imag))


@njit(nogil=True, cache=True)
def _add(row, j, values):  # type: ignore[no-untyped-def]
    put(row, j, take(row, j) + values)


@njit(nogil=True, cache=True)
def add_blocks(total, sizes_sum, square, spans, x_sums, beyond, here, following, valid, years, width):  # type: ignore[no-untyped-def]
    """What `multiply_conjugate`, `keep_valid`, `find_sizes` and `add_products` do to a row, with nothing in between."""
    span = splat(years)
    for j in range(0, width, WIDTH):
        seen = take(valid, j)
        real, imag = take(x_sums, j), take(x_sums, width + j)
        next_real, next_imag = take(beyond, j), take(beyond, width + j)
        x_real, x_imag = (next_real * real + next_imag * imag) * seen, (next_imag * real - next_real * imag) * seen
        real, imag = take(here, j), take(here, width + j)
        next_real, next_imag = take(following, j), take(following, width + j)
        y_real, y_imag = (next_real * real + next_imag * imag) * seen, (next_imag * real - next_real * imag) * seen
        along_x, along_y = root(x_real * x_real + x_imag * x_imag), root(y_real * y_real + y_imag * y_imag)
        _add(total, j, x_real)
        _add(total, width + j, x_imag)
        _add(total, 2 * width + j, y_real)
        _add(total, 3 * width + j, y_imag)
        _add(sizes_sum, j, along_x)
        _add(sizes_sum, width + j, along_y)
        size = along_x + along_y
        _add(square, j, size * size)
        _add(spans, j, size * span)


@njit(nogil=True, cache=True)
def add_products(total, sizes_sum, square, spans, products, sizes, years, width):  # type: ignore[no-untyped-def]
    """Add a row's products (4 channels) and sizes (2), their squared sum, and their sum times ``years``."""
    span = splat(years)
    for j in range(0, width, WIDTH):
        for part in range(4):
            place = part * width + j
            put(total, place, take(total, place) + take(products, place))
        along_x, along_y = take(sizes, j), take(sizes, width + j)
        put(sizes_sum, j, take(sizes_sum, j) + along_x)
        put(sizes_sum, width + j, take(sizes_sum, width + j) + along_y)
        size = along_x + along_y
        put(square, j, take(square, j) + size * size)
        put(spans, j, take(spans, j) + size * span)


@njit(nogil=True, cache=True)
def add_row(total, values):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += values[j]


@njit(nogil=True, cache=True)
def add_lost(lost, coherence, covered, valid):  # type: ignore[no-untyped-def]
    for j in range(lost.size):
        lost[j] += np.float32(coherence[j]) * (covered[j] - valid[j])
