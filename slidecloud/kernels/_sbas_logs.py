"""Binary logarithm and power of float64 rows by + - * / alone, so that their bits do not depend on a library."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT

ROOT_HALF = np.sqrt(0.5)
PER_E = 2.0 / np.log(2.0)
LN2 = np.log(2.0)


@njit(**NJIT)
def log2(x, out, lanes):  # type: ignore[no-untyped-def]
    """``out = log2(x)`` of normal positive numbers, to 1e-9: the series of the inverse hyperbolic tangent."""
    bits = x.view(np.int64)
    mantissa = np.empty(lanes)
    fraction = mantissa.view(np.int64)
    for j in range(lanes):
        fraction[j] = (bits[j] & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000
        out[j] = (bits[j] >> 52) - 1022
    for j in range(lanes):
        small = mantissa[j] < ROOT_HALF
        m = 2.0 * mantissa[j] if small else mantissa[j]
        z = (m - 1.0) / (m + 1.0)
        q = z * z
        series = 1.0 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9))))
        out[j] += PER_E * z * series - (1.0 if small else 0.0)


@njit(**NJIT)
def exp2(x, out, lanes):  # type: ignore[no-untyped-def]
    """``out = 2^x`` for x <= 0, to 1e-8 of itself; below 2^-200 it is that."""
    bits = np.empty(lanes, np.int64)
    power = bits.view(np.float64)
    for j in range(lanes):
        clipped = max(x[j], -200.0)
        whole = np.floor(clipped + 0.5)
        t = (clipped - whole) * LN2
        out[j] = 1.0 + t * (
            1.0 + t * (1 / 2 + t * (1 / 6 + t * (1 / 24 + t * (1 / 120 + t * (1 / 720 + t * (1 / 5040))))))
        )
        bits[j] = (np.int64(whole) + 1023) << 52
    for j in range(lanes):
        out[j] *= power[j]
