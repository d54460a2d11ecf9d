"""The careful way, in float64: subsets bridged by the smallest velocities, weak links, long pairs, robust fits."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import (
    NJIT,
    add,
    add_pair,
    clear,
    factor,
    fill,
    load_pair,
    mean_diagonal,
    multiply,
    selected_variance,
    solve,
)
from slidecloud.kernels._sbas_subsets import covered_fraction, label_subsets, step_information

LANES = 64
RIDGE = 1e-8
SMOOTHING = 0.1
"""Residuals well below this many radians count by their square in a robust fit, those above by their size."""
SETTLED = 1e-3
MOST_STEPS = 200


@njit(**NJIT)
def _residuals(value, x, series, reference, secondary, residual, lanes):  # type: ignore[no-untyped-def]
    fill(series[0], 0, lanes)
    for k in range(x.shape[0]):
        for j in range(lanes):
            series[k + 1, j] = series[k, j] + x[k, j]
    for p in range(reference.size):
        first, last, seen, out = series[reference[p]], series[secondary[p]], value[p], residual[p]
        for j in range(lanes):
            out[j] = seen[j] - (last[j] - first[j])


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
def _reweight(value, w, reference, secondary, ratio, band, inverse, x, change, series, residual, lanes):  # type: ignore[no-untyped-def]
    """Least sum of absolute standardised residuals by iteratively reweighted least squares, from the fit in ``series``.

    Each step minimises a parabola that touches the smoothed objective from above (Hunter and Lange, 2004), so the
    objective cannot grow but by rounding; a lane stays where it is when it would, or when no date moves by 1e-3 rad.
    """
    best = series[:, :lanes].copy()
    score = np.empty(lanes)
    trial = np.empty(lanes)
    moving = np.ones(lanes, np.bool_)
    u = np.zeros_like(w)
    objective(w, residual, score, lanes)
    for _ in range(MOST_STEPS):
        for p in range(w.shape[0]):
            for j in range(lanes):
                r = value[p, j] - (best[secondary[p], j] - best[reference[p], j])
                u[p, j] = np.sqrt(w[p, j] / (r * r + SMOOTHING * SMOOTHING))
        _minimum_norm(value, u, reference, secondary, ratio, band, inverse, x, change, series, residual, lanes)
        objective(w, residual, trial, lanes)
        busy = False
        for j in range(lanes):
            if not moving[j]:
                continue
            largest = 0.0
            for k in range(best.shape[0]):
                largest = max(largest, abs(series[k, j] - best[k, j]))
            moving[j] = trial[j] < score[j] and largest >= SETTLED
            if trial[j] < score[j]:
                score[j] = trial[j]
                for k in range(best.shape[0]):
                    best[k, j] = series[k, j]
            busy = busy or moving[j]
        if not busy:
            break
    for k in range(best.shape[0]):
        for j in range(lanes):
            series[k, j] = best[k, j]


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
def solve_exact(  # type: ignore[no-untyped-def]
    phase,
    weight,
    order,
    reference,
    secondary,
    half,
    time,
    ratio,
    robust,
    series,
    variance,
    information,
    label,
    recovered,
):
    """Series, network variance, subsets and recovered fraction of every pixel, whatever its pairs.

    As `solve_increments`, the steps of ``information`` in the order of `order_dates`, with ``time`` (date,), ``ratio``
    (date - 1,) the squared ratio of the median interval to each, and further results ``label`` (date, pixel) int16,
    1..n or 0 where a date has no valid pair (NaN in ``series`` and ``variance``), and ``recovered`` (pixel,) float32.
    The first valid date is the zero of ``series``.
    """
    dates, pairs = series.shape[0], order.size
    value = np.empty((pairs, LANES))
    w = np.empty((pairs, LANES))
    residual = np.empty((pairs, LANES))
    band = np.empty((half + 1, dates - 1, LANES))
    laplacian = np.empty((half + 2, dates, LANES))
    inverse = np.empty((dates, LANES))
    x = np.empty((dates - 1, LANES))
    change = np.empty((dates - 1, LANES))
    y = np.empty((dates, LANES))
    names = np.empty((dates, LANES), np.int16)
    parent, sequence = np.empty(dates, np.int64), np.empty(dates, np.int64)
    for start in range(0, phase.shape[1], LANES):
        stop = min(start + LANES, phase.shape[1])
        lanes = stop - start
        for p in range(pairs):
            load_pair(phase[order[p], start:stop], weight[order[p], start:stop], value[p], w[p], lanes)
        for j in range(lanes):
            subsets = label_subsets(w, reference, secondary, parent, names, j)
            recovered[start + j] = covered_fraction(w, reference, secondary, time, j) if subsets else np.nan
            step_information(w, reference, secondary, names[:, j], sequence, parent, information[:, start + j], j)
        _minimum_norm(value, w, reference, secondary, ratio, band, inverse, x, change, y, residual, lanes)
        if robust:
            _reweight(value, w, reference, secondary, ratio, band, inverse, x, change, y, residual, lanes)
        for j in range(lanes):
            zero = np.nan
            for k in range(dates):
                label[k, start + j] = names[k, j]
                if names[k, j] == 1 and zero != zero:
                    zero = y[k, j]
                series[k, start + j] = y[k, j] - zero if names[k, j] else np.nan
        _subset_variance(w, names, reference, secondary, laplacian, inverse, y, lanes)
        for k in range(dates):
            for j in range(lanes):
                variance[k, start + j] = y[k, j] if names[k, j] else np.nan
