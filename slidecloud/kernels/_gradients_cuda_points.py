"""Moments and variances at the points of the grid of sigma, one point a thread of the GPU.

The twins of `_gradients_moments.add_moments` and `_gradients_variance.point_variances`, where the formulas are
explained, with their operations in their order.
"""

from __future__ import annotations

import math

import numpy as np
from numba import cuda

from slidecloud.kernels._cuda_math import length
from slidecloud.kernels._gradients_finish import ALIASED
from slidecloud.kernels._gradients_layout import COHERENT, DIFFERENCES
from slidecloud.kernels._gradients_variance import (
    BOUNDED_SIGMA,
    LARGEST_RATIO,
    RATIO_ONE,
    SMALLEST_SHARE_LEFT,
)
from slidecloud.kernels.phase import arctan2_poly

POINT_SUMS = 27
"""Running sums of a point: products 4, moments by pair 6, by role 6, by chain 6, squared size, adjacent products 4."""
_SQUARE, _ADJACENT = 22, 23
_arctan2 = cuda.jit(device=True)(arctan2_poly.py_func)


@cuda.jit(device=True)
def _add_outer(moments, first, values):  # type: ignore[no-untyped-def]
    for axis in range(2):
        real, imag = values[2 * axis], values[2 * axis + 1]
        moments[first + 3 * axis] += real * real
        moments[first + 3 * axis + 1] += real * imag
        moments[first + 3 * axis + 2] += imag * imag


@cuda.jit(device=True)
def _add_symmetric(moments, first, one, other):  # type: ignore[no-untyped-def]
    for axis in range(2):
        real, imag = 2 * axis, 2 * axis + 1
        moments[first + 3 * axis] += 2.0 * (one[real] * other[real])
        moments[first + 3 * axis + 1] += one[real] * other[imag] + one[imag] * other[real]
        moments[first + 3 * axis + 2] += 2.0 * (one[imag] * other[imag])


@cuda.jit
def add_moments(samples, steps, kind, sums, as_reference, as_secondary):  # type: ignore[no-untyped-def]
    """Add pairs to the points.

    ``samples`` float32 (pair, point, channel) of `tile_kernel`, ``steps`` int32 (pair, 6) of `date_steps`; ``sums``
    float64 (POINT_SUMS, point), and the sums of open dates float64 (4, point) and (slot, 4, point).
    """
    p = np.uint32(cuda.grid(1))
    if p >= sums.shape[1]:
        return
    total = cuda.local.array(POINT_SUMS, np.float64)
    own = cuda.local.array(4, np.float64)
    reference = cuda.local.array(4, np.float64)
    date = cuda.local.array(4, np.float64)
    for part in range(POINT_SUMS):
        total[part] = sums[part, p]
    for part in range(4):
        reference[part] = as_reference[part, p]
    for n in range(samples.shape[0]):
        slot, opens, starts = np.uint32(steps[n, 0]), steps[n, 1], steps[n, 2]
        ends, past, closes = steps[n, 3], steps[n, 4], steps[n, 5]
        for part in range(4):
            own[part] = np.float64(samples[n, p, part])
            total[part] += own[part]
            reference[part] = own[part] if starts == 1 else reference[part] + own[part]
            date[part] = own[part] if opens == 1 else as_secondary[slot, part, p] + own[part]
            as_secondary[slot, part, p] = date[part]
        if kind == COHERENT:
            for part in range(4):
                total[_ADJACENT + part] += np.float64(samples[n, p, 4 + part])
        x_size, y_size = samples[n, p, 0], np.float32(0.0)
        if kind != DIFFERENCES:
            x_size = length(samples[n, p, 0], samples[n, p, 1])
            y_size = length(samples[n, p, 2], samples[n, p, 3])
        size = np.float64(x_size) + np.float64(y_size)
        total[_SQUARE] += size * size
        _add_outer(total, 4, own)
        if closes == 1:
            _add_outer(total, 10, date)
        if ends == 1:
            _add_outer(total, 10, reference)
            if past >= 0:
                for part in range(4):
                    date[part] = as_secondary[np.uint32(past), part, p]
                _add_outer(total, 10, date)
                _add_symmetric(total, 16, reference, date)
    for part in range(POINT_SUMS):
        sums[part, p] = total[part]
    for part in range(4):
        as_reference[part, p] = reference[part]


@cuda.jit(device=True)
def _form(sums, first, p, a, b):  # type: ignore[no-untyped-def]
    value = a * a * sums[first, p] + b * b * sums[first + 2, p]
    return value + 2.0 * a * b * sums[first + 1, p]


@cuda.jit(device=True)
def _forms(sums, axis, p, a, b):  # type: ignore[no-untyped-def]
    """Moments by pair, by role and by chain of the part of the products along (a, b)."""
    first = 4 + 3 * axis
    return _form(sums, first, p, a, b), _form(sums, first + 6, p, a, b), _form(sums, first + 12, p, a, b)


