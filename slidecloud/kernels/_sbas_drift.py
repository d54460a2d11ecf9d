"""Noise that closes around loops yet wanders: how much more than their residuals say the pairs' errors add up to.

Pairs that share dates share speckle, so their errors are correlated and close around loops like atmosphere does; the
residuals of the pairs, and s0^2 with them, come out several times too small. What they miss shows in the series, as
scatter about the trend that grows with time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT, add_product, fill, selected_variance
from slidecloud.kernels._sbas_velocity import (
    LANES,
    apply_damped,
    assemble,
    gram_matrix,
    residual_power,
    solve_terms,
    tie_subsets,
)

CLEAR = 3.0
"""The network's variance is raised only where this many times s0^2 or more is called for: less may be chance."""
MOST_STEPS = 12
CLOSE = 0.03
"""Relative width of the bracket about the fourth root of lambda at which the search ends."""


@njit(**NJIT)
def _damped_trace(band, q, inverse, s, ring, work, total, lanes):  # type: ignore[no-untyped-def]
    """Trace of ``K = (I + s L)^-1 L`` from the factor of ``I + s L``, into ``total``."""
    selected_variance(band, q, inverse, ring, work, lanes)
    fill(total, 0, lanes)
    for k in range(work.shape[0]):
        row = work[k]
        for j in range(lanes):
            total[j] += 1.0 - row[j]
    for j in range(lanes):
        total[j] = total[j] / s[j]


@njit(**NJIT)
def _power_gram(z, out, lanes):  # type: ignore[no-untyped-def]
    """``out[a, b] = column_a^T K K column_b`` over the terms, z holding K times each column."""
    for b in range(out.shape[0]):
        for a in range(out.shape[0]):
            fill(out[a, b], 0, lanes)
            for k in range(z.shape[1]):
                add_product(out[a, b], z[a, k], z[b, k], lanes)


@njit(**NJIT)
def _narrow(low, high, at_low, at_high, middle, error, side, open_, lanes):  # type: ignore[no-untyped-def]
    """One step of the Illinois rule (Dowell and Jarratt, 1971) in every open lane. Tells if any stays open.

    ``error`` at ``middle`` is positive left of the root. On return ``middle`` is the next place to look, except in
    lanes that close, which are left where they were looked at last. ``side`` tells which end moved before.
    """
    busy = False
    for j in range(lanes):
        if not open_[j]:
            continue
        step = middle[j]
        if error[j] > 0:
            step -= low[j]
            low[j], at_low[j] = middle[j], error[j]
            at_high[j] *= 0.5 if side[j] < 0 else 1.0
            side[j] = -1
        else:
            step = high[j] - step
            high[j], at_high[j] = middle[j], error[j]
            at_low[j] *= 0.5 if side[j] > 0 else 1.0
            side[j] = 1
        if min(step, high[j] - low[j]) > CLOSE * high[j]:
            middle[j] = (low[j] * at_high[j] - high[j] * at_low[j]) / (at_high[j] - at_low[j])
            busy = True
        else:
            open_[j] = False
    return busy


@njit(**NJIT)
def _trace_of_terms(gram, power, lane):  # type: ignore[no-untyped-def]
    """``tr((T^T K T)^-1 T^T K K T)`` of one lane: what fitting the terms takes from the trace of K."""
    terms = gram.shape[0] - 1
    normal = np.empty((terms, terms))
    right = np.empty((terms, terms))
    for b in range(terms):
        for a in range(terms):
            normal[a, b] = gram[min(a, b), max(a, b), lane]
            right[a, b] = power[a, b, lane]
    for c in range(terms):
        for a in range(terms):
            if a != c:
                share = normal[a, c] / normal[c, c]
                for b in range(terms):
                    normal[a, b] -= share * normal[c, b]
                    right[a, b] -= share * right[c, b]
    total = 0.0
    for c in range(terms):
        total += right[c, c] / normal[c, c]
    return total


