"""Functions of one number that the GPU computes in its special-function unit, and what the simulator has for them.

Import only where `slidecloud.kernels.device` has found a GPU.
"""

from __future__ import annotations

import math

import numpy as np
from numba import cuda

from slidecloud.kernels import device

if device.is_simulated():

    @cuda.jit(device=True)
    def sine(angle):  # type: ignore[no-untyped-def]
        return np.float32(math.sin(angle))

    @cuda.jit(device=True)
    def cosine(angle):  # type: ignore[no-untyped-def]
        return np.float32(math.cos(angle))

    @cuda.jit(device=True)
    def inverse_root(square):  # type: ignore[no-untyped-def]
        return np.float32(1.0 / math.sqrt(square))

else:
    from numba.cuda import libdevice

    @cuda.jit(device=True)
    def sine(angle):  # type: ignore[no-untyped-def]
        """Sine of rad in [-pi, pi], float32; at most 2^-21 wrong."""
        return libdevice.fast_sinf(angle)

    @cuda.jit(device=True)
    def cosine(angle):  # type: ignore[no-untyped-def]
        """Cosine of rad in [-pi, pi], float32; at most 2^-21 wrong."""
        return libdevice.fast_cosf(angle)

    @cuda.jit(device=True)
    def inverse_root(square):  # type: ignore[no-untyped-def]
        """1 / sqrt, float32; at most 2 units in the last place wrong."""
        return libdevice.rsqrtf(square)


@cuda.jit(device=True)
def length(real, imag):  # type: ignore[no-untyped-def]
    """Absolute value of a complex number that is 0 or at least 1, float32."""
    square = np.float32(real * real + imag * imag)
    return np.float32(square * inverse_root(max(square, np.float32(1.0))))
