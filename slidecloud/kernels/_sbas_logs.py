"""Binary logarithm and power of float64 lanes by + - * / alone, so that their bits do not depend on a library."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import choose, exponent, fused, mantissa, most, power_of_two, splat, whole
from slidecloud.kernels._sbas_band import INLINE

ROOT = np.sqrt(2.0)
PER_E = 2.0 / np.log(2.0)
LN2 = np.log(2.0)


@njit(**INLINE)
def log2(x):  # type: ignore[no-untyped-def]
    """log2 of normal positive numbers, to 1e-9: the series of the inverse hyperbolic tangent."""
    one = splat(1.0)
    m = mantissa(x)
    large = m > splat(ROOT)
    m = choose(large, splat(0.5) * m, m)
    z = (m - one) / (m + one)
    q = z * z
    series = fused(q, fused(q, fused(q, fused(q, splat(1 / 9), splat(1 / 7)), splat(1 / 5)), splat(1 / 3)), one)
    return fused(splat(PER_E) * z, series, exponent(x) + choose(large, one, splat(0.0)))


@njit(**INLINE)
def exp2(x):  # type: ignore[no-untyped-def]
    """``2^x`` for x <= 0, to 1e-8 of itself; below 2^-200 it is that."""
    clipped = most(x, splat(-200.0))
    integer = whole(clipped + splat(0.5))
    t = (clipped - integer) * splat(LN2)
    series = fused(t, splat(1 / 5040), splat(1 / 720))
    for share in (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
        series = fused(t, series, splat(share))
    return series * power_of_two(integer)
