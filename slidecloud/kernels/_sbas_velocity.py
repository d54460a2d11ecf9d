"""Velocity by generalised least squares, with the variance per date that closed loops of pairs cannot show."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import (
    NJIT,
    add,
    add_product,
    clear,
    copy,
    factor,
    fill,
    load_pair,
    multiply,
    solve,
    subtract,
)

LANES = 128
CLOSE = 1e-3
MOST_STEPS = 40


@njit(**NJIT)
def _add_difference(g, w, step, a, b, lanes):  # type: ignore[no-untyped-def]
    first, last = g[a], g[b]
    for j in range(lanes):
        part = w[j] * step
        first[j] -= part
        last[j] += part


@njit(**NJIT)
def _add_observed_difference(g, w, y, a, b, lanes):  # type: ignore[no-untyped-def]
    first, last, before, after = g[a], g[b], y[a], y[b]
    for j in range(lanes):
        part = w[j] * (after[j] - before[j])
        first[j] -= part
        last[j] += part


@njit(**NJIT)
def _damp(laplacian, s, band, lanes):  # type: ignore[no-untyped-def]
    """``band = I + s L``."""
    for d in range(band.shape[0]):
        for k in range(band.shape[1] - d):
            out, part = band[d, k], laplacian[d, k]
            for j in range(lanes):
                out[j] = s[j] * part[j]
            if d == 0:
                for j in range(lanes):
                    out[j] += 1.0


@njit(**NJIT)
def _copy_rows(source, out, lanes):  # type: ignore[no-untyped-def]
    for k in range(source.shape[0]):
        copy(source[k], out[k], lanes)


@njit(**NJIT)
def gram_matrix(design, y, z, gram, lanes):  # type: ignore[no-untyped-def]
    """``gram[a, b] = column_a^T K column_b``, the last column being the series; z holds K times each column."""
    terms = design.shape[0]
    for b in range(terms + 1):
        for a in range(b + 1):
            out = gram[a, b]
            fill(out, 0, lanes)
            for k in range(y.shape[0]):
                row = z[b, k]
                if a == terms:
                    add_product(out, y[k], row, lanes)
                else:
                    for j in range(lanes):
                        out[j] += design[a, k] * row[j]


@njit(**NJIT)
def solve_terms(gram, lane, coefficients):  # type: ignore[no-untyped-def]
    """Coefficients of one lane into ``coefficients``; returns (variance of the first, r^T K r), NaN if singular."""
    terms = gram.shape[0] - 1
    root = np.zeros((terms + 1, terms + 1))
    for b in range(terms + 1):
        for a in range(b + 1):
            left = gram[a, b, lane]
            for c in range(a):
                left -= root[c, a] * root[c, b]
            if a < b:
                root[a, b] = left / root[a, a]
            elif b < terms:
                if not left > 1e-12 * gram[b, b, lane]:
                    coefficients[:, lane] = np.nan
                    return np.nan, np.nan
                root[b, b] = np.sqrt(left)
            else:
                misfit = max(left, 0.0)
    for a in range(terms - 1, -1, -1):
        left = root[a, terms]
        for b in range(a + 1, terms):
            left -= root[a, b] * coefficients[b, lane]
        coefficients[a, lane] = left / root[a, a]
    unit = np.zeros(terms)
    variance = 0.0
    for a in range(terms):
        left = 1.0 if a == 0 else 0.0
        for c in range(a):
            left -= root[c, a] * unit[c]
        unit[a] = left / root[a, a]
        variance += unit[a] * unit[a]
    return variance, misfit


@njit(**NJIT)
def residual_power(z, coefficients, power, lanes):  # type: ignore[no-untyped-def]
    """``|K r|^2`` into ``power``, r the series less its trend."""
    terms = z.shape[0] - 1
    fill(power, 0, lanes)
    left = np.empty(lanes)
    for k in range(z.shape[1]):
        copy(z[terms, k], left, lanes)
        for c in range(terms):
            row, factors = z[c, k], coefficients[c]
            for j in range(lanes):
                left[j] -= factors[j] * row[j]
        add_product(power, left, left, lanes)


@njit(**NJIT)
def tie_subsets(label, lane, design, y, variance, gram):  # type: ignore[no-untyped-def]
    """Add to ``gram`` what the mean of each subset says about the terms, if one intercept holds for all of them."""
    dates, columns = y.shape[0], gram.shape[0]
    subsets = 0
    for k in range(dates):
        subsets = max(subsets, label[k])
    sums = np.zeros((subsets + 1, columns))
    number = np.zeros(subsets + 1)
    for k in range(dates):
        if label[k] > 0:
            number[label[k]] += 1.0
            for c in range(columns):
                value = y[k, lane] if c == columns - 1 else design[c, k]
                sums[label[k], c] += value
                sums[0, c] += value
            number[0] += 1.0
    for b in range(columns):
        for a in range(b + 1):
            for name in range(1, subsets + 1):
                left = sums[name, a] / number[name] - sums[0, a] / number[0]
                right = sums[name, b] / number[name] - sums[0, b] / number[0]
                gram[a, b, lane] += number[name] / variance * left * right


@njit(**NJIT)
def _update(gram, power, dof, s, active, coefficients, spread, lanes, z):  # type: ignore[no-untyped-def]
    """Terms of every lane at its ``s``, then a step of ``s`` where r^T K r is not yet ``dof``. True if any moved."""
    misfit = np.empty(lanes)
    for j in range(lanes):
        spread[j], misfit[j] = solve_terms(gram, j, coefficients)
    residual_power(z, coefficients, power, lanes)
    moved = False
    for j in range(lanes):
        if not active[j]:
            continue
        excess = misfit[j] / dof[j] - 1.0
        if not abs(excess) > CLOSE or (s[j] == 0.0 and excess <= 0.0) or not power[j] > 0.0:
            active[j] = False
            continue
        s[j] = max(s[j] + misfit[j] * excess / power[j], 0.0)
        moved = True
    return moved


@njit(**NJIT)
def assemble(  # type: ignore[no-untyped-def]
    phase, weight, order, reference, secondary, series, scale, design, laplacian, y, g, value, w, lanes
):
    """Laplacian over s0^2 of a block, its series ``y`` (0 for NaN), and ``g``: the Laplacian times terms and series."""
    terms = design.shape[0]
    clear(laplacian, lanes)
    clear(g, lanes)
    for k in range(y.shape[0]):
        for j in range(lanes):
            seen = series[k, j]
            y[k, j] = seen if seen == seen else 0.0
    for p in range(order.size):
        a, b = reference[p], secondary[p]
        load_pair(phase[order[p]], weight[order[p]], value, w, lanes)
        multiply(w, w, scale, lanes)
        subtract(laplacian[b - a, a], w, lanes)
        add(laplacian[0, a], w, lanes)
        add(laplacian[0, b], w, lanes)
        for c in range(terms):
            _add_difference(g[c], w, design[c, b] - design[c, a], a, b, lanes)
        _add_observed_difference(g[terms], w, y, a, b, lanes)


@njit(**NJIT)
def apply_damped(laplacian, s, band, inverse, g, z, row, lanes):  # type: ignore[no-untyped-def]
    """``z = (I + s L)^-1 g``; ``band`` and ``inverse`` keep the factor."""
    q = band.shape[0] - 1
    floor = np.zeros(lanes)
    sound = np.empty(lanes, np.bool_)
    _damp(laplacian, s, band, lanes)
    factor(band, q, inverse, floor, sound, row, lanes)
    for c in range(z.shape[0]):
        _copy_rows(g[c], z[c], lanes)
        solve(band, q, inverse, z[c], lanes)


@njit(**NJIT)
def fit_velocity(  # type: ignore[no-untyped-def]
    phase, weight, order, reference, secondary, series, label, scale, dof, design, tie, velocity, spread, atmosphere
):
    """Velocity, its variance, and the variance per date of every pixel.

    Let L be the phases' weighted Laplacian over s0^2. The series has covariance ``L^- + s I`` (date 0 included) and an
    unknown constant per subset; its inverse with the constants projected out is ``K = (I + s L)^-1 L``, banded in all
    its parts. Terms follow from ``design^T K design``; s makes ``r^T K r`` equal to its degrees of freedom (Paule and
    Mandel, 1982), found by the step that is exact for 1 / (r^T K r) linear in s (More and Sorensen, 1983).

    Parameters
    ----------
    phase, weight, order, reference, secondary
        As in `solve_increments`.
    series
        (date, pixel) float32 rad, NaN at dates of no valid pair.
    label
        (date, pixel) int16 subsets.
    scale, dof
        (pixel,) float64: 1 / s0^2, and dates less subsets less terms.
    design
        (term, date) float64, the first term time in years.
    tie
        Whether one intercept holds for all subsets of a pixel.
    velocity, spread, atmosphere
        (pixel,) float64, written: rad/yr, its variance, and s in rad^2 (NaN without degrees of freedom).
    """
    dates, terms = design.shape[1], design.shape[0]
    q = 0
    for p in range(order.size):
        q = max(q, secondary[p] - reference[p])
    laplacian = np.empty((q + 1, dates, LANES))
    band = np.empty((q + 1, dates, LANES))
    inverse = np.empty((dates, LANES))
    y = np.empty((dates, LANES))
    g = np.empty((terms + 1, dates, LANES))
    z = np.empty((terms + 1, dates, LANES))
    gram = np.zeros((terms + 1, terms + 1, LANES))
    coefficients = np.empty((terms, LANES))
    value, w = np.empty(LANES), np.empty(LANES)
    power, row, s = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    active = np.empty(LANES, np.bool_)
    for start in range(0, series.shape[1], LANES):
        stop = min(start + LANES, series.shape[1])
        lanes = stop - start
        block = slice(start, stop)
        assemble(
            phase[:, block],
            weight[:, block],
            order,
            reference,
            secondary,
            series[:, block],
            scale[block],
            design,
            laplacian,
            y,
            g,
            value,
            w,
            lanes,
        )
        for j in range(lanes):
            s[j] = 0.0
            active[j] = dof[start + j] > 0
        for step in range(MOST_STEPS):
            if step == 0:
                for c in range(terms + 1):
                    _copy_rows(g[c], z[c], lanes)
            else:
                apply_damped(laplacian, s, band, inverse, g, z, row, lanes)
            gram_matrix(design, y, z, gram, lanes)
            if not _update(gram, power, dof[start:stop], s, active, coefficients, row, lanes, z):
                break
        for j in range(lanes):
            if tie:
                own = 0.0
                for k in range(dates):
                    own += laplacian[0, k, j]
                tie_subsets(label[:, start + j], j, design, y, s[j] + dates / own, gram)
                row[j] = solve_terms(gram, j, coefficients)[0]
            velocity[start + j] = coefficients[0, j]
            spread[start + j] = row[j] if dof[start + j] > 0 else np.nan
            atmosphere[start + j] = s[j] if dof[start + j] > 0 else np.nan
