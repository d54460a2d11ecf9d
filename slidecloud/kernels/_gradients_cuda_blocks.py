"""Sums over rows and blocks in the shared memory of a GPU's thread block; whole numbers, so no order changes them.

A word holds two numbers that are never negative, 16 bits each: the real and the imaginary part of a sample, both with
`bias` added, or the weight of a pixel and whether it is valid. Sums along a row still fit. Words lie row by row, a
pitch apart.
"""

from __future__ import annotations

import numpy as np
from numba import cuda

from slidecloud.kernels._cuda_math import cosine, sine
from slidecloud.kernels._gradients_windows import ROUNDER

RADIANS = np.float32(np.pi / 32768.0)
LOW = np.uint32(0xFFFF)
HALF = np.uint32(16)


def bias(step: float) -> int:
    """What makes the parts of a sample positive."""
    return int(256 * step)


@cuda.jit(device=True)
def sample_word(angle, share, step):  # type: ignore[no-untyped-def]
    """Both parts of ``coherence x exp(i phase)`` in fixed point.

    Added to 1.5 x 2^23 a number is rounded, and its whole part stands in the low bits.
    """
    radians = np.float32(np.float32(angle) * RADIANS)
    weight = np.float32(np.float32(share) * step)
    above = np.float32(ROUNDER + np.float32(256.0) * step)
    real = np.float32(cosine(radians) * weight + above).view(np.uint32)
    imag = np.float32(sine(radians) * weight + above).view(np.uint32)
    return np.uint32((real & LOW) | np.uint32(imag << HALF))


@cuda.jit(device=True)
def sum_rows(words, narrow, wide, first, number, narrow_size, wide_size):  # type: ignore[no-untyped-def]
    """Sums of ``narrow_size`` and of ``wide_size`` neighbours, at ``number`` places of a row from ``first`` on."""
    few, many = np.uint32(0), np.uint32(0)
    for k in range(narrow_size - 1):
        few = np.uint32(few + words[first + np.uint64(k)])
    for k in range(wide_size - 1):
        many = np.uint32(many + words[first + np.uint64(k)])
    for k in range(number):
        here = first + np.uint64(k)
        few = np.uint32(few + words[here + np.uint64(narrow_size - 1)])
        many = np.uint32(many + words[here + np.uint64(wide_size - 1)])
        narrow[here], wide[here] = few, many
        few, many = np.uint32(few - words[here]), np.uint32(many - words[here])


@cuda.jit(device=True)
def moment_rows(words, mass, moment, first, number, size):  # type: ignore[no-untyped-def]
    """Weights of ``size`` neighbours, and their moments counted from the first of them, at ``number`` places."""
    total, along = np.uint32(0), np.uint32(0)
    for k in range(size):
        weight = np.uint32(words[first + np.uint64(k)] & LOW)
        total = np.uint32(total + weight)
        along = np.uint32(along + np.uint32(k) * weight)
    for k in range(number):
        here = first + np.uint64(k)
        mass[here], moment[here] = total, along
        entering = np.uint32(words[here + np.uint64(size)] & LOW)
        total = np.uint32(total + entering - np.uint32(words[here] & LOW))
        along = np.uint32(along + np.uint32(size) * entering - total)


@cuda.jit(device=True)
def low(word):  # type: ignore[no-untyped-def]
    return np.int32(word & LOW)


@cuda.jit(device=True)
def high(word):  # type: ignore[no-untyped-def]
    return np.int32(word >> HALF)


@cuda.jit(device=True)
def sum_block(sums, first, rows, pitch):  # type: ignore[no-untyped-def]
    """Low and high numbers of ``rows`` rows."""
    lower, upper = np.int32(0), np.int32(0)
    for k in range(rows):
        word = sums[first + np.uint64(k * pitch)]
        lower, upper = np.int32(lower + low(word)), np.int32(upper + high(word))
    return lower, upper


@cuda.jit(device=True)
def enter(total, sums, at):  # type: ignore[no-untyped-def]
    """A block's sums with one more row."""
    word = sums[at]
    return np.int32(total[0] + low(word)), np.int32(total[1] + high(word))


@cuda.jit(device=True)
def leave(total, sums, at):  # type: ignore[no-untyped-def]
    """A block's sums with one row less."""
    word = sums[at]
    return np.int32(total[0] - low(word)), np.int32(total[1] - high(word))


@cuda.jit(device=True)
def multiply(following, here):  # type: ignore[no-untyped-def]
    """Product of block sums and the conjugate of others, float32."""
    real, imag = np.float32(here[0]), np.float32(here[1])
    next_real, next_imag = np.float32(following[0]), np.float32(following[1])
    return (
        np.float32(next_real * real + next_imag * imag),
        np.float32(next_imag * real - next_real * imag),
    )
