"""All that needs the pairs of a block of pixels, done while they are near: solution, sigmas, residuals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import WIDTH, choose, splat
from slidecloud.kernels._lanes_memory import scratch, store, table
from slidecloud.kernels._sbas_band import NJIT
from slidecloud.kernels._sbas_increments import ONE, PIVOT, ROOM, date_variance, eliminate, substitute
from slidecloud.kernels._sbas_quality import SUMS, sum_residuals
from slidecloud.kernels._sbas_robust import reweigh, robust_factor
from slidecloud.kernels._sbas_stage import LANES, ZERO, put, stage, stage_columns
from slidecloud.types import Float32


class Details(NamedTuple):
    """What a block yields besides its series: ``variance`` (date, pixel), ``information`` (date - 1, pixel), ``sums``
    (`SUMS`, pixel) and, of robust fits, ``factor`` (1, pixel), all float32."""

    variance: Float32
    information: Float32
    sums: Float32
    factor: Float32


@njit(**NJIT)
def solve_blocks(observed, start, stop, pairs, wide, steps, series, place, sound, details):  # type: ignore[no-untyped-def]
    """Series of the pixels ``start .. stop - 1`` that need no repair, and details of them unless that is None.

    Parameters
    ----------
    observed, pairs
        `Observations` and their `Arrivals`.
    wide
        `diagonals`: the longest pair in date steps, less one.
    steps
        Most steps of a robust fit; 0 for plain least squares.
    series
        (date, pixel) float32 rad, written from column ``place`` on: phase relative to date 0.
    sound
        (pixel,) bool, written from its start on: false where the smallest pivot is below 1e-4 of the mean diagonal,
        where other results hold nothing. The mean, which is at least half the median, costs no sort.
    details
        None or `Details`, written from column 0 on.

    Returns
    -------
    Whether a number was infinite or a weight negative.
    """
    dates, like = series.shape[0], np.empty(0, np.float32)
    value, w = table(pairs.order.size, LANES, like), table(pairs.order.size, LANES, like)
    fit, trial, fresh = table(dates, LANES, like), table(dates, LANES, like), table(dates, LANES, like)
    variance, information = table(dates, LANES, like), table(dates - 1, LANES, like)
    sums, factor, firm = table(SUMS, LANES, like), table(1, LANES, like), table(1, LANES, like)
    rank = table(1, LANES, like)
    rank[:] = dates - 1
    band, work = scratch((dates - 1) * (len(wide) + 2), like), scratch(ROOM, like)
    refused = False
    for begin in range(start, stop, LANES):
        lanes = min(LANES, stop - begin)
        refused |= stage(observed, pairs.order, begin, begin + lanes, value, w)
        for column in range(0, lanes, WIDTH):
            if details is None:
                smallest, mean, _ = eliminate(value, w, column, pairs, wide, None, band, work, None)
            else:
                smallest, mean, _ = eliminate(value, w, column, pairs, wide, None, band, work, information)
            good = smallest > splat(PIVOT) * mean
            substitute(wide, band, work, fit, column)
            if details is not None:
                date_variance(wide, band, work, variance, column)
            if steps > 0:
                good = good & reweigh(value, w, column, pairs, wide, steps, band, work, trial, fresh, fit)
            store(firm, 0, column, choose(good, splat(ONE), splat(ZERO)))
            if details is not None:
                sum_residuals(value, w, column, pairs, fit, sums)
                if steps > 0:
                    robust_factor(value, w, column, pairs, fit, rank, factor)
        to = begin - start
        put(fit, series, place + to, lanes)
        for j in range(lanes):
            sound[to + j] = firm[0, j] > ZERO
        if details is not None:
            put(variance, details.variance, to, lanes)
            put(information, details.information, to, lanes)
            put(sums, details.sums, to, lanes)
            put(factor, details.factor, to, lanes)
    return refused


@njit(**NJIT)
def measure_columns(observed, columns, pairs, robust, rank, series, places, sums, factor):  # type: ignore[no-untyped-def]
    """Residual sums, and s0^2 if robust, of the pixels ``columns``, whose series and results are at ``places``."""
    dates, like = series.shape[0], np.empty(0, np.float32)
    value, w = table(pairs.order.size, LANES, like), table(pairs.order.size, LANES, like)
    fit, found = table(dates, LANES, like), table(SUMS, LANES, like)
    known, scale = table(1, LANES, like), table(1, LANES, like)
    for begin in range(0, columns.size, LANES):
        chosen, where = columns[begin : begin + LANES], places[begin : begin + LANES]
        stage_columns(observed, pairs.order, chosen, value, w)
        fit[:] = ZERO
        known[:] = ZERO
        for j in range(where.size):
            fit[:, j] = series[:, where[j]]
            known[0, j] = rank[where[j]]
        for column in range(0, chosen.size, WIDTH):
            sum_residuals(value, w, column, pairs, fit, found)
            if robust:
                robust_factor(value, w, column, pairs, fit, known, scale)
        for j in range(where.size):
            sums[:, where[j]] = found[:, j]
            factor[0, where[j]] = scale[0, j]
