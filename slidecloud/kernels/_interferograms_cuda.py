"""Interferograms on an NVIDIA GPU, one cell a thread: the twin of `_interferograms_rows`.

A thread goes through the pairs by their reference, so that images it needs again soon are still in the cache.
Import only where `slidecloud.kernels.device` has found a GPU, or in its simulator.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from slidecloud.kernels import device
from slidecloud.kernels._cuda_math import cosine, sine
from slidecloud.kernels.phase import STEPS_PER_RADIAN

_LARGEST = np.float32(np.finfo(np.float32).max)
_RADIANS = np.float32(np.pi / 32768.0)
_THREADS = (4, 2) if device.is_simulated() else (64, 4)


@cuda.jit
def _join(parts, out):  # type: ignore[no-untyped-def]
    """Complex samples of integer real and imaginary parts."""
    x, y = cuda.grid(2)
    if y < out.shape[1] and x < out.shape[2]:
        for date in range(out.shape[0]):
            out[date, y, x] = complex(np.float32(parts[date, y, x, 0]), np.float32(parts[date, y, x, 1]))


@cuda.jit
def _turn(slc, angles, out):  # type: ignore[no-untyped-def]
    """Samples times exp(-i angle)."""
    x, y = cuda.grid(2)
    if y < out.shape[1] and x < out.shape[2]:
        for date in range(out.shape[0]):
            radians = np.float32(np.float32(angles[date, y, x]) * _RADIANS)
            a, b, sample = cosine(radians), sine(radians), slc[date, y, x]
            out[date, y, x] = complex(
                np.float32(sample.real * a + sample.imag * b), np.float32(sample.imag * a - sample.real * b)
            )


@cuda.jit
def _find_power(slc, down, across, power):  # type: ignore[no-untyped-def]
    """Power of the cells of each date, 0 where a sample is 0 or not finite."""
    x, y = cuda.grid(2)
    if y >= power.shape[1] or x >= power.shape[2]:
        return
    for date in range(power.shape[0]):
        total, missing = np.float32(0.0), np.int32(0)
        for i in range(down):
            for k in range(across):
                sample = slc[date, y * down + i, x * across + k]
                size = np.float32(sample.real * sample.real + sample.imag * sample.imag)
                missing += np.int32(not (size > np.float32(0.0) and size <= _LARGEST))
                total = np.float32(total + size)
        power[date, y, x] = total if missing == 0 and total <= _LARGEST else np.float32(0.0)


@cuda.jit(device=True)
def _quality(real, imag, power, other):  # type: ignore[no-untyped-def]
    """Coherence in steps of 1/255, at least 1."""
    size = np.float64(real) * np.float64(real) + np.float64(imag) * np.float64(imag)
    value = math.sqrt(size / (np.float64(power) * np.float64(other))) * 255.0
    return np.uint8(min(max(math.floor(value + 0.5), 1.0), 255.0))


@cuda.jit
def _form(slc, power, order, first, second, down, across, sums, phase, coherence):  # type: ignore[no-untyped-def]
    """Phase and coherence of the cells; their sums too where these have room (part, pair, y, x)."""
    x, y = cuda.grid(2)
    if y >= phase.shape[1] or x >= phase.shape[2]:
        return
    for n in range(order.size):
        pair = order[n]
        i, j = first[pair], second[pair]
        known = power[i, y, x] > np.float32(0.0) and power[j, y, x] > np.float32(0.0)
        real, imag = np.float32(0.0), np.float32(0.0)
        if known:
            for row in range(y * down, (y + 1) * down):
                for column in range(x * across, (x + 1) * across):
                    a, b = slc[i, row, column], slc[j, row, column]
                    real = np.float32(real + (a.real * b.real + a.imag * b.imag))
                    imag = np.float32(imag + (a.imag * b.real - a.real * b.imag))
            steps = math.floor(math.atan2(np.float64(imag), np.float64(real)) * STEPS_PER_RADIAN + 0.5)
            # pi itself is -pi, as integer overflow has it.
            phase[pair, y, x] = np.int16(steps - 65536.0 if steps > 32767.0 else steps)
            coherence[pair, y, x] = _quality(real, imag, power[i, y, x], power[j, y, x])
        else:
            phase[pair, y, x] = 0
            coherence[pair, y, x] = 0
        if sums.shape[1]:
            sums[0, pair, y, x], sums[1, pair, y, x] = real, imag


@cuda.jit
def _widen(sums, power, first, second, reach, coherence):  # type: ignore[no-untyped-def]
    """Coherence from the cells with data in a window around each, rows summed first."""
    x, y = cuda.grid(2)
    height, width = coherence.shape[1], coherence.shape[2]
    if y >= height or x >= width:
        return
    for pair in range(coherence.shape[0]):
        i, j = first[pair], second[pair]
        if power[i, y, x] <= np.float32(0.0) or power[j, y, x] <= np.float32(0.0):
            continue
        real, imag, here, there = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for row in range(max(y - reach[0], 0), min(y + reach[0] + 1, height)):
            a, b, p, q = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for column in range(max(x - reach[1], 0), min(x + reach[1] + 1, width)):
                one, other = power[i, row, column], power[j, row, column]
                if one > np.float32(0.0) and other > np.float32(0.0):
                    a = np.float32(a + sums[0, pair, row, column])
                    b = np.float32(b + sums[1, pair, row, column])
                    p, q = np.float32(p + one), np.float32(q + other)
            real, imag = np.float32(real + a), np.float32(imag + b)
            here, there = np.float32(here + p), np.float32(there + q)
        coherence[pair, y, x] = _quality(real, imag, here, there)


def form_cells(
    slc: Any,
    angles: Any,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    looks: tuple[int, int],
    reach: tuple[int, int],
    shape: tuple[int, int],
) -> tuple[Any, Any]:
    """Phase and coherence (pair, y, x) on the device of images on it.

    ``slc`` complex64 (date, y, x) or int16 (date, y, x, 2), ``angles`` int16 (date, y, x) or None; the rest lies on the
    host, as `slidecloud.kernels._interferograms_rows.form_rows` takes it; ``shape`` is that of the cells.
    """
    images = tuple(int(size) for size in slc.shape[:3])
    samples, cells = _launch(images[1:]), _launch(shape)
    if slc.ndim == 4:
        parts, slc = slc, device.empty(images, np.complex64)
        _join[samples](parts, slc)
    if angles is not None:
        turned = device.empty(images, np.complex64)
        _turn[samples](slc, angles, turned)
        slc = turned
    down, across = np.int32(looks[0]), np.int32(looks[1])
    power = device.empty((images[0], *shape))
    _find_power[cells](slc, down, across, power)
    pairs, wide = first.size, reach != (0, 0)
    phase, coherence = device.empty((pairs, *shape), np.int16), device.empty((pairs, *shape), np.uint8)
    sums = device.empty((2, pairs if wide else 0, *shape))
    order = np.lexsort((second, first))
    ends = [device.to_device(each.astype(np.int32)) for each in (order, first, second)]
    if pairs:
        _form[cells](slc, power, *ends, down, across, sums, phase, coherence)
    if pairs and wide:
        _widen[cells](sums, power, *ends[1:], (np.int32(reach[0]), np.int32(reach[1])), coherence)
    return phase, coherence


def _launch(shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Blocks and threads (x, y) for a map of rows and columns."""
    return (max(1, -(-shape[1] // _THREADS[0])), max(1, -(-shape[0] // _THREADS[1]))), _THREADS
