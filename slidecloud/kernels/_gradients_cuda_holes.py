"""Pixels without data on the GPU: which of a thread's pixels count, and where their blocks have their centres.

A thread has one column and a few rows of a tile. Bits of an int32 stand for its rows. ``y, x`` is the input pixel at
which the window of its first pixel begins; the input is ``height`` by ``width``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from slidecloud.kernels._gradients_cuda_blocks import sum_block
from slidecloud.kernels._gradients_layout import Shape

LOST, SIZE = 6, 7
"""Channels of the sums of pairs with holes: deviations 4, sizes 2, lost coherence; sizes 2 of the pair at hand."""


@cuda.jit(device=True)
def _inside(first, number, limit):  # type: ignore[no-untyped-def]
    """How many of ``number`` rows or columns the input covers."""
    stop = np.int32(min(np.int32(first + number), np.int32(limit)))
    return np.int32(max(np.int32(stop - max(np.int32(first), np.int32(0))), np.int32(0)))


@cuda.jit(device=True)
def _weigh(mass, moment, first, rows, pitch):  # type: ignore[no-untyped-def]
    """Weight of a block and its moments along x and along y, counted from its first column and row."""
    total, along_x, along_y = np.int32(0), np.int32(0), np.int32(0)
    for k in range(rows):
        at = first + np.uint64(k * pitch)
        weight = np.int32(mass[at])
        total = np.int32(total + weight)
        along_x = np.int32(along_x + np.int32(moment[at]))
        along_y = np.int32(along_y + np.int32(k) * weight)
    return total, along_x, along_y


@cuda.jit(device=True)
def shift_of(here, following, lever_x, lever_y):  # type: ignore[no-untyped-def]
    """How far the weighted centres of two blocks lie apart, along x and along y, float32."""
    mass, next_mass = np.float32(here[0]), np.float32(following[0])
    next_x = np.float32(np.int32(following[1] + np.int32(lever_x) * following[0]))
    next_y = np.float32(np.int32(following[2] + np.int32(lever_y) * following[0]))
    along_x = np.float32(next_x / next_mass - np.float32(here[1]) / mass)
    along_y = np.float32(next_y / next_mass - np.float32(here[2]) / mass)
    return along_x, along_y


@cuda.jit(device=True)
def _add_deviation(sums, part, i, j, shift, lever_x, lever_y):  # type: ignore[no-untyped-def]
    """Add an axis' distances less the nominal ones, weighted by the size of the pair's product."""
    size = sums[np.uint32(SIZE + part), i, j]
    if size > np.float32(0.0):
        sums[np.uint32(2 * part), i, j] += np.float32(size * (shift[0] - np.float32(lever_x)))
        sums[np.uint32(2 * part + 1), i, j] += np.float32(size * (shift[1] - np.float32(lever_y)))
        sums[np.uint32(4 + part), i, j] += size


def cover_function(shape: Shape, each: int) -> Any:
    """``cover(y, x, height, width, rows)``: bits of the first ``rows`` rows whose blocks, without holes, count."""
    tall, narrow, short, wide, lever_y, lever_x = (int(size) for size in shape[:6])

    @cuda.jit(device=True)
    def cover(y, x, height, width, rows):  # type: ignore[no-untyped-def]
        bits = np.int32(0)
        columns = min(_inside(x, narrow, width), _inside(x + lever_x, narrow, width))
        wide_inside = _inside(x, wide, width)
        for k in range(each):
            along_x = _inside(y + k, tall, height) * columns
            along_y = min(_inside(y + k, short, height), _inside(y + k + lever_y, short, height)) * wide_inside
            if k < rows and 4 * along_x >= tall * narrow and 4 * along_y >= short * wide:
                bits = np.int32(bits | np.int32(1 << k))
        return bits

    return cover


def count_function(shape: Shape, each: int, pitch: int) -> Any:
    """``count(narrow, wide, base, y, x, height, width)``: bits of rows that count, of rows whose blocks are whole.

    From the sums of weights and valid pixels, which begin at word ``base``.
    """
    tall, narrow, short, wide, lever_y, lever_x = (int(size) for size in shape[:6])

    @cuda.jit(device=True)
    def count(narrow_sums, wide_sums, base, y, x, height, width):  # type: ignore[no-untyped-def]
        valid, whole = np.int32(0), np.int32(0)
        left, right = _inside(x, narrow, width), _inside(x + lever_x, narrow, width)
        across = _inside(x, wide, width)
        for k in range(each):
            at = base + np.uint64(k * pitch)
            first = sum_block(narrow_sums, at, tall, pitch)[1]
            second = sum_block(narrow_sums, at + np.uint64(lever_x), tall, pitch)[1]
            upper = sum_block(wide_sums, at, short, pitch)[1]
            lower = sum_block(wide_sums, at + np.uint64(lever_y * pitch), short, pitch)[1]
            if 4 * min(first, second) >= tall * narrow and 4 * min(upper, lower) >= short * wide:
                valid = np.int32(valid | np.int32(1 << k))
            rows = _inside(y + k, tall, height)
            above, under = _inside(y + k, short, height), _inside(y + k + lever_y, short, height)
            if first == rows * left and second == rows * right and upper == above * across and lower == under * across:
                whole = np.int32(whole | np.int32(1 << k))
        return valid, whole

    return count


def shift_function(shape: Shape, each: int, pitch: int) -> Any:
    """``shift(part, mass, moment, base, partial, sums, i, j)``: add the distances of rows with a bit in ``partial``.

    ``part`` is 0 for the blocks of x and 1 for those of y, whose weights and moments of rows begin at word ``base``.
    """
    tall, _, short, _, lever_y, lever_x = (int(size) for size in shape[:6])

    @cuda.jit(device=True)
    def shift(part, mass, moment, base, partial, sums, i, j):  # type: ignore[no-untyped-def]
        for k in range(each):
            if (partial >> k) & 1:
                at, row = base + np.uint64(k * pitch), np.uint32(i + np.uint32(k))
                if part == 0:
                    here = _weigh(mass, moment, at, tall, pitch)
                    following = _weigh(mass, moment, at + np.uint64(lever_x), tall, pitch)
                    _add_deviation(sums, 0, row, j, shift_of(here, following, lever_x, 0), lever_x, 0)
                else:
                    here = _weigh(mass, moment, at, short, pitch)
                    following = _weigh(mass, moment, at + np.uint64(lever_y * pitch), short, pitch)
                    _add_deviation(sums, 1, row, j, shift_of(here, following, 0, lever_y), 0, lever_y)

    return shift
