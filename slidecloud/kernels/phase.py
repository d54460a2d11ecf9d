"""Wrapped phase as binary angles, and trigonometry whose bits do not depend on the machine's vector width.

A binary angle is an int16 ``a`` that stands for ``a * pi / 32768`` rad; integer overflow is the wrap. The functions for
numba use only integer operations or + - * / and rounding, which IEEE 754 fixes to the last bit, so a value does not
depend on where in a tile, or in a SIMD register, it was computed. The polynomials are minimax fits (Lawson's iteration
on Chebyshev nodes) made for this module; their errors are stated at each function.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32

FloatT = TypeVar("FloatT", np.float32, np.float64)

STEPS_PER_RADIAN = 32768.0 / np.pi


def encode(radians: ArrayLike) -> NDArray[np.int16]:
    """Binary angle of a phase.

    Parameters
    ----------
    radians
        Phase in rad, any shape, wrapped or not. Values that are not finite become 0, which is how stores write the
        phase of pixels without data.

    Returns
    -------
    int16 array of the same shape; ``decode`` gives the wrapped phase back to pi/65536 rad.
    """
    values = np.asarray(radians)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    angles: NDArray[np.int16] = _encode(np.ascontiguousarray(values).reshape(-1)).reshape(values.shape)
    return angles


@njit(nogil=True, cache=True)
def _encode(values):  # type: ignore[no-untyped-def]
    """One pass and no copies in float64: ingest encodes every pixel that it reads."""
    angles = np.empty(values.size, np.int16)
    for i in range(values.size):
        steps = np.rint(np.float64(values[i]) * STEPS_PER_RADIAN)
        if abs(steps) < 4e18:  # false for NaN; the cast to fewer bits is the wrap
            angles[i] = np.int16(np.int64(steps))
        elif np.isfinite(steps):
            angles[i] = np.int16((steps + 32768.0) % 65536.0 - 32768.0)
        else:
            angles[i] = 0
    return angles


def decode(angle: NDArray[np.int16]) -> Float32:
    """Phase in rad, float32 in [-pi, pi), of int16 binary angles of any shape.

    Raises
    ------
    TypeError
        If ``angle`` is not int16.
    """
    if np.asarray(angle).dtype != np.int16:
        raise TypeError(
            f"angle: found dtype {np.asarray(angle).dtype}, expected int16 binary angles; encode radians with encode()"
        )
    return (angle * np.float64(np.pi / 32768.0)).astype(np.float32)


def wrap(radians: NDArray[FloatT]) -> NDArray[FloatT]:
    """Phase wrapped to [-pi, pi), pi as the array's own dtype (float32 or float64) rounds it; NaN stays NaN."""
    values = np.asarray(radians)
    turns = np.asarray(values, dtype=np.float64) / (2.0 * np.pi)
    wrapped = ((turns - np.floor(turns + 0.5)) * (2.0 * np.pi)).astype(values.dtype)
    pi = values.dtype.type(np.pi)
    result: NDArray[FloatT] = np.where(wrapped >= pi, -pi, np.where(wrapped < -pi, -pi, wrapped))
    return result


@njit(nogil=True, cache=True)
def cosine_poly(angle):  # type: ignore[no-untyped-def]
    """Cosine of a binary angle (int16, or int32 in [-32768, 32767]), float32.

    An odd polynomial of degree 7 about the zero crossing: at most 1e-6 from the true cosine, symmetric to the last bit,
    and no table, so that loops over pixels vectorise.
    """
    u = np.float32(np.int32(16384 - abs(np.int32(angle)))) * np.float32(1.0 / 16384.0)
    s = u * u
    p = s * np.float32(-0.004333095292430308) + np.float32(0.0794343446167653)
    p = p * s + np.float32(-0.645892849548392)
    p = p * s + np.float32(1.5707910110756094)
    return p * u


@njit(nogil=True, cache=True)
def sine_poly(angle):  # type: ignore[no-untyped-def]
    """Sine of a binary angle, float32; accuracy as `cosine_poly`."""
    return cosine_poly(np.int16(np.int32(angle) - np.int32(16384)))


@njit(nogil=True, cache=True, error_model="numpy")
def arctan2_poly(y, x):  # type: ignore[no-untyped-def]
    """Angle of the vector (x, y) in rad, [-pi, pi], float64; at most 1e-8 rad from arctan2, 0 for the zero vector.

    Odd polynomial of degree 17 on [0, 1], the octants by reflection. NaN gives NaN.
    """
    run = abs(x)
    rise = abs(y)
    steep = rise > run
    low = run if steep else rise
    high = rise if steep else run
    ratio = low / (high if high != 0.0 else 1.0)
    s = ratio * ratio
    p = 0.0024567254594026547
    p = p * s - 0.014401361635916295
    p = p * s + 0.03978123005712064
    p = p * s - 0.07234857965444755
    p = p * s + 0.10498946387443148
    p = p * s - 0.14161229283666998
    p = p * s + 0.19985906779631032
    p = p * s - 0.3333259702896763
    p = p * s + 0.9999998863831329
    angle = p * ratio
    angle = 0.5 * math.pi - angle if steep else angle
    angle = math.pi - angle if x < 0.0 else angle
    return -angle if y < 0.0 else angle
