"""Rows of fixed-point interferogram samples, and exact integer sums of them over boxes that move down a tile.

Samples are rounded at once and sums are integer, so a sum is the same whatever order, tile or vector width it was made
in. A row holds its channels (real part, imaginary part, ...) one behind the other, each as wide as the tile, so that
one loop serves all of them; sums at the end of a channel run into the next one and are not used. Sums along the row
come first: they fit 16 bits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numba.extending import intrinsic

from slidecloud.kernels._lanes import WIDTH, real, splat
from slidecloud.kernels._lanes_memory import prefetch_row, put, take, take_whole
from slidecloud.kernels.phase import cosine_poly, sine_poly

SAMPLE_ONE = 255.0 / 256.0
"""Value of a sample with coherence 1 in the floating-point window sums: fixed-point sums are divided by 256 steps."""
ROUNDER = np.float32(1.5 * 2.0**23)
"""Added and taken away it leaves a float32 below 2^22 rounded to a whole number."""


def _borrow(_context: Any, array: Any) -> Any:
    """The same array without its reference count: slices of it cost nothing; the caller keeps it alive.

    Counting is atomic, and with a few dozen slices a row it took a quarter of the time of stacking.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = view.meminfo.type(None)
        view.parent = view.parent.type(None)
        return view._getvalue()

    return array(array), generate


borrow: Any = intrinsic(_borrow)


def sample_step(width: int) -> float:
    """Fixed-point value of a sample of coherence 1/255: a power of two, so that ``width`` of them fit 16 bits.

    8 for windows up to 16 pixels wide. Rounding adds a noise of 0.29 units to a sample: at coherence 0.05 the sample is
    102 units long, and its own speckle a few hundred times stronger.
    """
    return float(2.0 ** math.floor(math.log2(32767.0 / (255.0 * width))))


@njit(nogil=True, cache=True)
def _sample_row(real, imag, phase, coherence, step):  # type: ignore[no-untyped-def]
    for j in range(phase.size):
        size = np.float32(coherence[j]) * step
        real[j] = np.int16(np.int32((cosine_poly(phase[j]) * size + ROUNDER) - ROUNDER))
        imag[j] = np.int16(np.int32((sine_poly(phase[j]) * size + ROUNDER) - ROUNDER))


@njit(nogil=True, cache=True)
def _valid_row(out, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(coherence[j] > 0)


@njit(nogil=True, cache=True)
def _weight_row(out, coherence, shift):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(coherence[j] >> shift)


@njit(nogil=True, cache=True)
def load_row(row, phase, coherence, start, width, channels, shape):  # type: ignore[no-untyped-def]
    """Fill the channels (real, imaginary, valid, weight) of an int16 row from column ``start`` on."""
    stop = start + phase.size
    _sample_row(row[start:stop], row[width + start : width + stop], phase, coherence, shape.step)
    if channels > 2:
        _valid_row(row[2 * width + start : 2 * width + stop], coherence)
    if channels > 3:
        _weight_row(row[3 * width + start : 3 * width + stop], coherence, shape.weight_shift)


@njit(nogil=True, cache=True)
def _smallest(row):  # type: ignore[no-untyped-def]
    value = np.uint8(255)
    for j in range(row.size):
        value = min(value, row[j])
    return value


@njit(nogil=True, cache=True)
def has_holes(coherence, top, bottom, left, right):  # type: ignore[no-untyped-def]
    """Whether a pixel of these rows and columns has no data."""
    holes = False
    for i in range(top, bottom):
        holes = holes or _smallest(coherence[i, left:right]) == 0
    return holes


@njit(nogil=True, cache=True)
def add_weights(weight, coherence):  # type: ignore[no-untyped-def]
    for j in range(weight.size):
        weight[j] += np.int32(coherence[j])


@njit(nogil=True, cache=True)
def add_missing(missing, coherence):  # type: ignore[no-untyped-def]
    for j in range(missing.size):
        missing[j] += np.int32(coherence[j] == 0)


@njit(nogil=True, cache=True)
def sum_along(narrow, wide, row, few, many, size):  # type: ignore[no-untyped-def]
    """Sums of ``few`` and of ``many`` >= few neighbours from each of ``size`` elements of an int16 or int32 row on."""
    for j in range(0, size, WIDTH):
        total = take(row, j)
        for k in range(1, few):
            total = total + take(row, j + k)
        put(narrow, j, total)
        for k in range(few, many):
            total = total + take(row, j + k)
        put(wide, j, total)


@njit(nogil=True, cache=True)
def move_down(out, column, entering, leaving, size):  # type: ignore[no-untyped-def]
    """Sums over a run of rows, one row further down; all int32."""
    for j in range(0, size, WIDTH):
        put(out, j, take(column, j) + (take(entering, j) - take(leaving, j)))


@njit(nogil=True, cache=True)
def move_down_scaled(out, column, entering, leaving, unit, size):  # type: ignore[no-untyped-def]
    """The same for rows of int16 and columns in float32 times ``unit``: whole numbers below 2^24, so still exact."""
    scale = splat(unit)
    for j in range(0, size, WIDTH):
        put(out, j, take(column, j) + real(take_whole(entering, j) - take_whole(leaving, j)) * scale)


@njit(nogil=True, cache=True)
def fetch(rows, top, bottom, left, right):  # type: ignore[no-untyped-def]
    """Start reading a part of an image that is needed soon."""
    for i in range(top, bottom):
        row = rows[i, left:right]
        for j in range(0, row.size, 64 // row.itemsize):
            prefetch_row(row, j)


@njit(nogil=True, cache=True)
def copy_row(out, row):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = row[j]


@njit(nogil=True, cache=True)
def fill_row(row, value):  # type: ignore[no-untyped-def]
    for j in range(row.size):
        row[j] = value


@njit(nogil=True, cache=True)
def clear_rows(rows):  # type: ignore[no-untyped-def]
    for i in range(rows.shape[0]):
        fill_row(rows[i], 0)


@njit(nogil=True, cache=True)
def square_row(out, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int32(coherence[j]) * np.int32(coherence[j])
