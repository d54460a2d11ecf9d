"""The careful way, in float64: subsets bridged by the smallest velocities, weak links, long pairs, robust fits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels._sbas_band import (
    NJIT,
    add,
    add_pair,
    clear,
    factor,
    fill,
    mean_diagonal,
    multiply,
    selected_variance,
    solve,
)
from slidecloud.kernels._sbas_increments import SMOOTHING
from slidecloud.kernels._sbas_robust import MOST_STEPS, SETTLED, STRETCH
from slidecloud.kernels._sbas_stage import stage_columns
from slidecloud.kernels._sbas_subsets import covered_fraction, label_subsets, step_information
from slidecloud.types import Float32

LANES, ROBUST_LANES = 64, 256
"""Robust lanes leave when they settle: the more begin together, the longer many go on together."""
RIDGE = 1e-8


class Careful(NamedTuple):
    """What `solve_exact` returns, for each of its columns.

    Attributes
    ----------
    refused
        Whether a number was infinite or a weight negative.
    series, variance
        (date, column) float32: rad relative to the first valid date, and network variance for pairs of variance
        1 / weight, relative to the first date of a date's subset. NaN at dates without a valid pair.
    information
        (date - 1, column) float32, ``M 1`` of the steps in the order of `order_dates`.
    label
        (date, column) int16, subsets 1..n by first date, 0 where a date has no valid pair.
    recovered
        (column,) float32, share of the time between first and last date that a pair covers.
    """

    refused: bool
    series: Float32
    variance: Float32
    information: Float32
    label: NDArray[np.int16]
    recovered: Float32


@njit(**NJIT)
def _subtract_model(value, series, reference, secondary, residual, lanes):  # type: ignore[no-untyped-def]
    for p in range(reference.size):
        first, last, seen, out = series[reference[p]], series[secondary[p]], value[p], residual[p]
        for j in range(lanes):
            out[j] = seen[j] - (last[j] - first[j])


@njit(**NJIT)
def _residuals(value, x, series, reference, secondary, residual, lanes):  # type: ignore[no-untyped-def]
    fill(series[0], 0, lanes)
    for k in range(x.shape[0]):
        for j in range(lanes):
            series[k + 1, j] = series[k, j] + x[k, j]
    _subtract_model(value, series, reference, secondary, residual, lanes)


@njit(**NJIT)
def _minimum_norm(value, w, reference, secondary, ratio, band, inverse, x, change, series, residual, lanes):  # type: ignore[no-untyped-def]
    """Weighted least squares in increments, of all solutions the one of least velocity, into ``x`` and ``residual``.

    A ridge ``1e-8 m ratio`` (m the mean diagonal, ratio the squared inverse interval) makes every pivot positive; one
    step of iterated Tikhonov on the residuals then removes its bias, which falls as the square of the ridge.
    """
    half = band.shape[0] - 1
    scratch = change[0]
    mean = np.empty(lanes)
    sound = np.empty(lanes, np.bool_)
    clear(band, lanes)
    for k in range(x.shape[0]):
        fill(x[k], 0, lanes)
    for p in range(reference.size):
        multiply(scratch, value[p], w[p], lanes)
        add_pair(band, x, w[p], scratch, reference[p], secondary[p], lanes)
    mean_diagonal(band, mean, scratch, lanes)
    for j in range(lanes):
        mean[j] = RIDGE * mean[j] if mean[j] > 0 else 1.0
    for k in range(x.shape[0]):
        for j in range(lanes):
            band[0, k, j] += mean[j] * ratio[k]
    fill(mean, 0, lanes)
    factor(band, half, inverse, mean, sound, scratch, lanes)
    solve(band, half, inverse, x, lanes)
    _residuals(value, x, series, reference, secondary, residual, lanes)
    for k in range(x.shape[0]):
        fill(change[k], 0, lanes)
    for p in range(reference.size):
        row = residual[p]
        multiply(row, row, w[p], lanes)
        for k in range(reference[p], secondary[p]):
            add(change[k], row, lanes)
    solve(band, half, inverse, change, lanes)
    for k in range(x.shape[0]):
        add(x[k], change[k], lanes)
    _residuals(value, x, series, reference, secondary, residual, lanes)


@njit(**NJIT)
def objective(w, residual, total, lanes):  # type: ignore[no-untyped-def]
    """What a robust fit makes small: the sum over pairs of sqrt(weight (r^2 + 0.1^2)), into ``total``."""
    fill(total, 0, lanes)
    for p in range(w.shape[0]):
        seen, r = w[p], residual[p]
        for j in range(lanes):
            total[j] += np.sqrt(seen[j] * (r[j] * r[j] + SMOOTHING * SMOOTHING))


@njit(**NJIT)
def _robust_weight(value, w, first, last, out, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        r = value[j] - (last[j] - first[j])
        out[j] = np.sqrt(w[j] / (r * r + SMOOTHING * SMOOTHING))


@njit(**NJIT)
def _stretch(best, series, lanes):  # type: ignore[no-untyped-def]
    for k in range(best.shape[0]):
        old, new = best[k], series[k]
        for j in range(lanes):
            new[j] = old[j] + STRETCH * (new[j] - old[j])


@njit(**NJIT)
def _largest_change(a, b, largest, lanes):  # type: ignore[no-untyped-def]
    fill(largest, 0, lanes)
    for k in range(a.shape[0]):
        here, there = a[k], b[k]
        for j in range(lanes):
            largest[j] = max(largest[j], abs(here[j] - there[j]))


@njit(**NJIT)
def _accept(series, better, best, lanes):  # type: ignore[no-untyped-def]
    for k in range(best.shape[0]):
        new, out = series[k], best[k]
        for j in range(lanes):
            out[j] = new[j] if better[j] else out[j]


@njit(**NJIT)
def _reweight(value, w, reference, secondary, ratio, band, inverse, x, change, series, residual, lanes):  # type: ignore[no-untyped-def]
    """Least sum of absolute standardised residuals by iteratively reweighted least squares, from the fit in ``series``.

    Each step minimises a parabola that touches the smoothed objective from above (Hunter and Lange, 2004) and is then
    stretched: short of twice its length the parabola is still lower than where it began. So the objective cannot grow
    but by rounding; a lane stays where it is when it would, or when no date moves by 1e-3 rad. Lanes that stay give
    their place to the last that moves, so that steps cost what moves.
    """
    best, seen, rated = series[:, :lanes].copy(), value[:, :lanes].copy(), w[:, :lanes].copy()
    u, end = np.empty_like(rated), np.empty_like(best)
    score, trial, largest = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    better = np.empty(lanes, np.bool_)
    place = np.arange(lanes)
    moving = lanes
    objective(w, residual, score, lanes)
    for _ in range(MOST_STEPS):
        for p in range(u.shape[0]):
            _robust_weight(seen[p], rated[p], best[reference[p]], best[secondary[p]], u[p], moving)
        _minimum_norm(seen, u, reference, secondary, ratio, band, inverse, x, change, series, residual, moving)
        _stretch(best, series, moving)
        _subtract_model(seen, series, reference, secondary, residual, moving)
        objective(rated, residual, trial, moving)
        _largest_change(series, best, largest, moving)
        for j in range(moving):
            better[j] = trial[j] < score[j]
            score[j] = trial[j] if better[j] else score[j]
        _accept(series, better, best, moving)
        for j in range(moving - 1, -1, -1):
            if not (better[j] and largest[j] >= SETTLED):
                moving -= 1
                end[:, place[j]] = best[:, j]
                for table in (best, seen, rated):
                    table[:, j] = table[:, moving]
                place[j], score[j] = place[moving], score[moving]
        if moving == 0:
            break
    for j in range(moving):
        end[:, place[j]] = best[:, j]
    series[:, :lanes] = end


@njit(**NJIT)
def _subset_variance(w, label, reference, secondary, band, inverse, variance, lanes):  # type: ignore[no-untyped-def]
    """Variance of each date relative to the first of its subset: the phases' Laplacian with those dates held fixed."""
    half = band.shape[0] - 1
    dates = label.shape[0]
    held = np.empty((dates, lanes), np.bool_)
    for j in range(lanes):
        seen = 0
        for k in range(dates):
            held[k, j] = label[k, j] == 0 or label[k, j] > seen
            seen = max(seen, label[k, j])
    clear(band, lanes)
    for p in range(reference.size):
        a, b = reference[p], secondary[p]
        add(band[0, a], w[p], lanes)
        add(band[0, b], w[p], lanes)
        for j in range(lanes):
            band[b - a, a, j] -= 0.0 if held[a, j] or held[b, j] else w[p, j]
    for k in range(dates):
        for j in range(lanes):
            if held[k, j]:
                band[0, k, j] = 1.0
    floor = np.zeros(lanes)
    sound = np.empty(lanes, np.bool_)
    factor(band, half, inverse, floor, sound, np.empty(lanes), lanes)
    selected_variance(band, half, inverse, np.empty((half + 1, half + 1, lanes)), variance, lanes)
    for k in range(dates):
        for j in range(lanes):
            if held[k, j]:
                variance[k, j] = 0.0


