"""What is read off the accumulated sums: aliasing, the distances of the blocks, and in the end the gradients."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_sums import COHERENT, DIFFERENCES, OVERLAP
from slidecloud.kernels.phase import arctan2_poly

ALIASED, UNEVEN, STEEP = 1, 4, 8
UNEVEN_SHIFT = 0.1
"""A distance that differs from its nominal value by more than this part of the lever sets UNEVEN."""
STEEP_GRADIENT = 0.3
SMALLEST_DETERMINANT = 0.1
"""Of the system of distances, relative to its nominal value; below it the blocks cannot tell x from y."""


@njit(nogil=True, cache=True, error_model="numpy")
def flag_aliased(total, extra, window, block, flags):  # type: ignore[no-untyped-def]
    """Set ALIASED where the adjacent blocks, which alias at a smaller distance, contradict the ones a lever apart."""
    for axis in range(2):
        size = block[1 - axis]
        ratio = (window[1 - axis] - size) / size
        for i in range(flags.shape[0]):
            for j in range(flags.shape[1]):
                angle = arctan2_poly(total[i, 2 * axis + 1, j], total[i, 2 * axis, j])
                coarse = arctan2_poly(extra[i, 2 * axis + 1, j], extra[i, 2 * axis, j])
                if abs(ratio * coarse - angle) > 0.5 * np.pi:
                    flags[i, j] |= ALIASED


@njit(nogil=True, cache=True, error_model="numpy")
def _centre(weight, top, left, height, width, row, column):  # type: ignore[no-untyped-def]
    """(x, y) of the weighted centre of a box relative to a pixel; exact integers until the one division."""
    mass, along_x, along_y = np.int64(0), np.int64(0), np.int64(0)
    for i in range(top, top + height):
        for j in range(left, left + width):
            share = np.int64(weight[i, j])
            mass += share
            along_x += share * (j - column)
            along_y += share * (i - row)
    return along_x / mass, along_y / mass


@njit(nogil=True, cache=True, error_model="numpy")
def block_distances(weight, extra, count, kind, window, block, distance, flags):  # type: ignore[no-untyped-def]
    """Fill ``distance`` (4, y, x): of the x blocks along x, along y; of the y blocks along x, along y. Sets UNEVEN.

    ``weight`` (y, x with the window's halo) is the coherence summed over the pairs. The sum of differences keeps the
    published step of one pixel. Zero where no pair counts.
    """
    size_y, size_x = (block[0], block[1]) if kind == COHERENT else (window[0], window[1])
    shift_y, shift_x = (window[0] - block[0], window[1] - block[1]) if kind == COHERENT else (1, 1)
    for i in range(count.shape[0]):
        for j in range(count.shape[1]):
            if count[i, j] == 0:
                distance[:, i, j] = 0.0
                continue
            if kind == DIFFERENCES:
                distance[0, i, j], distance[1, i, j], distance[2, i, j], distance[3, i, j] = 1.0, 0.0, 0.0, 1.0
                continue
            here = _centre(weight, i, j, window[0], size_x, i, j)
            beyond = _centre(weight, i, j + shift_x, window[0], size_x, i, j)
            distance[0, i, j], distance[1, i, j] = beyond[0] - here[0], beyond[1] - here[1]
            here = _centre(weight, i, j, size_y, window[1], i, j)
            beyond = _centre(weight, i + shift_y, j, size_y, window[1], i, j)
            distance[2, i, j], distance[3, i, j] = beyond[0] - here[0], beyond[1] - here[1]
            uneven = max(abs(distance[0, i, j] - shift_x), abs(distance[1, i, j])) / shift_x
            uneven = max(uneven, max(abs(distance[3, i, j] - shift_y), abs(distance[2, i, j])) / shift_y)
            if uneven > UNEVEN_SHIFT:
                flags[i, j] |= UNEVEN
            if kind == OVERLAP:
                for axis in range(2):
                    kept = 1.0 - extra[i, 2 * axis, j] / (extra[i, 2 * axis + 1, j] * 16384.0)
                    distance[2 * axis, i, j] /= kept
                    distance[2 * axis + 1, i, j] /= kept


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
