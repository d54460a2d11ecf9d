"""Variance of a bin's sum across its mean direction, from the scatter of pairs that share dates.

With s_k the part of pair k's product across the mean, pairs that share no date taken as uncorrelated, the variance is
``V = Q + R + H``: Q the sum of s_k², R of s_k s_l over pairs that share a date in the same role (both reference or both
secondary), H over those that share it in a chain (secondary of one, reference of the other). This is the dyadic cluster
variance; it is unbiased but, from a few dozen dates, often near zero or negative. Two things are known beforehand and
make it usable:

* R/Q and H/Q depend on network, decorrelation and atmosphere, which change slowly from pixel to pixel: they are
  averaged over a box around the point; Q stays the point's own.
* Atmosphere of variance a per date gives every pair ``c_k (u_i - u_j)``, c_k the part of p along the mean. With Q', R',
  H' the same sums of c it adds ``2 a Q'`` to Q, ``a R'`` to R and ``-a H'`` to H; speckle that decays in time adds
  nothing to H and nothing negative to R. So a = -H/H' within [0, Q / 2Q'], what is left of Q + R is speckle and at
  least what is left of Q, and ``V = speckle + a (2 Q' + R' - H')``, which is positive. Where no limit is met this is
  the plain V.

The mean has been fitted to the same pairs; V is divided by one minus the share of the pairs in it in (sum c)².

V over the sum of the squared sizes of the products is as smooth as the window. It is found at the points of a grid,
which is fixed to the burst, and interpolated; the squared sizes are each pixel's own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels._gradients_layout import DIFFERENCES
from slidecloud.types import Float64

BOUNDED_SIGMA = 2
RATIO_ONE = 65536.0
"""Fixed-point unit of R/Q and H/Q: integers, so that the mean over a box does not depend on the tile."""
LARGEST_RATIO = 16384.0
SMALLEST_SHARE_LEFT = 1e-4
"""Of (sum c)² outside the pairs that share dates; below it, as for a single pair, nothing can be said."""
LARGEST_STEP = 4

Axes = tuple[int, int]


def grid_step(window: Axes) -> Axes:
    """Pixels between the points at which sigma is found: four, fewer for windows below eight."""
    return min(LARGEST_STEP, window[0] // 2), min(LARGEST_STEP, window[1] // 2)


def grid_reach(window: Axes) -> Axes:
    """Points on each side of a point over which the ratios are averaged: at least one window's width."""
    step = grid_step(window)
    return -(-window[0] // step[0]), -(-window[1] // step[1])


def _form(moments: Float64, vector: tuple[Float64, Float64]) -> Float64:
    """Quadratic form of the second moments real², real x imaginary, imaginary² of an axis."""
    value: Float64 = vector[0] * vector[0] * moments[0] + vector[1] * vector[1] * moments[2]
    value += 2.0 * vector[0] * vector[1] * moments[1]
    return value


def _fixed(ratio: Float64) -> NDArray[np.int64]:
    limited = np.clip(np.nan_to_num(ratio), -LARGEST_RATIO, LARGEST_RATIO)
    return np.floor(limited * RATIO_ONE + 0.5).astype(np.int64)


def _box_mean(values: NDArray[np.int64], number: NDArray[np.int64], reach: Axes) -> Float64:
    mean: Float64 = _box_total(values, reach) / (np.maximum(_box_total(number, reach), 1) * RATIO_ONE)
    return mean


def _box_total(values: NDArray[np.int64], reach: Axes) -> NDArray[np.int64]:
    """Sums over boxes of ``reach`` points on each side; outside there is nothing."""
    total = np.pad(values, ((reach[0] + 1, reach[0]), (reach[1] + 1, reach[1]))).cumsum(axis=0).cumsum(axis=1)
    height, width = 2 * reach[0] + 1, 2 * reach[1] + 1
    rows: NDArray[np.int64] = total[height:] - total[:-height]
    columns: NDArray[np.int64] = rows[:, width:] - rows[:, :-width]
    return columns


class Scatter(NamedTuple):
    """Sums over the pairs of products of a quantity, float64 (y, x).

    ``own``: of squares. ``role``: over dates of the squared sums over the pairs in which the date has one role, which
    hold every pair twice with itself. ``chain``: of products over pairs of pairs in which a date has different roles.
    """

    own: Float64
    role: Float64
    chain: Float64


def bounded_variance(
    across: Scatter, along: Scatter, left: Float64, reach: Axes
) -> tuple[Float64, NDArray[np.bool_], NDArray[np.bool_]]:
    """Variance of a sum of s from the `Scatter` of s and c, see the module's docstring: (values, usable, bounded).

    ``left`` is what the fit leaves; ``bounded`` tells where the plain sum is not positive. Only operations whose result
    IEEE 754 fixes: values do not depend on the tile.
    """
    own, own_along, chain_along = across.own, along.own, along.chain
    usable = own > 0.0
    number = usable.astype(np.int64)
    ratios = across.role / own - 2.0, across.chain / own
    role, chain = (own * _box_mean(_fixed(np.where(usable, r, 0.0)), number, reach) for r in ratios)
    role_along = along.role - 2.0 * own_along
    air = np.where(chain_along != 0.0, -chain / np.where(chain_along != 0.0, chain_along, 1.0), 0.0)
    air = np.minimum(np.maximum(air, 0.0), own / (2.0 * own_along))
    speckle = np.maximum(own + role - air * (2.0 * own_along + role_along), own - 2.0 * air * own_along)
    variance: Float64 = (speckle + air * (2.0 * own_along + role_along - chain_along)) / left
    bounded = usable & (own + role + chain <= 0.0)
    return variance, usable & (left > SMALLEST_SHARE_LEFT) & (variance > 0.0), bounded


def point_variances(
    points: Float64, square: Float64, kind: int, reach: Axes, flags: NDArray[np.uint8]
) -> tuple[Float64, NDArray[np.bool_]]:
    """Variance over the sum of squared sizes for x and y at the points (2, y, x), and where there is one.

    ``points`` (22, y, x) are the products and moments of ``TileSums``, ``square`` (y, x) the sums of squared sizes.
    Sets BOUNDED_SIGMA in ``flags``. Only operations whose result IEEE 754 fixes: values do not depend on the tile.
    """
    variance, usable = np.zeros((2, *square.shape)), np.zeros((2, *square.shape), bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        for axis in range(2):
            real, imag = points[2 * axis], points[2 * axis + 1]
            if kind == DIFFERENCES:
                size, along, across = (
                    real,
                    (np.ones_like(real), np.zeros_like(real)),
                    (-imag / real, np.ones_like(real)),
                )
            else:
                size = np.sqrt(real * real + imag * imag)
                along, across = (real / size, imag / size), (-imag / size, real / size)
            moments = [points[first + 3 * axis : first + 3 * axis + 3] for first in (4, 10, 16)]
            across_sums, along_sums = (
                Scatter._make(_form(each, vector) for each in moments) for vector in (across, along)
            )
            shared = along_sums.role - along_sums.own + along_sums.chain
            left = 1.0 - shared / (size * size)
            found, usable[axis], bounded = bounded_variance(across_sums, along_sums, left, reach)
            variance[axis] = np.where(usable[axis], found / square, 0.0)
            flags[bounded] |= BOUNDED_SIGMA
    return variance, usable


@njit(nogil=True, cache=True)
def _add_points(values, usable, point_flags, p, share, total, weight, found):  # type: ignore[no-untyped-def]
    """Add a row of points, as far as there is one, with its ``share`` to ``total`` and ``weight`` (axis, column)."""
    if p < 0 or p >= values.shape[1] or share == 0:
        return
    for k in range(values.shape[2]):
        found[k] |= point_flags[p, k]
        for axis in range(2):
            if usable[axis, p, k]:
                total[axis, k] += share * values[axis, p, k]
                weight[axis, k] += share


@njit(nogil=True, cache=True, error_model="numpy")
def _spread_row(total, weight, found, first, step, square, count, variance, flags):  # type: ignore[no-untyped-def]
    """Interpolate along a row; ``total``, ``weight`` and ``found`` have an empty column before and after the points."""
    for j in range(count.size):
        if count[j] == 0:
            continue
        column, before = divmod(first + j, step)
        k = min(max(column + 1, 0), found.size - 2)
        flags[j] |= found[k] | (found[k + 1] if before > 0 else np.uint8(0))
        for axis in range(2):
            mass = weight[axis, k] * (step - before) + weight[axis, k + 1] * before
            mean = total[axis, k] * (step - before) + total[axis, k + 1] * before
            variance[axis, j] = square[j] * (mean / mass) if mass > 0.0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def spread_variances(values, usable, point_flags, first, step, square, count, variance, flags):  # type: ignore[no-untyped-def]
    """Interpolate the points' ``values`` (2, y, x) linearly between those that are ``usable`` and times ``square``.

    ``first`` is where the output's first pixel lies from the first point, in pixels (y, x). ``variance`` (2, y, x) gets
    0 where none of the points around a pixel is usable, ``flags`` those of any point around it.
    """
    width = values.shape[2]
    total, weight = np.empty((2, width + 2)), np.empty((2, width + 2))
    found = np.empty(width + 2, np.uint8)
    for i in range(count.shape[0]):
        row, above = divmod(first[0] + i, step[0])
        total[:] = 0.0
        weight[:] = 0.0
        found[:] = 0
        inner = (total[:, 1:-1], weight[:, 1:-1], found[1:-1])
        _add_points(values, usable, point_flags, row, step[0] - above, *inner)
        _add_points(values, usable, point_flags, row + 1, above, *inner)
        _spread_row(total, weight, found, first[1], step[1], square[i], count[i], variance[:, i], flags[i])
