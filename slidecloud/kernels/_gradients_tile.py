"""Adding pairs up over a tile: window sums, products and running sums row by row, while the rows are in the cache.

A tile's accumulators stay in the second-level cache while all pairs go by; what one row needs stays in the first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_distance import add_deviations, moment_row, move_moments
from slidecloud.kernels._gradients_layout import COHERENT, DIFFERENCES, OVERLAP
from slidecloud.kernels._gradients_moments import add_adjacent, add_moments, gather
from slidecloud.kernels._gradients_products import (
    add_blocks,
    add_lost,
    add_products,
    add_row,
    add_shared,
    add_whole,
    find_sizes,
    keep_valid,
    multiply_conjugate,
    subtract_shared,
    to_angle,
)
from slidecloud.kernels._gradients_windows import (
    add_missing,
    add_weights,
    borrow,
    clear_rows,
    copy_row,
    fetch,
    fill_row,
    has_holes,
    load_row,
    move_down,
    move_down_scaled,
    square_row,
    sum_along,
)
from slidecloud.kernels._lanes import WIDTH, choose, splat
from slidecloud.kernels._lanes_memory import put, take


@njit(nogil=True, cache=True)
def _find_valid(valid, x_sums, here, following, shape, width):  # type: ignore[no-untyped-def]
    """1 where each of the four blocks has a quarter of its pixels, else 0."""
    start, lever = 2 * width, shape.lever_x
    none, one = splat(np.float32(0)), splat(np.float32(1))
    tall = splat(np.float32(0.25 * shape.tall * shape.narrow) * shape.unit)
    short = splat(np.float32(0.25 * shape.short * shape.wide) * shape.unit)
    for j in range(0, width, WIDTH):
        first, second = take(x_sums, start + j), take(x_sums, start + lever + j)
        above, below = take(here, start + j), take(following, start + j)
        enough = (first >= tall) & (second >= tall) & (above >= short) & (below >= short)
        put(valid, j, choose(enough, one, none))


@njit(nogil=True, cache=True)
def _find_whole(whole, x_sums, here, following, cover, i, shape, width):  # type: ignore[no-untyped-def]
    """1 where no pixel of the four blocks that the input covers is without data, else 0."""
    start, lever = 2 * width, shape.lever_x
    none, one = splat(np.float32(0)), splat(np.float32(1))
    tall, short, below = splat(cover.tall[i]), splat(cover.short[i]), splat(cover.short[i + shape.lever_y])
    for j in range(0, width, WIDTH):
        first, second, wide = take(cover.narrow, j), take(cover.narrow, lever + j), take(cover.wide, j)
        all_x = (take(x_sums, start + j) == first * tall) & (take(x_sums, start + lever + j) == second * tall)
        all_y = (take(here, start + j) == wide * short) & (take(following, start + j) == wide * below)
        put(whole, j, choose(all_x & all_y, one, none))


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
def accumulate_tile(phase, coherence, order, span, member, steps, kind, shape, place, cover, work, sums):  # type: ignore[no-untyped-def]
    """Add all pairs to the accumulators of a tile; returns how many of them have no holes in it.

    Products are summed by class, ``member`` of each pair. Those at the points of the grid go into the rows of
    ``work.sampled`` in turn, and when these are full their moments are summed; without ``steps`` they stay there.
    """
    height, width = sums.weight.shape
    halo = shape.short + shape.lever_y - 1
    r0, r1 = max(0, -place.top), min(height, phase.shape[1] - place.top)
    c0, c1 = max(0, -place.left), min(width, phase.shape[2] - place.left)
    left, right = place.left + c0, place.left + c1
    depth, short_depth, turns = work.tall_rows.shape[0], work.short_rows.shape[0], work.y_sums.shape[0]
    row, long_row, columns = borrow(work.row), borrow(work.long_row), borrow(work.columns)
    tall_rows, short_rows = borrow(work.tall_rows), borrow(work.short_rows)
    tall_long_rows, short_long_rows = borrow(work.tall_long), borrow(work.short_long)
    x_sums, y_sums = borrow(work.x_sums), borrow(work.y_sums)
    tall_long, y_long = borrow(work.tall_long_sums), borrow(work.y_long)
    products, sizes, own_valid, whole = (
        borrow(work.products),
        borrow(work.sizes),
        borrow(work.valid),
        borrow(work.whole),
    )
    all_sampled, as_reference, as_secondary = borrow(work.sampled), borrow(work.as_reference), borrow(work.as_secondary)
    total, sizes_sum, square, spans = borrow(sums.total), borrow(sums.sizes), borrow(sums.square), borrow(sums.span)
    extra, count, lost = borrow(sums.extra), borrow(sums.count), borrow(sums.lost)
    deviation, partial = borrow(sums.deviation), borrow(sums.partial)
    weight, missing, points = borrow(sums.weight), borrow(sums.missing), borrow(sums.points)
    point_square, adjacent, covered = borrow(sums.point_square), borrow(sums.adjacent), borrow(cover.valid)
    all_phase, all_coherence = borrow(phase), borrow(coherence)
    without_holes = 0
    for n in range(order.size):
        angles, shares = all_phase[order[n]], all_coherence[order[n]]
        class_total, sampled = total[member[n]], all_sampled[n % all_sampled.shape[0]]
        if n == 0 or member[n] != member[n - 1]:
            clear_rows(class_total)
        soon = order[min(n + 1, order.size - 1)]
        following_angles, following_shares = all_phase[soon], all_coherence[soon]
        holes = kind == OVERLAP or has_holes(shares, place.top + r0, place.top + r1, left, right)
        without_holes += 0 if holes else 1
        size = (4 if kind == OVERLAP else 3 if holes else 2) * width
        long = 0 if not holes or kind == DIFFERENCES else width if kind == OVERLAP else 2 * width
        fill_row(row, 0)
        clear_rows(tall_rows)
        clear_rows(short_rows)
        fill_row(x_sums, 0)
        clear_rows(y_sums)
        if long > 0:
            fill_row(long_row, 0)
            clear_rows(tall_long_rows)
            clear_rows(short_long_rows)
            fill_row(tall_long, 0)
            clear_rows(y_long)
        for r in range(height):
            slot, before, gone = r % depth, (r - shape.delay) % depth, (r - shape.delay - shape.tall) % depth
            short_slot, short_gone = r % short_depth, (r - shape.short) % short_depth
            if r0 <= r < r1:
                fetch(following_angles, place.top + r, place.top + r + 1, left, right)
                fetch(following_shares, place.top + r, place.top + r + 1, left, right)
                share = shares[place.top + r, left:right]
                load_row(row, angles[place.top + r, left:right], share, c0, width, size // width, shape)
                add_weights(weight[r, c0:c1], share)
                sum_along(tall_rows[slot], short_rows[short_slot], row, shape.narrow, shape.wide, size)
                if long > 0:
                    if kind == COHERENT:
                        add_missing(missing[r, c0:c1], share)
                        copy_row(long_row[c0:c1], share)
                        moment_row(long_row, columns, width)
                    else:
                        square_row(long_row[c0:c1], share)
                    few = shape.narrow if kind == COHERENT else shape.narrow - 1
                    sum_along(tall_long_rows[slot], short_long_rows[short_slot], long_row, few, shape.wide, long)
            else:
                fill_row(tall_rows[slot], 0)
                fill_row(short_rows[short_slot], 0)
                fill_row(tall_long_rows[slot], 0)
                fill_row(short_long_rows[short_slot], 0)
            q, i = r - shape.short + 1, r - halo
            move_down_scaled(x_sums, x_sums, tall_rows[before], tall_rows[gone], shape.unit, size)
            above, leaving = y_sums[(q - 1) % turns], short_rows[short_gone]
            move_down_scaled(y_sums[q % turns], above, short_rows[short_slot], leaving, shape.unit, size)
            if long > 0:
                entering_tall, leaving_tall = tall_long_rows[before], tall_long_rows[gone]
                above_long, leaving_long, last = y_long[(q - 1) % turns], short_long_rows[short_gone], y_long[q % turns]
                if kind == COHERENT:
                    move_moments(tall_long, tall_long, entering_tall, leaving_tall, r, shape.tall, width)
                    move_moments(last, above_long, short_long_rows[short_slot], leaving_long, r, shape.short, width)
                else:
                    # The pixels that two windows share along y are one row fewer, and end with the first window.
                    ends = (r - 1) % short_depth
                    move_down(tall_long, tall_long, entering_tall, leaving_tall, width)
                    move_down(last, above_long, short_long_rows[ends], leaving_long, width)
            full = place.first_row <= i < place.last_row
            on_grid = i >= place.grid_row and (i - place.grid_row) % place.step_y == 0
            if i < 0 or not (full or on_grid):
                continue
            here, following = y_sums[i % turns], y_sums[(i + shape.lever_y) % turns]
            valid = covered[i]
            if holes:
                valid = own_valid
                _find_valid(valid, x_sums, here, following, shape, width)
            beyond, years = x_sums[shape.lever_x :], np.float32(span[n])
            if kind == COHERENT and not (holes or on_grid):
                add_blocks(
                    class_total[i], sizes_sum[i], square[i], spans[i], x_sums, beyond, here, following, valid, years,
                    width,
                )  # fmt: skip
                continue
            multiply_conjugate(products[: 2 * width], beyond, x_sums, width)
            multiply_conjugate(products[2 * width :], following, here, width)
            if kind == OVERLAP:
                shared_y = y_long[q % turns]
                _remove_shared(
                    products, extra[i], tall_long[1:], shared_y, x_sums, here, following, valid, shape, width
                )
            elif kind == DIFFERENCES:
                to_angle(products[:width], products[width : 2 * width])
                to_angle(products[2 * width : 3 * width], products[3 * width : 4 * width])
            if holes or not cover.everywhere:
                keep_valid(products, valid, width)
            find_sizes(sizes, products, kind == DIFFERENCES, width)
            if full:
                add_products(class_total[i], sizes_sum[i], square[i], spans[i], products, sizes, years, width)
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
                    kept = deviation[i], partial[i], sizes, whole
                    aside, below = tall_long[shape.lever_x :], y_long[(i + shape.lever_y) % turns]
                    add_deviations(*kept, tall_long, aside, np.float32(shape.lever_x), 0, columns, i, width)
                    add_deviations(*kept, y_long[i % turns], below, np.float32(shape.lever_y), 1, columns, i, width)
            if on_grid:
                number = (i - place.grid_row) // place.step_y
                gather(sampled, number * place.grid_columns, products, sizes, point_square, place, width)
                if kind == COHERENT:
                    line, beside = adjacent[number], y_sums[(i + shape.short) % turns]
                    add_adjacent(line[: 2 * width], x_sums, x_sums[shape.narrow :], valid, width)
                    add_adjacent(line[2 * width :], here, beside, valid, width)
        kept = n % all_sampled.shape[0] + 1
        if steps.shape[0] > 0 and (kept == all_sampled.shape[0] or n == order.size - 1):
            recent = steps[n + 1 - kept : n + 1]
            add_moments(all_sampled, recent, as_reference, as_secondary, points)
    return without_holes