@njit(**NJIT)
def _store(y, variance, names, start, out):  # type: ignore[no-untyped-def]
    """Results of a block from column ``start`` on, the series relative to its first date, NaN at dates of no pair."""
    lanes = min(names.shape[1], out.recovered.size - start)
    zero = np.full(lanes, np.nan)
    for k in range(y.shape[0]):
        for j in range(lanes):
            name = names[k, j]
            if name == 1 and zero[j] != zero[j]:
                zero[j] = y[k, j]
            out.label[k, start + j] = name
            out.series[k, start + j] = y[k, j] - zero[j] if name else np.nan
            out.variance[k, start + j] = variance[k, j] if name else np.nan


@njit(**NJIT)
def solve_exact(observed, columns, order, reference, secondary, half, time, ratio, robust):  # type: ignore[no-untyped-def]
    """Series, network variance, subsets and recovered fraction of the pixels ``columns``, whatever their pairs.

    Pairs are in the order (reference, secondary), ``order`` their rows; ``time`` (date,), and ``ratio`` (date - 1,) the
    squared ratio of the median interval to each. Returns `Careful`.
    """
    dates, pairs, pixels = time.size, order.size, columns.size
    table, tall = (dates, pixels), (dates - 1, pixels)
    refused = False
    series, spread = np.empty(table, np.float32), np.empty(table, np.float32)
    information, label = np.empty(tall, np.float32), np.empty(table, np.int16)
    out = Careful(False, series, spread, information, label, np.empty(pixels, np.float32))
    width = ROBUST_LANES if robust else LANES
    value, w, residual = np.empty((pairs, width)), np.empty((pairs, width)), np.empty((pairs, width))
    band = np.empty((half + 1, dates - 1, width))
    laplacian = np.empty((half + 2, dates, width))
    inverse = np.empty((dates, width))
    x, change = np.empty((dates - 1, width)), np.empty((dates - 1, width))
    y, variance = np.empty((dates, width)), np.empty((dates, width))
    names = np.empty((dates, width), np.int16)
    known = np.empty(dates - 1, np.float32)
    parent, sequence = np.empty(dates, np.int64), np.empty(dates, np.int64)
    for start in range(0, pixels, width):
        lanes = min(width, pixels - start)
        refused |= stage_columns(observed, order, columns[start : start + lanes], value, w)
        for j in range(lanes):
            subsets = label_subsets(w, reference, secondary, parent, names, j)
            covered = covered_fraction(w, reference, secondary, time, j) if subsets else np.nan
            step_information(w, reference, secondary, names[:, j], sequence, parent, known, j)
            out.recovered[start + j] = covered
            out.information[:, start + j] = known
        _minimum_norm(value, w, reference, secondary, ratio, band, inverse, x, change, y, residual, lanes)
        if robust:
            _reweight(value, w, reference, secondary, ratio, band, inverse, x, change, y, residual, lanes)
        _subset_variance(w, names, reference, secondary, laplacian, inverse, variance, lanes)
        _store(y, variance, names, start, out)
    return Careful(refused, series, spread, information, label, out.recovered)
