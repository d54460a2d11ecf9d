"""What one pair adds at each pixel of a tile: for every estimator a complex number along x and one along y.

``products`` is float64 (y, 4, x), the rows x real, x imaginary, y real and y imaginary of a line together. The coherent
estimators give the product of two window sums, whose angle is the gradient times their distance; the sum of differences
gives (1, wrapped difference), so that the ratio of the accumulated parts is the mean. Where a block has under a quarter
of its pixels all four are 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import box_sums, square_samples
from slidecloud.kernels.phase import arctan2_poly


@njit(nogil=True, cache=True)
def _real_of_product(out, next_real, next_imag, here_real, here_imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.float64(next_real[j]) * np.float64(here_real[j]) + np.float64(next_imag[j]) * np.float64(
            here_imag[j]
        )


@njit(nogil=True, cache=True)
def _imag_of_product(out, next_real, next_imag, here_real, here_imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.float64(next_imag[j]) * np.float64(here_real[j]) - np.float64(next_real[j]) * np.float64(
            here_imag[j]
        )


@njit(nogil=True, cache=True)
def _enough(valid, count, area):  # type: ignore[no-untyped-def]
    for j in range(valid.size):
        valid[j] &= np.uint8(np.int32(4 * count[j]) >= area)


@njit(nogil=True, cache=True)
def _mask(out, valid):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] *= np.float64(valid[j])


@njit(nogil=True, cache=True)
def _subtract(out, values):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] -= np.float64(values[j])


@njit(nogil=True, cache=True)
def _copy(out, values):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.float64(values[j])


@njit(nogil=True, cache=True)
def _product_of_totals(out, following, here):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.float64(following[j]) * np.float64(here[j])


@njit(nogil=True, cache=True, error_model="numpy")
def _angle(real, imag):  # type: ignore[no-untyped-def]
    for j in range(real.size):
        imag[j] = arctan2_poly(imag[j], real[j])
        real[j] = 1.0


@njit(nogil=True, cache=True)
def _multiply_conjugate(real, imag, boxes, row, column, here_row):  # type: ignore[no-untyped-def]
    """Product of the box sums from (row, column) on with the conjugate of those from (here_row, 0) on."""
    size = real.size
    next_real, next_imag = boxes[0, row, column : column + size], boxes[1, row, column : column + size]
    here_real, here_imag = boxes[0, here_row, :size], boxes[1, here_row, :size]
    _real_of_product(real, next_real, next_imag, here_real, here_imag)
    _imag_of_product(imag, next_real, next_imag, here_real, here_imag)


@njit(nogil=True, cache=True)
def coherent_products(samples, window, block, boxes_x, boxes_y, scratch, products, extra, valid):  # type: ignore[no-untyped-def]
    """Products of two disjoint blocks per axis; ``extra`` gets those of adjacent blocks, which alias later.

    ``boxes_x`` (3, y, x + lever) and ``boxes_y`` (3, y + lever, x) int32 receive the block sums.
    """
    rows, columns = valid.shape
    lever_y, lever_x = window[0] - block[0], window[1] - block[1]
    for part in range(3):
        box_sums(samples[part], window[0], block[1], scratch, boxes_x[part])
        box_sums(samples[part], block[0], window[1], scratch, boxes_y[part])
    for i in range(rows):
        _multiply_conjugate(products[i, 0], products[i, 1], boxes_x, i, lever_x, i)
        _multiply_conjugate(products[i, 2], products[i, 3], boxes_y, i + lever_y, 0, i)
        _multiply_conjugate(extra[i, 0], extra[i, 1], boxes_x, i, block[1], i)
        _multiply_conjugate(extra[i, 2], extra[i, 3], boxes_y, i + block[0], 0, i)
        valid[i] = 1
        _enough(valid[i], boxes_x[2, i, :columns], window[0] * block[1])
        _enough(valid[i], boxes_x[2, i, lever_x : lever_x + columns], window[0] * block[1])
        _enough(valid[i], boxes_y[2, i], window[1] * block[0])
        _enough(valid[i], boxes_y[2, i + lever_y], window[1] * block[0])
        for part in range(4):
            _mask(products[i, part], valid[i])
            _mask(extra[i, part], valid[i])


@njit(nogil=True, cache=True)
def _window_products(samples, window, boxes, scratch, products, valid):  # type: ignore[no-untyped-def]
    """Products of full windows one step apart along each axis; ``boxes`` (3, y + 1, x + 1) receives their sums."""
    rows, columns = valid.shape
    area = window[0] * window[1]
    for part in range(3):
        box_sums(samples[part], window[0], window[1], scratch, boxes[part])
    for i in range(rows):
        _multiply_conjugate(products[i, 0], products[i, 1], boxes, i, 1, i)
        _multiply_conjugate(products[i, 2], products[i, 3], boxes, i + 1, 0, i)
        valid[i] = 1
        _enough(valid[i], boxes[2, i, :columns], area)
        _enough(valid[i], boxes[2, i, 1 : columns + 1], area)
        _enough(valid[i], boxes[2, i + 1, :columns], area)


@njit(nogil=True, cache=True)
def overlap_products(  # type: ignore[no-untyped-def]
    samples, window, boxes, squares, shared_x, shared_y, scratch, long_scratch, products, extra, valid
):
    """Products of full windows one step apart less the pixels they share, which have zero phase whatever the data.

    The fourth part of ``samples`` is the pair's coherence. ``extra`` gets, per axis, what the shared pixels add and the
    whole product of the weights, both in squared fixed-point units: their ratio says how much longer the mean distance
    of the pixels that are left is than one step.
    """
    rows, columns = valid.shape
    _window_products(samples, window, boxes, scratch, products, valid)
    square_samples(samples, squares)
    box_sums(squares, window[0], window[1] - 1, long_scratch, shared_x)
    box_sums(squares, window[0] - 1, window[1], long_scratch, shared_y)
    totals = boxes[0]  # the products are made: the sums of the real part are no longer needed
    box_sums(samples[3], window[0], window[1], scratch, totals)
    for i in range(rows):
        _copy(extra[i, 0], shared_x[i, 1 : columns + 1])
        _copy(extra[i, 2], shared_y[i + 1, :columns])
        _product_of_totals(extra[i, 1], totals[i, 1 : columns + 1], totals[i, :columns])
        _product_of_totals(extra[i, 3], totals[i + 1, :columns], totals[i, :columns])
        _subtract(products[i, 0], shared_x[i, 1 : columns + 1])
        _subtract(products[i, 2], shared_y[i + 1, :columns])
        for part in range(4):
            _mask(products[i, part], valid[i])
            _mask(extra[i, part], valid[i])


@njit(nogil=True, cache=True)
def difference_products(samples, window, boxes, scratch, products, valid):  # type: ignore[no-untyped-def]
    """(1, wrapped difference) of neighbours in the pair averaged over the full window."""
    _window_products(samples, window, boxes, scratch, products, valid)
    for i in range(valid.shape[0]):
        _angle(products[i, 0], products[i, 1])
        _angle(products[i, 2], products[i, 3])
        for part in range(4):
            _mask(products[i, part], valid[i])
