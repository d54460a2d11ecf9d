"""Rows of fixed-point interferogram samples, and exact integer sums of them over boxes that move down a tile.

Everything here is integer, so a sum is the same whatever order, tile or vector width it was made in. A row holds its
channels (real part, imaginary part, ...) one behind the other, ``WIDTH`` columns each, so that one loop serves all of
them; sums at the end of a channel run into the next one and are not used. The loops are short functions over
contiguous slices with one output: numba vectorises ``a[j]`` of a slice, but not ``a[offset + j]``, whose sign it must
check, nor loops over so many arrays that their overlap cannot be ruled out in a few comparisons.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels.phase import cosine_fixed, sine_fixed

SAMPLE_ONE = 32640.0
"""Fixed-point value of a sample with coherence 1: 255 (the stored coherence) times 128."""
UNIT = np.float32(2.0**-15)
"""Window sums as float32 are in units of 2^15, so that squares of products stay within range."""
LEVELS = 9
"""Doublings that the widest window can need."""


@njit(nogil=True, cache=True)
def _real_row(out, phase, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(np.int32(np.int32(cosine_fixed(phase[j]) * np.int32(coherence[j])) + 128) >> 8)


@njit(nogil=True, cache=True)
def _imag_row(out, phase, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(np.int32(np.int32(sine_fixed(phase[j]) * np.int32(coherence[j])) + 128) >> 8)


@njit(nogil=True, cache=True)
def _valid_row(out, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(coherence[j] > 0)


@njit(nogil=True, cache=True)
def load_row(row, phase, coherence, start, width, channels):  # type: ignore[no-untyped-def]
    """Fill the channels (real, imaginary, valid, coherence) of an int16 row from column ``start`` on."""
    stop = start + phase.size
    _real_row(row[start:stop], phase, coherence)
    _imag_row(row[width + start : width + stop], phase, coherence)
    if channels > 2:
        _valid_row(row[2 * width + start : 2 * width + stop], coherence)
    if channels > 3:
        row[3 * width + start : 3 * width + stop] = coherence


@njit(nogil=True, cache=True)
def _smallest(row):  # type: ignore[no-untyped-def]
    value = np.uint8(255)
    for j in range(row.size):
        value = min(value, row[j])
    return value


@njit(nogil=True, cache=True)
def has_holes(coherence, top, bottom, left, right):  # type: ignore[no-untyped-def]
    """Whether a pixel of these rows and columns has no data."""
    for i in range(top, bottom):
        if _smallest(coherence[i, left:right]) == 0:
            return True
    return False


@njit(nogil=True, cache=True)
def add_weights(weight, coherence):  # type: ignore[no-untyped-def]
    for j in range(weight.size):
        weight[j] += np.int32(coherence[j])


@njit(nogil=True, cache=True)
def add_missing(missing, coherence):  # type: ignore[no-untyped-def]
    for j in range(missing.size):
        missing[j] += np.int32(coherence[j] == 0)


@njit(nogil=True, cache=True)
def move_down(column, entering, leaving):  # type: ignore[no-untyped-def]
    """Sums over a run of rows, one row further down."""
    for j in range(column.size):
        column[j] += np.int32(np.int32(entering[j]) - np.int32(leaving[j]))


@njit(nogil=True, cache=True)
def _sum_rows(out, first, second):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int32(first[j] + second[j])


@njit(nogil=True, cache=True)
def sum_along(row, width, size, spare):  # type: ignore[no-untyped-def]
    """Sums of ``width`` neighbours of an int32 row by doubling: ten are two and the eight that follow.

    The result's first ``size`` elements count. ``spare`` is int32 (2 * LEVELS, row); the result lies in one of its
    rows, or is ``row`` itself.
    """
    power, total = row, row
    step, offset, level = 1, 0, 0
    while True:
        if width & step:
            if offset == 0:
                total = power
            else:
                joined = spare[LEVELS + level]
                _sum_rows(joined[:size], total[:size], power[offset : offset + size])
                total = joined
            offset += step
        if 2 * step > width:
            return total
        doubled = spare[level]
        _sum_rows(doubled[:size], power[:size], power[step : step + size])
        power, step, level = doubled, 2 * step, level + 1


@njit(nogil=True, cache=True)
def to_float(out, row):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.float32(row[j]) * UNIT


@njit(nogil=True, cache=True)
def square_row(out, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int32(coherence[j]) * np.int32(coherence[j])


@njit(nogil=True, cache=True)
def to_int(out, row):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int32(row[j])
