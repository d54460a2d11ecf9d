"""Samples of a tile and their sums along rows, in the shared memory of a thread block of the GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from slidecloud.kernels._gradients_cuda_blocks import bias, moment_rows, sample_word, sum_rows
from slidecloud.kernels._gradients_cuda_layout import Layout, Tile
from slidecloud.kernels._gradients_layout import Shape


def row_functions(shape: Shape, tile: Tile, layout: Layout) -> tuple[Any, Any, Any]:
    """Functions that all threads of a block call together; what they write is there after the next barrier.

    ``load(words, angles, shares, weigh, corner)`` fills the words, ``sum_along(words, narrow_sums, wide_sums)`` sums
    them for x and for y blocks, ``weigh_along(words, mass, moment, size)`` sums weights and their moments. ``corner``:
    the input pixel (y, x) of the first word, rows and columns of the input.
    """
    narrow, wide, threads = int(shape.narrow), int(shape.wide), tile.threads
    in_rows, in_columns, pitch, parts, part, _ = layout
    lanes, step, empty = min(32, tile.columns), float(shape.step), bias(float(shape.step)) * 65537

    @cuda.jit(device=True)
    def load(words, angles, shares, weigh, corner):  # type: ignore[no-untyped-def]
        """Fill the words with samples or with weights; whether a thread met a hole."""
        holes = np.int32(0)
        lane, row = np.int32(cuda.threadIdx.x % lanes), np.int32(cuda.threadIdx.x // lanes)
        left = np.int32(corner[1] + lane)
        while row < in_rows:
            y = np.int32(corner[0] + row)
            at = np.int64(np.int32(y * corner[3] + left))
            inside = y >= 0 and y < corner[2]
            to = np.uint64(np.uint32(row * pitch + lane))
            for k in range(-(-pitch // lanes)):
                x = np.int32(left + np.int32(k * lanes))
                word = np.uint32(0 if weigh else empty)
                if inside and x >= 0 and x < corner[3] and np.int32(lane + np.int32(k * lanes)) < in_columns:
                    share = np.uint32(shares[np.uint64(at + k * lanes)])
                    if share == 0:
                        holes = np.int32(1)
                    if weigh:
                        word = np.uint32(share | np.uint32(np.uint32(share > 0) << np.uint32(16)))
                    else:
                        word = sample_word(angles[np.uint64(at + k * lanes)], share, np.float32(step))
                if np.int32(lane + np.int32(k * lanes)) < pitch:
                    words[to + np.uint64(k * lanes)] = word
            row = np.int32(row + np.int32(threads // lanes))
        return holes

    @cuda.jit(device=True)
    def sum_along(words, narrow_sums, wide_sums):  # type: ignore[no-untyped-def]
        item = np.uint32(cuda.threadIdx.x)
        while item < np.uint32(in_rows * parts):
            row, number = np.uint32(item % np.uint32(in_rows)), np.uint32(item // np.uint32(in_rows))
            first = np.uint64(row * np.uint32(pitch) + number * np.uint32(part))
            sum_rows(words, narrow_sums, wide_sums, first, part, narrow, wide)
            item = np.uint32(item + np.uint32(threads))

    @cuda.jit(device=True)
    def weigh_along(words, mass, moment, size):  # type: ignore[no-untyped-def]
        item = np.uint32(cuda.threadIdx.x)
        while item < np.uint32(in_rows * parts):
            row, number = np.uint32(item % np.uint32(in_rows)), np.uint32(item // np.uint32(in_rows))
            moment_rows(words, mass, moment, np.uint64(row * np.uint32(pitch) + number * np.uint32(part)), part, size)
            item = np.uint32(item + np.uint32(threads))

    return load, sum_along, weigh_along
