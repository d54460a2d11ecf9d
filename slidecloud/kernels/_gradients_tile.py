"""Adding pairs up over a tile: window sums, products and running sums row by row, while the rows are in the cache.

A tile's accumulators stay in the second-level cache while all pairs go by; what one row needs stays in the first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_distance import add_deviation, moment_row, partial_sizes, shifts
from slidecloud.kernels._gradients_layout import COHERENT, DIFFERENCES, OVERLAP
from slidecloud.kernels._gradients_moments import add_adjacent, add_moments, gather
from slidecloud.kernels._gradients_products import (
    add_lost,
    add_row,
    add_scaled,
    add_shared,
    add_square,
    add_whole,
    find_sizes,
    keep_valid,
    multiply_conjugate,
    require,
    require_whole,
    subtract_shared,
    to_angle,
)
from slidecloud.kernels._gradients_windows import (
    add_missing,
    add_weights,
    borrow,
    clear_rows,
    copy_row,
    double_along,
    fill_row,
    has_holes,
    load_row,
    move_down,
    square_row,
    sum_along,
    to_float,
)


@njit(nogil=True, cache=True)
def _find_valid(valid, x_sums, here, following, shape, width):  # type: ignore[no-untyped-def]
    """1 where each of the four blocks has a quarter of its pixels, else 0."""
    fill_row(valid, np.float32(1.0))
    start, stop = 2 * width, 3 * width
    least = np.float32(0.25 * shape.tall * shape.narrow) * shape.unit
    require(valid, x_sums[start:stop], least)
    require(valid, x_sums[start + shape.lever_x : stop + shape.lever_x], least)
    least = np.float32(0.25 * shape.short * shape.wide) * shape.unit
    require(valid, here[start:stop], least)
    require(valid, following[start:stop], least)


@njit(nogil=True, cache=True)
def _find_whole(whole, x_sums, here, following, cover, i, shape, width):  # type: ignore[no-untyped-def]
    """1 where no pixel of the four blocks that the input covers is without data, else 0."""
    fill_row(whole, np.float32(1.0))
    start, stop, lever = 2 * width, 3 * width, shape.lever_x
    require_whole(whole, x_sums[start:stop], cover.narrow[:width], cover.tall[i])
    require_whole(whole, x_sums[start + lever : stop + lever], cover.narrow[lever : lever + width], cover.tall[i])
    require_whole(whole, here[start:stop], cover.wide[:width], cover.short[i])
    require_whole(whole, following[start:stop], cover.wide[:width], cover.short[i + shape.lever_y])


@njit(nogil=True, cache=True)
def _add_deviations(deviation, partial, sizes, whole, shift, parts, shape, width):  # type: ignore[no-untyped-def]
    """Distances of a pair with holes less the nominal ones, weighted by the size of its products."""
    along_x, along_y = parts[:width], parts[width : 2 * width]
    partial_sizes(along_x, sizes[:width], whole)
    partial_sizes(along_y, sizes[width : 2 * width], whole)
    add_row(partial, parts)
    none = np.float32(0.0)
    add_deviation(deviation[:width], along_x, shift[:width], np.float32(shape.lever_x))
    add_deviation(deviation[width : 2 * width], along_x, shift[width : 2 * width], none)
    add_deviation(deviation[2 * width : 3 * width], along_y, shift[2 * width : 3 * width], none)
    add_deviation(deviation[3 * width : 4 * width], along_y, shift[3 * width : 4 * width], np.float32(shape.lever_y))


@njit(nogil=True, cache=True)
def _remove_shared(products, extra, shared_x, shared_y, x_sums, here, following, valid, shape, width):  # type: ignore[no-untyped-def]
    """Products of full windows without the pixels they share; ``extra`` sums, per axis, the shared and all weights."""
    subtract_shared(products[:width], shared_x[:width])
    subtract_shared(products[2 * width : 3 * width], shared_y[:width])
    start, stop = 3 * width, 4 * width
    unit = (shape.unit * shape.unit) / np.float32(1 << 2 * shape.weight_shift)
    add_shared(extra[:width], shared_x[:width], valid, unit)
    add_whole(extra[width : 2 * width], x_sums[start + 1 : stop + 1], x_sums[start:stop], valid)
    add_shared(extra[2 * width : 3 * width], shared_y[:width], valid, unit)
    add_whole(extra[3 * width : 4 * width], following[start:stop], here[start:stop], valid)


@njit(nogil=True, cache=True)
def _add_full(total, sizes_sum, square, spans, products, sizes, years, width):  # type: ignore[no-untyped-def]
    along_x, along_y = sizes[:width], sizes[width : 2 * width]
    add_row(total, products)
    add_row(sizes_sum, sizes)
    add_square(square, along_x, along_y)
    add_scaled(spans, along_x, along_y, years)


@njit(nogil=True, cache=True)
def accumulate_tile(phase, coherence, order, span, steps, kind, shape, place, cover, work, sums):  # type: ignore[no-untyped-def]
    """Add all pairs to the accumulators of a tile; returns how many of them have no holes in it."""
    height, width = sums.weight.shape
    halo = shape.short + shape.lever_y - 1
    r0, r1 = max(0, -place.top), min(height, phase.shape[1] - place.top)
    c0, c1 = max(0, -place.left), min(width, phase.shape[2] - place.left)
    left, right = place.left + c0, place.left + c1
    depth, turns = work.tall_rows.shape[0], work.y_sums.shape[0]
    powers, long_powers = borrow(work.powers), borrow(work.long_powers)
    tall_rows, short_rows, tall_long_rows, short_long_rows = (
        borrow(work.tall_rows),
        borrow(work.short_rows),
        borrow(work.tall_long),
        borrow(work.short_long),
    )
    tall_sums, short_sums = borrow(work.column_sums[0]), borrow(work.column_sums[1])
    tall_long, short_long, y_long = borrow(work.column_sums[2]), borrow(work.column_sums[3]), borrow(work.y_long)
    x_sums, y_sums = borrow(work.x_sums), borrow(work.y_sums)
    products, sizes, shift, parts = borrow(work.products), borrow(work.sizes), borrow(work.shift), borrow(work.parts)
    own_valid, whole = borrow(work.valid), borrow(work.whole)
    sampled, as_reference, as_secondary = borrow(work.sampled), borrow(work.as_reference), borrow(work.as_secondary)
    total, sizes_sum, square, spans, extra = (
        borrow(sums.total),
        borrow(sums.sizes),
        borrow(sums.square),
        borrow(sums.span),
        borrow(sums.extra),
    )
    count, lost, deviation, partial = (
        borrow(sums.count),
        borrow(sums.lost),
        borrow(sums.deviation),
        borrow(sums.partial),
    )
    weight, missing, points = borrow(sums.weight), borrow(sums.missing), borrow(sums.points)
    point_square, adjacent, covered = borrow(sums.point_square), borrow(sums.adjacent), borrow(cover.valid)
    all_phase, all_coherence = borrow(phase), borrow(coherence)
    shared_less = 1 if kind == OVERLAP else 0
    without_holes = 0
    for n in range(order.size):
        angles, shares = all_phase[order[n]], all_coherence[order[n]]
        holes = kind == OVERLAP or has_holes(shares, place.top + r0, place.top + r1, left, right)
        without_holes += 0 if holes else 1
        size = (4 if kind == OVERLAP else 3 if holes else 2) * width
        long = 0 if not holes or kind == DIFFERENCES else width if kind == OVERLAP else 3 * width
        fill_row(powers[0], 0)
        clear_rows(work.column_sums)
        clear_rows(tall_rows)
        clear_rows(short_rows)
        if long > 0:
            fill_row(long_powers[0], 0)
            clear_rows(tall_long_rows)
            clear_rows(short_long_rows)
        for r in range(height):
            slot, before, gone = r % depth, (r - shape.delay) % depth, (r - shape.delay - shape.tall) % depth
            if r0 <= r < r1:
                share = shares[place.top + r, left:right]
                load_row(powers[0], angles[place.top + r, left:right], share, c0, width, size // width, shape)
                add_weights(weight[r, c0:c1], share)
                double_along(powers, max(shape.narrow, shape.wide), size)
                sum_along(tall_rows[slot, :size], powers, shape.narrow)
                sum_along(short_rows[slot, :size], powers, shape.wide)
                if long > 0:
                    if kind == COHERENT:
                        add_missing(missing[r, c0:c1], share)
                        copy_row(long_powers[0, c0:c1], share)
                        moment_row(long_powers[0], width, r)
                    else:
                        square_row(long_powers[0, c0:c1], share)
                    double_along(long_powers, max(shape.narrow, shape.wide), long)
                    sum_along(tall_long_rows[slot, :long], long_powers, shape.narrow - shared_less)
                    sum_along(short_long_rows[slot, :long], long_powers, shape.wide)
            else:
                fill_row(tall_rows[slot], 0)
                fill_row(short_rows[slot], 0)
                fill_row(tall_long_rows[slot], 0)
                fill_row(short_long_rows[slot], 0)
            move_down(tall_sums[:size], tall_rows[before, :size], tall_rows[gone, :size])
            move_down(short_sums[:size], short_rows[slot, :size], short_rows[(r - shape.short) % depth, :size])
            if long > 0:
                # The pixels that two windows share along y are one row fewer, and end with the first window.
                ends = (r - shared_less) % depth
                move_down(tall_long[:long], tall_long_rows[before, :long], tall_long_rows[gone, :long])
                leaving = short_long_rows[(r - shape.short) % depth, :long]
                move_down(short_long[:long], short_long_rows[ends, :long], leaving)
            q, i = r - shape.short + 1, r - halo
            if q >= 0:
                to_float(y_sums[q % turns, :size], short_sums[:size], shape.unit)
                if long > 0 and kind == COHERENT:
                    copy_row(y_long[q % turns, :long], short_long[:long])
            full = place.first_row <= i < place.last_row
            on_grid = i >= place.grid_row and (i - place.grid_row) % place.step_y == 0
            if i < 0 or not (full or on_grid):
                continue
            to_float(x_sums[:size], tall_sums[:size], shape.unit)
            here, following = y_sums[i % turns], y_sums[(i + shape.lever_y) % turns]
            valid = covered[i]
            if holes:
                valid = own_valid
                _find_valid(valid, x_sums, here, following, shape, width)
            multiply_conjugate(products[: 2 * width], x_sums[shape.lever_x :], x_sums, width)
            multiply_conjugate(products[2 * width :], following, here, width)
            if kind == OVERLAP:
                _remove_shared(
                    products, extra[i], tall_long[1:], short_long, x_sums, here, following, valid, shape, width
                )
            elif kind == DIFFERENCES:
                to_angle(products[:width], products[width : 2 * width])
                to_angle(products[2 * width : 3 * width], products[3 * width : 4 * width])
            if holes or not cover.everywhere:
                for part in range(4):
                    keep_valid(products[part * width : (part + 1) * width], valid)
            find_sizes(sizes, products, kind == DIFFERENCES, width)
            if full:
                years = np.float32(span[n])
                _add_full(total[i], sizes_sum[i], square[i], spans[i], products, sizes, years, width)
            if full and holes:
                start, stop = place.first_column, place.last_column
                own = shares[place.top + place.lead_y + i]
                shifted = place.left + place.lead_x
                add_row(count[i], valid)
                add_lost(
                    lost[i, start:stop], own[shifted + start : shifted + stop], covered[i, start:stop],
                    valid[start:stop],
                )  # fmt: skip
                if kind == COHERENT:
                    _find_whole(whole, x_sums, here, following, cover, i, shape, width)
                    shifts(shift[: 2 * width], tall_long, tall_long[shape.lever_x :], width, i)
                    shifts(shift[2 * width :], y_long[i % turns], y_long[(i + shape.lever_y) % turns], width, i)
                    _add_deviations(deviation[i], partial[i], sizes, whole, shift, parts, shape, width)
            if on_grid:
                first = (i - place.grid_row) // place.step_y * place.grid_columns
                gather(sampled, first, products, sizes, point_square, place, width)
                if kind == COHERENT:
                    beside = y_sums[(i + shape.short) % turns]
                    add_adjacent(adjacent, first, x_sums, here, beside, valid, shape.narrow, place, width)
        add_moments(sampled, steps[n], as_reference, as_secondary, points)
    return without_holes
