"""The maps of a bin's sums on the GPU, one pixel a thread: distances of blocks, variances between points, and flags.

The twins of `_gradients_distance.mean_distances` and `combine_distances`, of `_gradients_variance.spread_variances`,
and of what `_gradients_region.Region` makes of a tile.
"""

from __future__ import annotations

import numpy as np
from numba import cuda

from slidecloud.kernels._gradients_cuda_holes import HOLE_SUMS, LOST, shift_of
from slidecloud.kernels._gradients_cuda_tile import SUMS
from slidecloud.kernels._gradients_finish import UNEVEN, UNEVEN_SHIFT
from slidecloud.kernels._gradients_layout import DIFFERENCES

MAPS = 14
"""Fields of ``GradientSums`` before count and flags, in their order."""


@cuda.jit
def add_weights(coherence, weight, missing):  # type: ignore[no-untyped-def]
    """Add up coherences (pair, pixel) and pixels without data over pairs, int32 (pixel,)."""
    p = np.uint32(cuda.grid(1))
    if p >= weight.size:
        return
    total, holes = np.int32(0), np.int32(0)
    for n in range(coherence.shape[0]):
        share = np.int32(coherence[n, p])
        total = np.int32(total + share)
        holes = np.int32(holes + np.int32(share == 0))
    weight[p] += total
    missing[p] += holes


@cuda.jit(device=True)
def _mean_weight(weight, missing, at, pairs, scale):  # type: ignore[no-untyped-def]
    number = np.float64(max(np.int32(pairs - missing[at]), np.int32(1)))
    return np.int32(np.float64(weight[at]) * scale / number)


@cuda.jit
def weigh_rows(weight, missing, pairs, scale, left, sizes, width, out):  # type: ignore[no-untyped-def]
    """Sums of mean weights along rows, and moments: int32 (mass and moment of x blocks, of y blocks; y, x).

    The first sum begins at column ``left`` of the input, which is ``width`` wide; ``sizes`` are the columns of x and of
    y blocks.
    """
    j, y = np.int32(cuda.grid(2)[0]), np.int32(cuda.grid(2)[1])
    if j >= out.shape[2] or y >= out.shape[1]:
        return
    for axis in range(2):
        mass, moment = np.int32(0), np.int32(0)
        for k in range(sizes[axis]):
            x = np.int32(left + j + k)
            if x >= 0 and x < width:
                value = _mean_weight(weight, missing, np.uint32(y * width + x), pairs, scale)
                mass = np.int32(mass + value)
                moment = np.int32(moment + np.int32(k) * value)
        out[np.uint32(2 * axis), np.uint32(y), np.uint32(j)] = mass
        out[np.uint32(2 * axis + 1), np.uint32(y), np.uint32(j)] = moment


@cuda.jit(device=True)
def _weigh_block(rows, first, y, j, number):  # type: ignore[no-untyped-def]
    """Mass of a block and its moments, from the sums along rows; ``y`` is its first row, maybe outside the input."""
    mass, along_x, along_y = np.int32(0), np.int32(0), np.int32(0)
    for k in range(max(0, -y), min(number, rows.shape[1] - y)):
        value = rows[first, np.uint32(y + k), np.uint32(j)]
        mass = np.int32(mass + value)
        along_x = np.int32(along_x + rows[first + 1, np.uint32(y + k), np.uint32(j)])
        along_y = np.int32(along_y + np.int32(k) * value)
    return mass, along_x, along_y


@cuda.jit(device=True)
def _combine(shift, nominal, deviation, size, partial):  # type: ignore[no-untyped-def]
    """Mean distance over pairs with whole blocks, at the distance of the mean weights, and with holes, at their own."""
    whole = np.float32((size - partial) * np.float32(shift - nominal))
    return np.float32(nominal + np.float32(deviation + whole) / size)


@cuda.jit(device=True)
def _find_distances(rows, shape, y, j, size, holes, out, i_out, j_out):  # type: ignore[no-untyped-def]
    """Put the four distances of a pixel into channels 10 to 13, and say whether they are uneven."""
    uneven = False
    lever_y, lever_x = shape[4], shape[5]
    for axis in range(2):
        number = shape[0] if axis == 0 else shape[2]
        here = _weigh_block(rows, 2 * axis, y, j, number)
        down, right = axis * lever_y, (1 - axis) * lever_x
        following = _weigh_block(rows, 2 * axis, y + down, j + right, number)
        even_x, even_y = np.float32(right), np.float32(down)
        along_x, along_y = even_x, even_y
        if here[0] > 0 and following[0] > 0:
            along_x, along_y = shift_of(here, following, right, down)
        found_x, found_y = np.float32(0.0), np.float32(0.0)
        if size[axis] > np.float32(0.0):
            found_x = _combine(along_x, even_x, holes[2 * axis], size[axis], holes[4 + axis])
            found_y = _combine(along_y, even_y, holes[2 * axis + 1], size[axis], holes[4 + axis])
        out[10 + 2 * axis, i_out, j_out], out[11 + 2 * axis, i_out, j_out] = found_x, found_y
        most = np.float32(UNEVEN_SHIFT * (lever_x if axis == 0 else lever_y))
        if max(abs(found_x - even_x), abs(found_y - even_y)) > most:
            uneven = True
    return uneven


