"""Fixed-point interferogram samples of a tile, and exact integer sums of them over moving boxes.

Everything here is integer, so a sum is the same whatever order, tile or vector width it was made in. The loops are
short functions over row slices: numba vectorises ``a[j]`` of a slice, but not ``a[offset + j]``, whose sign it must
check.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels.phase import cosine_fixed, sine_fixed

SAMPLE_ONE = 32640.0
"""Fixed-point value of a sample with coherence 1: 255 (the stored coherence) times 128."""


@njit(nogil=True, cache=True)
def _real_row(out, phase, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(np.int32(np.int32(cosine_fixed(phase[j]) * np.int32(coherence[j])) + 128) >> 8)


@njit(nogil=True, cache=True)
def _imag_row(out, phase, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(np.int32(np.int32(sine_fixed(phase[j]) * np.int32(coherence[j])) + 128) >> 8)


@njit(nogil=True, cache=True)
def _valid_row(out, weight, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int16(coherence[j] > 0)
        weight[j] += np.int32(coherence[j])


@njit(nogil=True, cache=True)
def load_pair(phase, coherence, top, left, samples, weight):  # type: ignore[no-untyped-def]
    """Fill ``samples`` (int16: real, imaginary, valid and, if there is a fourth, coherence; y, x) with a pair.

    The coherence is added to ``weight`` (int32; y, x).
    (top, left) is the tile's corner in the arrays. Pixels outside the arrays are left as they are: zero.
    """
    rows, columns = phase.shape
    height, width = weight.shape
    start, stop = max(0, -left), min(width, columns - left)
    for i in range(max(0, -top), min(height, rows - top)):
        angle = phase[top + i, left + start : left + stop]
        share = coherence[top + i, left + start : left + stop]
        _real_row(samples[0, i, start:stop], angle, share)
        _imag_row(samples[1, i, start:stop], angle, share)
        _valid_row(samples[2, i, start:stop], weight[i, start:stop], share)
        if samples.shape[0] > 3:
            samples[3, i, start:stop] = share


@njit(nogil=True, cache=True)
def _square_row(out, real, imag):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = np.int64(real[j]) * np.int64(real[j]) + np.int64(imag[j]) * np.int64(imag[j])


@njit(nogil=True, cache=True)
def square_samples(samples, out):  # type: ignore[no-untyped-def]
    """Squared magnitude of the samples, int64 (y, x)."""
    for i in range(out.shape[0]):
        _square_row(out[i], samples[0, i], samples[1, i])


@njit(nogil=True, cache=True)
def _sum_rows(out, first, second):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = first[j] + second[j]


@njit(nogil=True, cache=True)
def _add_row(total, row):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] += row[j]


@njit(nogil=True, cache=True)
def _subtract_row(total, row):  # type: ignore[no-untyped-def]
    for j in range(total.size):
        total[j] -= row[j]


@njit(nogil=True, cache=True)
def _sum_along(row, width, spare, out):  # type: ignore[no-untyped-def]
    """Sums of ``width`` neighbours by doubling: ten are the pair sum of two added to the eight that follow."""
    columns = out.size
    power, step, offset, turn = row, 1, 0, 0
    remaining = width
    while remaining > 0:
        if remaining & 1:
            if offset == 0:
                out[:] = power[:columns]
            else:
                _add_row(out, power[offset : offset + columns])
            offset += step
        remaining >>= 1
        if remaining > 0:
            count = power.size - step
            doubled = spare[turn, :count]
            _sum_rows(doubled, power[:count], power[step : step + count])
            power, step, turn = doubled, 2 * step, 1 - turn


@njit(nogil=True, cache=True)
def box_sums(values, height, width, scratch, out):  # type: ignore[no-untyped-def]
    """Sums of integer ``values`` (y, x) over boxes whose first pixel is (i, j), into ``out`` (i, j).

    ``scratch`` is (3, at least the width of ``values``) of the type of ``out``.
    """
    rows, columns = out.shape
    size = columns + width - 1
    column = scratch[0, :size]
    column[:] = 0
    for i in range(height - 1):
        _add_row(column, values[i, :size])
    for i in range(rows):
        _add_row(column, values[i + height - 1, :size])
        _sum_along(column, width, scratch[1:], out[i])
        _subtract_row(column, values[i, :size])
