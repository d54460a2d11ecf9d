"""Rows of interferograms from rows of single-look images, several pairs at a time.

A row of cells (``looks`` samples each) is formed for all pairs before the next one is touched. The samples of every
date are laid out (look, cell) once for all its pairs, so that sums over looks run over neighbouring cells, which numba
vectorises, in pieces small enough for two dates to stay in the nearest cache. Sums run
over looks in one order, so a cell does not depend on where its tile or piece begins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import borrow, clear_rows, copy_row, fill_row
from slidecloud.kernels._lanes import WIDTH, splat
from slidecloud.kernels._lanes_memory import put, take
from slidecloud.kernels.phase import STEPS_PER_RADIAN, arctan2_poly, cosine_poly, sine_poly

PIECE = 128
"""Cells worked on together: 16 looks of two dates are 32 KiB."""

_ROUNDER = 1.5 * 2.0**52
_LARGEST = np.float32(np.finfo(np.float32).max)


@njit(nogil=True, cache=True)
def _turn_row(out, row, angle):  # type: ignore[no-untyped-def]
    """Samples of a row, times exp(-i angle)."""
    for j in range(angle.size):
        real, imag = np.float32(row[2 * j]), np.float32(row[2 * j + 1])
        cosine, sine = cosine_poly(angle[j]), sine_poly(angle[j])
        out[2 * j] = real * cosine + imag * sine
        out[2 * j + 1] = imag * cosine - real * sine


@njit(nogil=True, cache=True)
def _pick(out, row, first, step):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = row[first + j * step]


@njit(nogil=True, cache=True)
def _add_power(power, real, imag):  # type: ignore[no-untyped-def]
    """Add the power of samples, NaN for one that is no data."""
    for j in range(power.size):
        size = real[j] * real[j] + imag[j] * imag[j]
        power[j] += size if (size > np.float32(0.0)) & (size <= _LARGEST) else np.float32(np.nan)


@njit(nogil=True, cache=True)
def _keep_known(power):  # type: ignore[no-untyped-def]
    for j in range(power.size):
        power[j] = power[j] if power[j] <= _LARGEST else np.float32(0.0)


@njit(nogil=True, cache=True)
def _lay_out(real, imag, power, rows, angles, looks, turned):  # type: ignore[no-untyped-def]
    """Samples (look, cell) of one date in a piece of a row of cells, and the power of each cell.

    The power is 0 where a sample of the cell is 0 or not finite, which is no data.
    """
    width, down, across = power.size, looks[0], looks[1]
    fill_row(power, 0)
    for i in range(down):
        if angles.size:
            _turn_row(turned, rows[i], angles[i])
        for k in range(across):
            place = (i * across + k) * PIECE
            one, other = real[place : place + width], imag[place : place + width]
            if angles.size:
                _pick(one, turned, 2 * k, 2 * across)
                _pick(other, turned, 2 * k + 1, 2 * across)
            else:
                _pick(one, rows[i], 2 * k, 2 * across)
                _pick(other, rows[i], 2 * k + 1, 2 * across)
            _add_power(power, one, other)
    _keep_known(power)


@njit(nogil=True, cache=True)
def _sum_looks(real, imag, a, b, c, d, number, width):  # type: ignore[no-untyped-def]
    """Sum over looks of (a + ib) conj(c + id), each a row of one look behind the other."""
    for j in range(0, width, WIDTH):
        along, across = splat(np.float32(0.0)), splat(np.float32(0.0))
        for look in range(number):
            place = look * PIECE + j
            p, q, r, s = take(a, place), take(b, place), take(c, place), take(d, place)
            along = along + (p * r + q * s)
            across = across + (q * r - p * s)
        put(real, j, along)
        put(imag, j, across)


@njit(nogil=True, cache=True)
def _phase_row(out, real, imag, power, other):  # type: ignore[no-untyped-def]
    """Binary angle of the sums, 0 where either date has no data."""
    for j in range(out.size):
        angle = arctan2_poly(np.float64(imag[j]), np.float64(real[j])) * STEPS_PER_RADIAN
        steps = np.int16(np.int32((angle + _ROUNDER) - _ROUNDER))
        out[j] = steps if (power[j] > 0) & (other[j] > 0) else np.int16(0)


@njit(nogil=True, cache=True)
def _coherence_row(out, real, imag, power, other):  # type: ignore[no-untyped-def]
    """Coherence in steps of 1/255, at least 1, 0 where a power is 0."""
    for j in range(out.size):
        size = np.float64(real[j]) * np.float64(real[j]) + np.float64(imag[j]) * np.float64(imag[j])
        both = np.float64(power[j]) * np.float64(other[j])
        known = both > 0.0
        value = np.sqrt(size / (both if known else 1.0)) * 255.0
        steps = np.int32((value + _ROUNDER) - _ROUNDER)
        steps = min(max(steps, np.int32(1)), np.int32(255))
        out[j] = np.uint8(steps) if known else np.uint8(0)


@njit(nogil=True, cache=True)
def _clear_unknown(out, coherence):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = coherence[j] if out[j] > 0 else np.uint8(0)


@njit(nogil=True, cache=True)
def _keep_both(out, values, power, other):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] = values[j] if (power[j] > 0) & (other[j] > 0) else np.float32(0.0)


@njit(nogil=True, cache=True)
def _add_row(out, row):  # type: ignore[no-untyped-def]
    for j in range(out.size):
        out[j] += row[j]


@njit(nogil=True, cache=True)
def _sum_beside(out, values, power, other, padded, reach):  # type: ignore[no-untyped-def]
    """Sums over ``reach`` cells to either side, of cells with data in both dates."""
    width = out.size
    _keep_both(padded[reach : reach + width], values, power, other)
    copy_row(out, padded[:width])
    for k in range(1, 2 * reach + 1):
        _add_row(out, padded[k : k + width])


@njit(nogil=True, cache=True)
def _window_coherence(coherence, ring, sums, quality, row, height, reach):  # type: ignore[no-untyped-def]
    """Coherence of a row from the sums along the rows around it; its cells without data stay so."""
    clear_rows(sums)
    for i in range(max(row - reach, 0), min(row + reach + 1, height)):
        for part in range(4):
            _add_row(sums[part], ring[i % ring.shape[0], part])
    _coherence_row(quality, sums[0], sums[1], sums[2], sums[3])
    _clear_unknown(coherence, quality)


@njit(nogil=True, cache=True)
def form_rows(parts, angles, first, second, looks, reach, phase, coherence):  # type: ignore[no-untyped-def]
    """Form all pairs of a tile.

    ``parts`` float32 or int16 (date, y, 2 x), real and imaginary part in turn; ``angles`` int16 (date, y, x) or
    (date, 0, 0); ``first``, ``second`` int64 (pair,) dates; ``reach`` (y, x) cells of the coherence window to either
    side; ``phase`` int16 and ``coherence`` uint8 (pair, y, x) are written.
    """
    dates, pairs, height, width = parts.shape[0], phase.shape[0], phase.shape[1], phase.shape[2]
    number, across = looks[0] * looks[1], looks[1]
    padded_width = -(-width // PIECE) * PIECE
    real_looks, imag_looks = (
        np.zeros((dates, number * PIECE), np.float32),
        np.zeros((dates, number * PIECE), np.float32),
    )
    power, turned = np.empty((dates, width), np.float32), np.empty(PIECE * across * 2, np.float32)
    real, imag = np.empty((pairs, padded_width), np.float32), np.empty((pairs, padded_width), np.float32)
    whole = reach[0] == 0 and reach[1] == 0
    ring = np.empty((0 if whole else pairs, 2 * reach[0] + 1, 4, width), np.float32)
    padded = np.zeros(width + 2 * reach[1], np.float32)
    sums, quality = np.empty((4, width), np.float32), np.empty(width, np.uint8)
    for row in range(height):
        top, bottom = row * looks[0], (row + 1) * looks[0]
        for left in range(0, width, PIECE):
            right = min(left + PIECE, width)
            begin, end = left * across, right * across
            for date in range(dates):
                own = borrow(angles)[date, top:bottom, begin:end]
                _lay_out(
                    borrow(real_looks)[date], borrow(imag_looks)[date], borrow(power)[date, left:right],
                    borrow(parts)[date, top:bottom, 2 * begin : 2 * end], own, looks, borrow(turned),
                )  # fmt: skip
            for pair in range(pairs):
                a, b = borrow(real_looks)[first[pair]], borrow(imag_looks)[first[pair]]
                c, d = borrow(real_looks)[second[pair]], borrow(imag_looks)[second[pair]]
                re, im = borrow(real)[pair, left:], borrow(imag)[pair, left:]
                _sum_looks(re, im, a, b, c, d, number, right - left)
        for pair in range(pairs):
            one, other = borrow(power)[first[pair]], borrow(power)[second[pair]]
            re, im = borrow(real)[pair, :width], borrow(imag)[pair, :width]
            _phase_row(borrow(phase)[pair, row], re, im, one, other)
            _coherence_row(borrow(coherence)[pair, row], re, im, one, other)
            if not whole:
                lines = borrow(ring)[pair, row % ring.shape[1]]
                _sum_beside(lines[0], re, one, other, borrow(padded), reach[1])
                _sum_beside(lines[1], im, one, other, borrow(padded), reach[1])
                _sum_beside(lines[2], one, one, other, borrow(padded), reach[1])
                _sum_beside(lines[3], other, one, other, borrow(padded), reach[1])
        if not whole:
            for done in range(row - reach[0], row - reach[0] + 1 if row < height - 1 else height):
                for pair in range(pairs):
                    if done >= 0:
                        _window_coherence(
                            borrow(coherence)[pair, done], borrow(ring)[pair], borrow(sums), borrow(quality), done,
                            height, reach[0],
                        )  # fmt: skip