@cuda.jit(device=True)
def _spread(values, point_flags, axis, i, j, place, step):  # type: ignore[no-untyped-def]
    """Linear interpolation between the points around a pixel that have a value, and the flags of all of them."""
    row, above = np.int32((i - place[6]) // step[0]), np.int32((i - place[6]) % step[0])
    column, before = np.int32((j - place[7]) // step[1]), np.int32((j - place[7]) % step[1])
    total, weight, found = 0.0, 0.0, 0
    for p in range(row, row + 1 + (above > 0)):
        for q in range(column, column + 1 + (before > 0)):
            if p >= 0 and q >= 0 and p < place[8] and q < place[9]:
                down = above if p > row else step[0] - above
                right = before if q > column else step[1] - before
                at = np.uint32(p * place[9] + q)
                found |= point_flags[at]
                if values[axis, at] > 0.0:
                    total += np.float64(down * right) * values[axis, at]
                    weight += np.float64(down * right)
    return total / weight if weight > 0.0 else 0.0, found


@cuda.jit(device=True)
def _own_place(i, j, tile):  # type: ignore[no-untyped-def]
    """Where the numbers of a pixel of the region lie: (its tile, its first number there), threads, rows of a thread."""
    columns, each, groups, across = tile[0], tile[1], tile[2], tile[3]
    row, threads = np.int32(i % (each * groups)), np.int32(columns * groups)
    thread = np.int32(row // each * columns + j % columns)
    number = np.int64(i // (each * groups) * across + j // columns)
    return (number, np.int64(row % each * threads + thread)), threads, each


@cuda.jit
def make_maps(sums, hole_sums, counts, rows, weight, values, point_flags, kind, shape, place, step, tile, scale, inner, maps, count, flags):  # type: ignore[no-untyped-def]  # fmt: skip  # noqa: E501
    """Everything `GradientSums` holds of the pixels asked for: float32 (MAPS, y, x), int32 and uint8 (y, x).

    ``sums``, ``hole_sums`` and ``counts`` are those of `tile_kernel` on its region, in which ``inner`` is the row and
    the column at which the output begins; ``tile`` is its columns, rows of a thread, groups, and tiles along x.
    ``rows`` of `weigh_rows`, ``weight`` of `add_weights`, ``values`` and ``point_flags`` of `find_variances`, ``step``
    the pixels between points. ``shape`` are the six sizes of `Shape`, ``scale`` the factors of products.
    """
    j_out, i_out = cuda.grid(2)
    if i_out >= count.shape[0] or j_out >= count.shape[1]:
        return
    i, j = np.int32(i_out + inner[0]), np.int32(j_out + inner[1])
    own, threads, each = _own_place(i, j, tile)
    first, far = own[0] * np.int64(SUMS * each * threads) + own[1], np.int64(each * threads)
    holes_first = own[0] * np.int64(HOLE_SUMS * each * threads) + own[1]
    number = counts[own[0] * far + own[1]]
    count[i_out, j_out] = number
    for part in range(4):
        maps[part, i_out, j_out] = np.float32(sums[first + part * far] * scale[0]) * scale[1]
    x_size, y_size = sums[first + 4 * far], sums[first + 5 * far]
    maps[6, i_out, j_out] = np.float32(np.float32(x_size + y_size) * scale[0]) * scale[1]
    square = np.float32(np.float32(np.float32(sums[first + 6 * far] * scale[0]) * scale[0]) * scale[2])
    maps[7, i_out, j_out] = square
    maps[8, i_out, j_out] = np.float32(sums[first + 7 * far] * scale[0]) * scale[1]
    for part in range(4, 6):
        maps[part, i_out, j_out] = np.float32(0.0)
    for part in range(9, MAPS):
        maps[part, i_out, j_out] = np.float32(0.0)
    flag = 0
    if number > 0:
        y, x = np.int32(place[0] + i), np.int32(place[1] + j)
        own_y, own_x = np.int32(y + (shape[0] - 1) // 2), np.int32(x + (shape[3] - 1) // 2)
        kept = np.float32(np.float32(weight[np.uint32(own_y * place[3] + own_x)]) - hole_sums[holes_first + LOST * far])
        maps[9, i_out, j_out] = np.float32(kept / np.float32(255.0))
        for axis in range(2):
            value, found = _spread(values, point_flags, axis, i, j, place, step)
            maps[4 + axis, i_out, j_out] = np.float32(np.float64(square) * value)
            flag |= found
        if kind == DIFFERENCES:
            maps[10, i_out, j_out], maps[13, i_out, j_out] = np.float32(1.0), np.float32(1.0)
        else:
            holes = hole_sums[holes_first::far]
            if _find_distances(rows, shape, y, j, (x_size, y_size), holes, maps, i_out, j_out):
                flag |= UNEVEN
    flags[i_out, j_out] = np.uint8(flag)