@njit(**NJIT)
def _imbalance(  # type: ignore[no-untyped-def]
    laplacian, root, band, inverse, g, z, design, y, gram, ring, work, dof, coefficients, spread, growth, error, lanes
):
    """At ``s = root^4``: terms, their spread, ``growth`` = r^T K r / dof, and how far the white part falls short.

    ``error`` is ``|K r|^2 / growth`` over its expectation ``tr P``, less one; P is K with the terms projected out.
    """
    terms = design.shape[0]
    s, power = np.empty(lanes), np.empty(lanes)
    square = np.empty((terms, terms, lanes))
    for j in range(lanes):
        s[j] = (root[j] * root[j]) * (root[j] * root[j])
    apply_damped(laplacian, s, band, inverse, g, z, error, lanes)
    gram_matrix(design, y, z, gram, lanes)
    _damped_trace(band, band.shape[0] - 1, inverse, s, ring, work, error, lanes)
    _power_gram(z, square, lanes)
    for j in range(lanes):
        spread[j], growth[j] = solve_terms(gram, j, coefficients)
        growth[j] /= dof[j]
        error[j] -= _trace_of_terms(gram, square, j)
    residual_power(z, coefficients, power, lanes)
    for j in range(lanes):
        error[j] = power[j] / (growth[j] * error[j]) - 1.0


@njit(**NJIT)
def fit_drift(  # type: ignore[no-untyped-def]
    phase,
    weight,
    order,
    reference,
    secondary,
    series,
    label,
    scale,
    dof,
    design,
    tie,
    atmosphere,
    velocity,
    spread,
    drift,
):
    """Raise the network's variance where the series calls for it, and fit the velocity anew.

    The covariance of the series is ``drift (L^- + lambda I)``. Restricted maximum likelihood (Patterson and Thompson,
    1971) asks that ``r^T K r`` and ``|K r|^2`` both equal what they are expected to be; the first gives ``drift`` for
    any lambda, and the root of the second is sought between a millionth and the whole of what `fit_velocity` found for
    drift 1. Lanes that would have a smaller drift than 3 keep what they have.

    Parameters are those of `fit_velocity`, but ``atmosphere`` is read, ``velocity`` and ``spread`` are replaced where
    ``drift`` (pixel,), written, is above one.
    """
    dates, terms = design.shape[1], design.shape[0]
    q = 0
    for p in range(order.size):
        q = max(q, secondary[p] - reference[p])
    laplacian = np.empty((q + 1, dates, LANES))
    band = np.empty((q + 1, dates, LANES))
    inverse, work, y = np.empty((dates, LANES)), np.empty((dates, LANES)), np.empty((dates, LANES))
    g, z = np.empty((terms + 1, dates, LANES)), np.empty((terms + 1, dates, LANES))
    gram = np.zeros((terms + 1, terms + 1, LANES))
    ring = np.empty((q + 1, q + 1, LANES))
    coefficients = np.empty((terms, LANES))
    value, w, row = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    growth, error = np.empty(LANES), np.empty(LANES)
    low, high, at_low, at_high = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    middle, side = np.empty(LANES), np.zeros(LANES, np.int8)
    wanted, open_ = np.empty(LANES, np.bool_), np.empty(LANES, np.bool_)
    for start in range(0, series.shape[1], LANES):
        stop = min(start + LANES, series.shape[1])
        lanes = stop - start
        block = slice(start, stop)
        few = dof[block]
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
        parts = (laplacian, middle, band, inverse, g, z, design, y, gram, ring, work, few, coefficients, row, growth)
        for j in range(lanes):
            found = atmosphere[start + j]
            wanted[j] = found > 0.0
            high[j] = np.sqrt(np.sqrt(found)) if wanted[j] else 1.0
            middle[j] = high[j]
        _imbalance(*parts, at_high, lanes)
        for j in range(lanes):
            wanted[j] = wanted[j] and at_high[j] < 0
            low[j] = 0.03 * high[j]
            side[j] = 0
            middle[j] = low[j]
        _imbalance(*parts, at_low, lanes)
        for j in range(lanes):
            open_[j] = wanted[j] and at_low[j] > 0 and growth[j] >= CLEAR
            wanted[j] = wanted[j] and growth[j] >= CLEAR
            if open_[j]:
                middle[j] = (low[j] * at_high[j] - high[j] * at_low[j]) / (at_high[j] - at_low[j])
        for _ in range(MOST_STEPS):
            _imbalance(*parts, error, lanes)
            if not _narrow(low, high, at_low, at_high, middle, error, side, open_, lanes):
                break
        for j in range(lanes):
            drift[start + j] = 1.0
            if wanted[j] and growth[j] >= CLEAR:
                if tie:
                    own = 0.0
                    for k in range(dates):
                        own += laplacian[0, k, j]
                    square = middle[j] * middle[j]
                    tie_subsets(label[:, start + j], j, design, y, square * square + dates / own, gram)
                    row[j] = solve_terms(gram, j, coefficients)[0]
                drift[start + j] = growth[j]
                velocity[start + j] = coefficients[0, j]
                spread[start + j] = growth[j] * row[j]
