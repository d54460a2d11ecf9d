"""What one pair adds at the pixels of a row: for every estimator a complex number along x and one along y.

A row of products is float32 with four channels: x real, x imaginary, y real, y imaginary. The coherent estimators give
the product of two window sums, whose angle is the gradient times their distance; the sum of differences gives
(1, wrapped difference), so that the ratio of the accumulated parts is the mean.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import copy_row
from slidecloud.kernels.phase import arctan2_poly

SQUARED_SAMPLE = np.float32(2.0**-16)
"""Squared magnitude, in squared units of the floating-point window sums, of a sample of coherence 1/255."""


@njit(nogil=True, cache=True)
def _real_of_product(out, next_real, next_imag, here_real, here_imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = next_real[j] * here_real[j] + next_imag[j] * here_imag[j]


@njit(nogil=True, cache=True)
def _imag_of_product(out, next_real, next_imag, here_real, here_imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = next_imag[j] * here_real[j] - next_real[j] * here_imag[j]


@njit(nogil=True, cache=True)
def multiply_conjugate(product, following, here, width):  # type: ignore[no-untyped-def]
    """Product (real, imaginary channel) of the block sums ``following`` and the conjugate of ``here``."""
    next_real, next_imag = following[:width], following[width : 2 * width]
    here_real, here_imag = here[:width], here[width : 2 * width]
    _real_of_product(product[:width], next_real, next_imag, here_real, here_imag)
    _imag_of_product(product[width : 2 * width], next_real, next_imag, here_real, here_imag)


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
def keep_valid(product, valid):  # type: ignore[no-untyped-def]
    for j in range(product.size):
        product[j] *= valid[j]


@njit(nogil=True, cache=True)
def _length(out, real, imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.sqrt(real[j] * real[j] + imag[j] * imag[j])


@njit(nogil=True, cache=True)
def find_sizes(sizes, products, differences, width):  # type: ignore[no-untyped-def]
    """Sizes of a row's products along x and along y (two channels); of differences 1 and 0."""
    if differences:
        copy_row(sizes[:width], products[:width])
        return
    _length(sizes[:width], products[:width], products[width : 2 * width])
    _length(sizes[width : 2 * width], products[2 * width : 3 * width], products[3 * width : 4 * width])


@njit(nogil=True, cache=True)
def add_row(total, values):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += values[j]


@njit(nogil=True, cache=True)
def add_square(total, first, second):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        size = first[j] + second[j]
        total[j] += size * size


@njit(nogil=True, cache=True)
def add_scaled(total, first, second, factor):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += (first[j] + second[j]) * factor


@njit(nogil=True, cache=True)
def require(valid, count, least):  # type: ignore[no-untyped-def]
    """Multiply ``valid`` by whether ``count`` reaches ``least``."""
    for j in range(valid.size):
        valid[j] *= np.float32(count[j] >= least)


@njit(nogil=True, cache=True)
def require_whole(whole, count, column_cover, row_cover):  # type: ignore[no-untyped-def]
    """Multiply ``whole`` by whether ``count`` is all that the input covers of the block."""
    for j in range(whole.size):
        whole[j] *= np.float32(count[j] == column_cover[j] * row_cover)


@njit(nogil=True, cache=True)
def add_lost(lost, coherence, covered, valid):  # type: ignore[no-untyped-def]
    for j in range(lost.size):
        lost[j] += np.float32(coherence[j]) * (covered[j] - valid[j])
