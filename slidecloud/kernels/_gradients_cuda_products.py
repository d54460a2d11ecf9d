"""Products of block sums on the GPU, and what is sampled of them at the points of the grid of sigma."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from slidecloud.kernels._cuda_math import length
from slidecloud.kernels._gradients_cuda_blocks import bias, multiply, sum_block
from slidecloud.kernels._gradients_cuda_holes import SIZE
from slidecloud.kernels._gradients_cuda_layout import SAMPLED, Layout, Tile
from slidecloud.kernels._gradients_layout import COHERENT, DIFFERENCES, Shape
from slidecloud.kernels._gradients_variance import grid_step
from slidecloud.kernels.phase import arctan2_poly

_arctan2 = cuda.jit(device=True)(arctan2_poly.py_func)


def product_functions(kind: int, shape: Shape, tile: Tile, layout: Layout) -> tuple[Any, Any, Any, Any]:
    """Functions of a thread on the sums along rows of `row_functions`.

    ``block(sums, first, size, less)`` is a block's sum, ``product(following, here)`` what a pair adds at a pixel,
    ``keep_sizes`` stores the sizes of products for later, ``sample`` the products at points of the grid.
    """
    tall, narrow, short, wide, lever_y, lever_x = (int(size) for size in shape[:6])
    columns, each, _ = tile
    threads, rows, pitch = tile.threads, tile.rows, layout.pitch
    offset = bias(float(shape.step))
    tall_less, short_less, below = tall * narrow * offset, short * wide * offset, lever_y * pitch
    step_y, step_x = grid_step((tall, wide))
    points_x = -(-columns // step_x)
    turns = -(-points_x * -(-rows // step_y) // threads)
    coherent, differences = kind == COHERENT, kind == DIFFERENCES

    @cuda.jit(device=True)
    def product(following, here):  # type: ignore[no-untyped-def]
        real, imag = multiply(following, here)
        if differences:
            imag = np.float32(_arctan2(np.float64(imag), np.float64(real)))
            real = np.float32(1.0)
        return real, imag

    @cuda.jit(device=True)
    def block(sums, first, size, less):  # type: ignore[no-untyped-def]
        """Real and imaginary part of the sum over ``size`` rows, less the bias of a whole block."""
        real, imag = sum_block(sums, first, size, pitch)
        return np.int32(real - np.int32(less)), np.int32(imag - np.int32(less))

    @cuda.jit(device=True)
    def keep_sizes(narrow_sums, wide_sums, base, partial, hole_sums, own):  # type: ignore[no-untyped-def]
        """Keep the sizes of the pair's products in the rows with a bit in ``partial``."""
        for k in range(each):
            if (partial >> k) & 1:
                at = base + np.uint64(k * pitch)
                here = block(narrow_sums, at, tall, tall_less)
                x_real, x_imag = multiply(block(narrow_sums, at + np.uint64(lever_x), tall, tall_less), here)
                above = block(wide_sums, at, short, short_less)
                y_real, y_imag = multiply(block(wide_sums, at + np.uint64(below), short, short_less), above)
                hole_sums[own + np.uint64((SIZE * each + k) * threads)] = length(x_real, x_imag)
                hole_sums[own + np.uint64(((SIZE + 1) * each + k) * threads)] = length(y_real, y_imag)

    @cuda.jit(device=True)
    def sample(narrow_sums, wide_sums, bits, grid, out):  # type: ignore[no-untyped-def]
        """Products, and those of adjacent blocks, at the points of the grid of sigma that lie in the tile.

        ``grid``: row and column in the tile of the first point, rows and columns, number of that point, points along x.
        """
        for turn in range(turns):
            p = np.uint32(cuda.threadIdx.x + turn * threads)
            a, b = np.int32(p // np.uint32(points_x)), np.int32(p % np.uint32(points_x))
            row, column = np.int32(grid[0] + a * step_y), np.int32(grid[1] + b * step_x)
            if row < grid[2] and column < grid[3]:
                to = np.uint64(np.uint32((grid[4] + a * grid[5] + b) * SAMPLED))
                if (bits[np.uint32(row // each * columns + column)] >> np.int32(row % each)) & 1:
                    at = np.uint64(np.uint32(row * pitch + column))
                    here = block(narrow_sums, at, tall, tall_less)
                    above = block(wide_sums, at, short, short_less)
                    after = block(narrow_sums, at + np.uint64(lever_x), tall, tall_less)
                    under = block(wide_sums, at + np.uint64(below), short, short_less)
                    out[to], out[to + np.uint64(1)] = product(after, here)
                    out[to + np.uint64(2)], out[to + np.uint64(3)] = product(under, above)
                    if coherent:
                        after = block(narrow_sums, at + np.uint64(narrow), tall, tall_less)
                        under = block(wide_sums, at + np.uint64(short * pitch), short, short_less)
                        out[to + np.uint64(4)], out[to + np.uint64(5)] = multiply(after, here)
                        out[to + np.uint64(6)], out[to + np.uint64(7)] = multiply(under, above)
                else:
                    for channel in range(SAMPLED):
                        out[to + np.uint64(channel)] = np.float32(0.0)

    return block, product, keep_sizes, sample
