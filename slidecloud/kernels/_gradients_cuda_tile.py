"""The GPU's pass over pairs: a block of threads takes a tile, and keeps its sums in registers while the pairs go by.

Per pair the samples of the tile and its halo go to shared memory as whole numbers; sums along rows follow, then each
thread slides the four block sums down its column and adds the products of its pixels to its registers. So an input
byte is read from memory about once, and by the threads ``(1 + halo/rows) (1 + halo/columns)`` times: 1.46 for the
default window. The loops over a thread's rows must have constant bounds, which unrolls them and keeps the sums in
registers; where they lie in shared memory is said in 64-bit numbers without sign, to which constants add for nothing.

Only a pair with holes in the tile is looked at again: first for how many pixels its blocks have, then for where their
weighted centres lie. What it adds lies in global memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from slidecloud.kernels import device
from slidecloud.kernels._cuda_math import length
from slidecloud.kernels._gradients_cuda_blocks import (
    bias,
    enter,
    leave,
    moment_rows,
    multiply,
    sample_word,
    sum_block,
    sum_rows,
)
from slidecloud.kernels._gradients_cuda_holes import (
    HOLE_SUMS,
    LOST,
    SIZE,
    count_function,
    cover_function,
    shift_function,
)
from slidecloud.kernels._gradients_layout import COHERENT, DIFFERENCES, Shape
from slidecloud.kernels._gradients_variance import grid_step
from slidecloud.kernels.phase import arctan2_poly

SUMS, SAMPLED = 8, 8
"""Sums of a pixel: products 4, sizes 2, square, span. At points of the grid of sigma: products 4, adjacent ones 4."""
_SHARED = 48 * 1024
_SEGMENT = 16
_arctan2 = cuda.jit(device=True)(arctan2_poly.py_func)


class Tile(NamedTuple):
    """Columns of a tile, rows of a thread, and how many threads share a column."""

    columns: int
    each: int
    groups: int


_TILES = (Tile(64, 8, 4), Tile(32, 8, 4), Tile(32, 8, 2), Tile(32, 4, 2))
_SIMULATED = (Tile(16, 4, 2),)


class Layout(NamedTuple):
    """Rows and columns of samples, the pitch of rows, how many parts a row is summed in and their length, all words."""

    rows: int
    columns: int
    pitch: int
    parts: int
    length: int
    words: int


def _layout(tile: Tile, shape: Shape) -> Layout:
    rows = tile.each * tile.groups + max(shape.tall, shape.short + shape.lever_y) - 1
    summed, longest = tile.columns + shape.lever_x, max(shape.narrow, shape.wide)
    parts = -(-summed // _SEGMENT)
    size = -(-summed // parts)
    # Parts are summed whole, beyond the last sample too. An odd pitch puts the words of a column into different banks.
    pitch = (parts * size + longest) | 1
    return Layout(
        rows, tile.columns + max(shape.lever_x + shape.narrow, shape.wide) - 1, pitch, parts, size, rows * pitch
    )


def _limits() -> dict[str, int]:
    """Options of the kernel: registers of a thread, with which two blocks share a multiprocessor."""
    return {} if device.is_simulated() else {"max_registers": 128}


def choose_tile(shape: Shape) -> Tile:
    """The largest tile whose words fit the shared memory of a thread block.

    Raises
    ------
    ValueError
        If the window is too large for any.
    """
    for tile in _SIMULATED if device.is_simulated() else _TILES:
        threads = tile.columns * tile.groups
        if 4 * (3 * _layout(tile, shape).words + threads) <= _SHARED:
            return tile
    raise ValueError(
        f"window: found {shape.tall} x {shape.wide} pixels, expected at most about 45 x 45 on a GPU, whose thread "
        "blocks have little memory; set resources.device: cpu, or give arrays of the host"
    )


@lru_cache
def tile_kernel(kind: int, shape: Shape) -> tuple[Any, Tile]:
    """The kernel for an estimator and its blocks, and the tile it works in; it is compiled when first called.

    Launch with a grid of (tiles along x, tiles along y) and ``columns * groups`` threads. Its arguments: phase int16
    and coherence uint8 (pair, y * x) of the input; ``order`` of the pairs int32, ``span`` float32 in that order;
    ``place``; the running sums float32, SUMS x ``each`` x threads numbers of each tile; those of pairs with holes,
    HOLE_SUMS x ``each`` x threads; how many pairs count, int32 ``each`` x threads; and products at the points of the
    grid float32 (pair, SAMPLED x points). Distances between a thread's numbers are constants that way.

    ``place`` int32: the input pixel (y, x) at which the first window begins, rows and columns of the input and of the
    region, the first point of the grid in the region (y, x), and points (y, x), which are `grid_step` pixels apart.
    """
    tile = choose_tile(shape)
    tall, narrow, short, wide, lever_y, lever_x = (int(size) for size in shape[:6])
    layout = _layout(tile, shape)
    in_rows, in_columns, pitch, parts, part, area = layout
    columns, each, groups = tile
    threads, rows, lanes = columns * groups, each * groups, min(32, columns)
    step, empty = float(shape.step), bias(float(shape.step)) * 65537
    offset = bias(float(shape.step))
    tall_less, short_less = tall * narrow * offset, short * wide * offset
    registers, lead_y, lead_x = SUMS * each, (tall - 1) // 2, (wide - 1) // 2
    step_y, step_x = grid_step((tall, wide))
    points_x = -(-columns // step_x)
    turns = -(-points_x * -(-rows // step_y) // threads)
    coherent, differences = kind == COHERENT, kind == DIFFERENCES
    below, last_tall, last_short = lever_y * pitch, (tall - 1) * pitch, (short - 1) * pitch
    cover, count = cover_function(shape, each), count_function(shape, each, pitch)
    shift = shift_function(shape, each, threads, pitch)

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
    def add_counts(counts, hole_sums, shares, covered, valid, corner, y, x, own_counts, own_holes):  # type: ignore[no-untyped-def]
        """Count a pair with holes; where it does not count, the pixel's own coherence is lost."""
        own = np.int32(x + lead_x)
        for k in range(each):
            own_row = np.int32(y + k + lead_y)
            if (valid >> k) & 1:
                counts[own_counts + np.uint64(k * threads)] += np.int32(1)
            elif (covered >> k) & 1 and own_row >= 0 and own_row < corner[2] and own >= 0 and own < corner[3]:
                share = np.float32(shares[np.uint32(own_row * corner[3] + own)])
                hole_sums[own_holes + np.uint64((LOST * each + k) * threads)] += share

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

    @cuda.jit(**_limits())
    def accumulate(phase, coherence, order, span, place, sums, hole_sums, counts, samples):  # type: ignore[no-untyped-def]
        words = cuda.shared.array(area, np.uint32)
        narrow_sums = cuda.shared.array(area, np.uint32)
        wide_sums = cuda.shared.array(area, np.uint32)
        bits = cuda.shared.array(threads, np.int32)
        totals = cuda.local.array(registers, np.float32)
        c, group = np.uint32(cuda.threadIdx.x % columns), np.uint32(cuda.threadIdx.x // columns)
        base = np.uint64(group * np.uint32(each * pitch) + c)
        i, j = np.int32(cuda.blockIdx.y * rows + group * each), np.int32(cuda.blockIdx.x * columns + c)
        height, width = place[2], place[3]
        y, x = np.int32(place[0] + i), np.int32(place[1] + j)
        number = np.uint64(np.uint32(cuda.blockIdx.y * cuda.gridDim.x + cuda.blockIdx.x))
        own_counts = number * np.uint64(each * threads) + np.uint64(cuda.threadIdx.x)
        own_sums = number * np.uint64(SUMS * each * threads) + np.uint64(cuda.threadIdx.x)
        own_holes = number * np.uint64(HOLE_SUMS * each * threads) + np.uint64(cuda.threadIdx.x)
        corner = (
            np.int32(place[0] + np.int32(cuda.blockIdx.y * rows)),
            np.int32(place[1] + np.int32(cuda.blockIdx.x * columns)),
            height,
            width,
        )
        covered = cover(y, x, height, width, np.int32(place[4] - i if j < place[5] else 0))
        without_holes = np.int32(0)
        top, left = np.int32(cuda.blockIdx.y * rows), np.int32(cuda.blockIdx.x * columns)
        first_y = np.int32((top - place[6] + np.int32(step_y - 1)) // np.int32(step_y))
        first_x = np.int32((left - place[7] + np.int32(step_x - 1)) // np.int32(step_x))
        grid = (
            np.int32(place[6] + first_y * np.int32(step_y) - top),
            np.int32(place[7] + first_x * np.int32(step_x) - left),
            np.int32(min(np.int32(rows), np.int32(place[4] - top))),
            np.int32(min(np.int32(columns), np.int32(place[5] - left))),
            np.int32(first_y * place[9] + first_x),
            np.int32(place[9]),
        )
        for k in range(registers):
            totals[k] = sums[own_sums + np.uint64(k * threads)]
        for n in range(order.size):
            angles, shares, years = phase[order[n]], coherence[order[n]], span[n]
            holes = cuda.syncthreads_or(load(words, angles, shares, False, corner))
            valid, whole, some = covered, covered, 1
            if holes:
                load(words, angles, shares, True, corner)
                cuda.syncthreads()
                sum_along(words, narrow_sums, wide_sums)
                cuda.syncthreads()
                valid, whole = count(narrow_sums, wide_sums, base, y, x, height, width)
                valid, whole = np.int32(valid & covered), np.int32(whole & valid & covered)
                add_counts(counts, hole_sums, shares, covered, valid, corner, y, x, own_counts, own_holes)
                some = cuda.syncthreads_or(valid)
                load(words, angles, shares, False, corner)
                cuda.syncthreads()
            else:
                without_holes = np.int32(without_holes + 1)
            bits[cuda.threadIdx.x] = valid
            sum_along(words, narrow_sums, wide_sums)
            cuda.syncthreads()
            here = block(narrow_sums, base, tall - 1, tall_less)
            after = block(narrow_sums, base + np.uint64(lever_x), tall - 1, tall_less)
            above = block(wide_sums, base, short - 1, short_less)
            under = block(wide_sums, base + np.uint64(below), short - 1, short_less)
            for k in range(each):
                at = base + np.uint64(k * pitch)
                here = enter(here, narrow_sums, at + np.uint64(last_tall))
                after = enter(after, narrow_sums, at + np.uint64(last_tall + lever_x))
                above = enter(above, wide_sums, at + np.uint64(last_short))
                under = enter(under, wide_sums, at + np.uint64(last_short + below))
                x_real, x_imag = product(after, here)
                y_real, y_imag = product(under, above)
                x_size, y_size = np.float32(1.0), np.float32(0.0)
                if not differences:
                    x_size, y_size = length(x_real, x_imag), length(y_real, y_imag)
                # Times 0 or 1 instead of a branch, over which all rows' products would have to be kept.
                counts_here = np.float32((valid >> k) & 1)
                size = np.float32(x_size + y_size)
                kept = np.float32(size * counts_here)
                totals[k] += x_real * counts_here
                totals[each + k] += x_imag * counts_here
                totals[2 * each + k] += y_real * counts_here
                totals[3 * each + k] += y_imag * counts_here
                totals[4 * each + k] += x_size * counts_here
                totals[5 * each + k] += y_size * counts_here
                totals[6 * each + k] += size * kept
                totals[7 * each + k] += kept * years
                here = leave(here, narrow_sums, at)
                after = leave(after, narrow_sums, at + np.uint64(lever_x))
                above = leave(above, wide_sums, at)
                under = leave(under, wide_sums, at + np.uint64(below))
            sample(narrow_sums, wide_sums, bits, grid, samples[n])
            if coherent and holes and some:
                partial = np.int32(valid & ~whole)
                keep_sizes(narrow_sums, wide_sums, base, partial, hole_sums, own_holes)
                load(words, angles, shares, True, corner)
                cuda.syncthreads()
                weigh_along(words, narrow_sums, wide_sums, narrow)
                cuda.syncthreads()
                shift(0, narrow_sums, wide_sums, base, partial, hole_sums, own_holes)
                cuda.syncthreads()
                weigh_along(words, narrow_sums, wide_sums, wide)
                cuda.syncthreads()
                shift(1, narrow_sums, wide_sums, base, partial, hole_sums, own_holes)
        for k in range(each):
            if (covered >> k) & 1:
                counts[own_counts + np.uint64(k * threads)] += without_holes
        for k in range(registers):
            sums[own_sums + np.uint64(k * threads)] = totals[k]

    return accumulate, tile
