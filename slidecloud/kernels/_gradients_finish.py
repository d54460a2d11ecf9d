"""What is read off the accumulated sums: aliasing, and in the end the gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_layout import DIFFERENCES, OVERLAP
from slidecloud.kernels.phase import arctan2_poly
from slidecloud.types import Float32

if TYPE_CHECKING:
    from slidecloud.kernels._gradients_types import GradientSums, RateSums

ALIASED, UNEVEN, STEEP = 1, 4, 8
UNEVEN_SHIFT = 0.1
"""A distance that differs from its nominal value by more than this part of the lever sets UNEVEN."""
STEEP_GRADIENT = 0.3
SMALLEST_DETERMINANT = 0.1
"""Of the system of distances, relative to its nominal value; below it the blocks cannot tell x from y."""


@njit(nogil=True, cache=True, error_model="numpy")
def flag_aliased(total, adjacent, ratios, flags):  # type: ignore[no-untyped-def]
    """Set ALIASED where the adjacent blocks, which alias at a smaller distance, contradict the ones a lever apart.

    ``total`` and ``adjacent`` (part, point) are products; ``ratios`` (x, y) of the lever to the smaller distance.
    """
    for axis in range(2):
        for k in range(flags.size):
            angle = arctan2_poly(total[2 * axis + 1, k], total[2 * axis, k])
            coarse = arctan2_poly(adjacent[2 * axis + 1, k], adjacent[2 * axis, k])
            if abs(ratios[axis] * coarse - angle) > 0.5 * np.pi:
                flags[k] |= ALIASED


@njit(nogil=True, cache=True, error_model="numpy")
def solve_gradients(sums, distance, kind, nominal, x, y, x_sigma, y_sigma, flags):  # type: ignore[no-untyped-def]
    """Angles and their sigma, solved for the gradients along x and y; NaN where the blocks cannot tell them.

    ``sums`` is (x real, x imag, y real, y imag, x variance, y variance), ``distance`` the four distances, float32;
    ``nominal`` the product of the nominal distances. The outputs are float32 (y, x) and start as NaN.
    """
    for i in range(flags.shape[0]):
        for j in range(flags.shape[1]):
            xx, xy = np.float64(distance[0][i, j]), np.float64(distance[1][i, j])
            yx, yy = np.float64(distance[2][i, j]), np.float64(distance[3][i, j])
            determinant = xx * yy - xy * yx
            if not determinant > SMALLEST_DETERMINANT * nominal:
                continue
            x_real, x_imag = np.float64(sums[0][i, j]), np.float64(sums[1][i, j])
            y_real, y_imag = np.float64(sums[2][i, j]), np.float64(sums[3][i, j])
            if kind == DIFFERENCES:
                x_size, y_size = x_real, y_real
                x_angle, y_angle = x_imag / x_real, y_imag / y_real
            else:
                x_size = np.sqrt(x_real * x_real + x_imag * x_imag)
                y_size = np.sqrt(y_real * y_real + y_imag * y_imag)
                x_angle, y_angle = arctan2_poly(x_imag, x_real), arctan2_poly(y_imag, y_real)
            if not (x_size > 0.0 and y_size > 0.0):
                continue
            x[i, j] = (yy * x_angle - xy * y_angle) / determinant
            y[i, j] = (xx * y_angle - yx * x_angle) / determinant
            x_variance = np.float64(sums[4][i, j]) / (x_size * x_size)
            y_variance = np.float64(sums[5][i, j]) / (y_size * y_size)
            if x_variance > 0.0 and y_variance > 0.0:
                x_sigma[i, j] = np.sqrt(yy * yy * x_variance + xy * xy * y_variance) / determinant
                y_sigma[i, j] = np.sqrt(xx * xx * y_variance + yx * yx * x_variance) / determinant
            if kind == OVERLAP and max(abs(x[i, j]), abs(y[i, j])) > STEEP_GRADIENT:
                flags[i, j] |= STEEP


def described(sums: GradientSums | RateSums) -> dict[str, Float32]:
    """Effective pairs, mean coherence and mean span of `GradientStack` from a bin's sums."""
    effective, mean_span, mean_coherence = (np.empty(sums.count.shape, np.float32) for _ in range(3))
    told = arrays((sums.magnitude, sums.magnitude_squared, sums.span, sums.coherence))
    _describe(sums.count, told, effective, mean_span, mean_coherence)
    return {"effective_pairs": effective, "mean_coherence": mean_coherence, "mean_span": mean_span}


def arrays(fields: tuple[Float32, ...]) -> tuple[Float32, ...]:
    """Fields as the loops take them: contiguous float32."""
    return tuple(np.ascontiguousarray(field, dtype=np.float32) for field in fields)


@njit(nogil=True, cache=True, error_model="numpy")
def _describe(count, sums, effective, mean_span, mean_coherence):  # type: ignore[no-untyped-def]
    magnitude, squared, span, coherence = sums
    for i in range(count.shape[0]):
        for j in range(count.shape[1]):
            size = np.float64(magnitude[i, j]) if magnitude[i, j] > 0.0 else np.nan
            number = np.float64(count[i, j]) if count[i, j] > 0 else np.nan
            effective[i, j] = size * size / squared[i, j]
            mean_span[i, j] = span[i, j] / size
            mean_coherence[i, j] = coherence[i, j] / number
