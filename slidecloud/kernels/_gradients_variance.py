"""Variance of a bin's sum across its mean direction, from the scatter of pairs that share dates.

With s_k the part of pair k's product across the mean, pairs that share no date taken as uncorrelated, the variance is
``V = Q + R + H``: Q the sum of s_k², R of s_k s_l over pairs that share a date in the same role (both reference or both
secondary), H over those that share it in a chain (secondary of one, reference of the other). This is the dyadic cluster
variance; it is unbiased but, from a few dozen dates, often near zero or negative. Two things are known beforehand and
make it usable:

* R/Q and H/Q depend on network, decorrelation and atmosphere, which change slowly from pixel to pixel: they are
  averaged over a box around the pixel; Q stays the pixel's own.
* Atmosphere of variance a per date gives every pair ``c_k (u_i - u_j)``, c_k the part of p along the mean. With Q', R',
  H' the same sums of c it adds ``2 a Q'`` to Q, ``a R'`` to R and ``-a H'`` to H; speckle that decays in time adds
  nothing to H and nothing negative to R. So a = -H/H' within [0, Q / 2Q'], what is left of Q + R is speckle and at
  least what is left of Q, and ``V = speckle + a (2 Q' + R' - H')``, which is positive. Where no limit is met this is
  the plain V.

The mean has been fitted to the same pairs; V is divided by one minus the share of the pairs in it in (sum c)².
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels._gradients_sums import DIFFERENCES
from slidecloud.kernels._gradients_windows import box_sums
from slidecloud.types import Float32

BOUNDED_SIGMA = 2
RATIO_ONE = 65536.0
"""Fixed-point unit of R/Q and H/Q: integers, so that the mean over a box does not depend on the tile."""
LARGEST_RATIO = 16384.0
SMALLEST_SHARE_LEFT = 1e-4
"""Of (sum c)² outside the pairs that share dates; below it, as for a single pair, nothing can be said."""


@njit(nogil=True, cache=True)
def _form(moments, axis, i, j, vector):  # type: ignore[no-untyped-def]
    """Quadratic form of the (real, imaginary) second moments of an axis at a pixel."""
    first = 3 * axis
    value = vector[0] * vector[0] * moments[i, first, j] + vector[1] * vector[1] * moments[i, first + 2, j]
    return value + 2.0 * vector[0] * vector[1] * moments[i, first + 1, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _directions(real, imag, differences):  # type: ignore[no-untyped-def]
    """(length of the sum, unit vector along the mean, vector across it); for differences p is (1, difference)."""
    if differences:
        return real, (1.0, 0.0), (-imag / real, 1.0)
    size = np.sqrt(real * real + imag * imag)
    return size, (real / size, imag / size), (-imag / size, real / size)


@njit(nogil=True, cache=True)
def _fixed(ratio):  # type: ignore[no-untyped-def]
    return np.int32(np.floor(min(max(ratio, -LARGEST_RATIO), LARGEST_RATIO) * RATIO_ONE + 0.5))


@njit(nogil=True, cache=True, error_model="numpy")
def scatter_parts(total, by_pair, by_role, by_chain, kind, ratios, usable, local):  # type: ignore[no-untyped-def]
    """Per axis the fixed-point ratios R/Q, H/Q (4, y, x) and, over (sum c)², Q, Q', R', H' (8, y, x) float32.

    ``usable`` (2, y, x) is 1 where the pairs scatter at all. The outputs start at zero.
    """
    for axis in range(2):
        for i in range(total.shape[0]):
            for j in range(total.shape[2]):
                real, imag = total[i, 2 * axis, j], total[i, 2 * axis + 1, j]
                if real == 0.0 and imag == 0.0:
                    continue
                size, along, across = _directions(real, imag, kind == DIFFERENCES)
                own = _form(by_pair, axis, i, j, across)
                if not own > 0.0:
                    continue
                usable[axis, i, j] = 1
                # The role moments hold every pair twice with itself, once as each of its dates.
                ratios[2 * axis, i, j] = _fixed(_form(by_role, axis, i, j, across) / own - 2.0)
                ratios[2 * axis + 1, i, j] = _fixed(_form(by_chain, axis, i, j, across) / own)
                square = size * size
                own_along = _form(by_pair, axis, i, j, along)
                local[4 * axis, i, j] = own / square
                local[4 * axis + 1, i, j] = own_along / square
                local[4 * axis + 2, i, j] = (_form(by_role, axis, i, j, along) - 2.0 * own_along) / square
                local[4 * axis + 3, i, j] = _form(by_chain, axis, i, j, along) / square


@njit(nogil=True, cache=True, error_model="numpy")
def _bounded(own, role, chain, own_along, role_along, chain_along):  # type: ignore[no-untyped-def]
    """(variance, whether the plain sum was not positive); see the module's docstring."""
    air = -chain / chain_along if chain_along > 0.0 else 0.0
    air = min(max(air, 0.0), own / (2.0 * own_along))
    speckle = max(own + role - air * (2.0 * own_along + role_along), own - 2.0 * air * own_along)
    variance = speckle + air * (2.0 * own_along + role_along - chain_along)
    left = 1.0 - (own_along + role_along + chain_along)
    return (variance / left if left > SMALLEST_SHARE_LEFT else 0.0), own + role + chain <= 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_axis(sums, usable, local, variance, flags):  # type: ignore[no-untyped-def]
    for i in range(flags.shape[0]):
        for j in range(flags.shape[1]):
            if usable[i, j] == 0:
                continue
            own = np.float64(local[0, i, j])
            role = own * (sums[0, i, j] / (sums[2, i, j] * RATIO_ONE))
            chain = own * (sums[1, i, j] / (sums[2, i, j] * RATIO_ONE))
            along = (np.float64(local[1, i, j]), np.float64(local[2, i, j]), np.float64(local[3, i, j]))
            variance[i, j], bounded = _bounded(own, role, chain, along[0], along[1], along[2])
            if bounded:
                flags[i, j] |= BOUNDED_SIGMA


def _box_total(values: NDArray[np.int32], reach: tuple[int, int]) -> NDArray[np.int64]:
    padded = np.pad(values, ((reach[0], reach[0]), (reach[1], reach[1]))).astype(np.int64)
    total = np.empty(values.shape, np.int64)
    box_sums(padded, 2 * reach[0] + 1, 2 * reach[1] + 1, np.empty((3, padded.shape[1]), np.int64), total)
    return total


def relative_variances(
    ratios: NDArray[np.int32],
    usable: NDArray[np.int32],
    local: Float32,
    reach: tuple[int, int],
    flags: NDArray[np.uint8],
) -> Float32:
    """Variance over (sum c)² for x and y, float32 (2, y, x), 0 where unknown; ratios averaged over ``reach`` pixels.

    Sets BOUNDED_SIGMA in ``flags``.
    """
    variance = np.zeros(usable.shape, np.float32)
    for axis in range(2):
        sums = np.stack([_box_total(field, reach) for field in (ratios[2 * axis], ratios[2 * axis + 1], usable[axis])])
        _fill_axis(sums, usable[axis], local[4 * axis : 4 * axis + 4], variance[axis], flags)
    return variance
