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

HOLE_SUMS, LOST, SIZE = 9, 6, 7
"""Sums of pairs with holes: deviations 4, sizes 2, lost coherence; and room for the sizes of the pair at hand, 2."""


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


def shift_function(shape: Shape, each: int, threads: int, pitch: int) -> Any:
    """``shift(axis, mass, moment, base, partial, sums, own)``: add the distances of rows with a bit in ``partial``.

    ``axis`` is 0 for the blocks of x and 1 for those of y, whose weights and moments of rows begin at word ``base``.
    The distances less the nominal ones are weighted by the size of the pair's product. ``own`` is the first of the
    thread's numbers in ``sums``.
    """
    tall, _, short, _, lever_y, lever_x = (int(size) for size in shape[:6])

    @cuda.jit(device=True)
    def shift(axis, mass, moment, base, partial, sums, own):  # type: ignore[no-untyped-def]
        down, right = axis * lever_y, (1 - axis) * lever_x
        rows, beyond = short if axis else tall, np.uint64(lever_y * pitch if axis else lever_x)
        for k in range(each):
            size = sums[own + np.uint64(((SIZE + axis) * each + k) * threads)]
            if (partial >> k) & 1 and size > np.float32(0.0):
                at = base + np.uint64(k * pitch)
                here = _weigh(mass, moment, at, rows, pitch)
                following = _weigh(mass, moment, at + beyond, rows, pitch)
                along_x, along_y = shift_of(here, following, right, down)
                sums[own + np.uint64((2 * axis * each + k) * threads)] += size * np.float32(along_x - right)
                sums[own + np.uint64(((2 * axis + 1) * each + k) * threads)] += size * np.float32(along_y - down)
                sums[own + np.uint64(((4 + axis) * each + k) * threads)] += size

    return shift