@cuda.jit(device=True)
def _mean_direction(sums, axis, p, kind):  # type: ignore[no-untyped-def]
    """Size of the sum of products, and the vectors along and across it."""
    real, imag = sums[2 * axis, p], sums[2 * axis + 1, p]
    if kind == DIFFERENCES:
        ratio = imag / real if real > 0.0 else 0.0
        return real, 1.0, 0.0, -ratio, 1.0
    size = math.sqrt(real * real + imag * imag)
    if not size > 0.0:
        return 0.0, 1.0, 0.0, 0.0, 1.0
    return size, real / size, imag / size, -imag / size, real / size


@cuda.jit(device=True)
def _fixed(ratio):  # type: ignore[no-untyped-def]
    return np.int64(math.floor(min(max(ratio, -LARGEST_RATIO), LARGEST_RATIO) * RATIO_ONE + 0.5))


@cuda.jit
def find_ratios(sums, kind, ratios):  # type: ignore[no-untyped-def]
    """Fixed-point ratios R/Q and H/Q, and 1 where there are any: ``ratios`` int64 (axis, 3, point)."""
    p = np.uint32(cuda.grid(1))
    if p >= sums.shape[1]:
        return
    for axis in range(2):
        _, _, _, a, b = _mean_direction(sums, axis, p, kind)
        own, role, chain = _forms(sums, axis, p, a, b)
        usable = own > 0.0 and sums[_SQUARE, p] > 0.0
        ratios[axis, 0, p] = _fixed(role / own - 2.0) if usable else 0
        ratios[axis, 1, p] = _fixed(chain / own) if usable else 0
        ratios[axis, 2, p] = 1 if usable else 0


@cuda.jit(device=True)
def _box_means(ratios, axis, y, x, height, width, reach_y, reach_x):  # type: ignore[no-untyped-def]
    """Means of both ratios over the box around a point."""
    role, chain, number = np.int64(0), np.int64(0), np.int64(0)
    for i in range(max(y - reach_y, 0), min(y + reach_y + 1, height)):
        for j in range(max(x - reach_x, 0), min(x + reach_x + 1, width)):
            q = np.uint32(i * width + j)
            role += ratios[axis, 0, q]
            chain += ratios[axis, 1, q]
            number += ratios[axis, 2, q]
    unit = np.float64(max(number, np.int64(1))) * RATIO_ONE
    return np.float64(role) / unit, np.float64(chain) / unit


@cuda.jit(device=True)
def _bounded(own, role, chain, own_along, role_along, chain_along):  # type: ignore[no-untyped-def]
    air = -chain / chain_along if chain_along > 0.0 else 0.0
    most = own / (2.0 * own_along) if own_along > 0.0 else math.inf
    air = min(max(air, 0.0), most)
    speckle = max(own + role - air * (2.0 * own_along + role_along), own - 2.0 * air * own_along)
    return speckle + air * (2.0 * own_along + role_along - chain_along)


@cuda.jit
def find_variances(sums, ratios, kind, grid, lever_ratios, values, flags):  # type: ignore[no-untyped-def]
    """Variance over the sum of squared sizes, float64 (axis, point), 0 where there is none, and flags of the points.

    ``grid`` is (points y, points x, reach y, reach x), ``lever_ratios`` (x, y) those of the lever to adjacent blocks.
    """
    p = np.uint32(cuda.grid(1))
    if p >= sums.shape[1]:
        return
    y, x = np.int32(p // np.uint32(grid[1])), np.int32(p % np.uint32(grid[1]))
    flag = 0
    for axis in range(2):
        values[axis, p] = 0.0
        if ratios[axis, 2, p]:
            size, along_a, along_b, a, b = _mean_direction(sums, axis, p, kind)
            own, _, _ = _forms(sums, axis, p, a, b)
            own_along, role_along, chain_along = _forms(sums, axis, p, along_a, along_b)
            role_along -= 2.0 * own_along
            role, chain = _box_means(ratios, axis, y, x, grid[0], grid[1], grid[2], grid[3])
            role, chain = own * role, own * chain
            if own + role + chain <= 0.0:
                flag |= BOUNDED_SIGMA
            left = 1.0 - (own_along + role_along + chain_along) / (size * size) if size > 0.0 else 0.0
            if left > SMALLEST_SHARE_LEFT:
                found = _bounded(own, role, chain, own_along, role_along, chain_along) / left
                values[axis, p] = max(found / sums[_SQUARE, p], 0.0)
        if kind == COHERENT:
            angle = _arctan2(sums[2 * axis + 1, p], sums[2 * axis, p])
            coarse = _arctan2(sums[_ADJACENT + 2 * axis + 1, p], sums[_ADJACENT + 2 * axis, p])
            if abs(lever_ratios[axis] * coarse - angle) > 0.5 * math.pi:
                flag |= ALIASED
    flags[p] = flag
