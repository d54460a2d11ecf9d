"""A random walk seen with white noise, at a given ratio of the two: what its steps say about a trend.

Steps are the differences of successive dates of a subset. Their covariance is ``a (V + lambda E)``, V diagonal (the
walk) and E with 2 beside -1 (white noise of the dates); it is eliminated from the first step on, float32, for a vector
of pixels at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import (
    WIDTH,
    choose,
    exponent,
    fused,
    least,
    mantissa,
    most,
    narrow,
    somewhere,
    splat,
    widen,
)
from slidecloud.kernels._lanes_memory import load, peek, poke
from slidecloud.kernels._sbas_band import INLINE, NJIT
from slidecloud.kernels._sbas_increments import ONE
from slidecloud.kernels._sbas_stage import ZERO
from slidecloud.kernels._sbas_subsets import order_dates

APART = np.float32(1e9)
"""Variance, in units of a usual step's, of what is no step: from one subset to the next, or after the last date."""
SMALLEST, LARGEST = np.float32(1e-4), np.float32(1e4)
GROUP = 4
"""Pivots multiplied before the exponent of their product is taken off; float32 holds ``APART`` to this power."""
TWO = np.float32(2)


@njit(**INLINE)
def _is_linked(label, information, start):  # type: ignore[no-untyped-def]
    """Mask: true where all dates belong to one subset and every step is known."""
    linked = load(label, 0, start) == splat(ONE)
    for k in range(information.shape[0]):
        linked = linked & (load(label, k + 1, start) == splat(ONE)) & (load(information, k, start) > splat(ZERO))
    return linked


@njit(**INLINE)
def _lay_linked(series, information, start, jumps, steps, variance):  # type: ignore[no-untyped-def]
    """`lay_steps` for lanes whose pairs link all dates; others are left without meaning."""
    time, count = jumps.shape[0] - 2, jumps.shape[1]
    total, along, square = splat(0.0), splat(0.0), 0.0
    before = widen(load(series, 0, start))
    for k in range(count):
        after = widen(load(series, k + 1, start))
        total = total + widen(splat(ONE) / load(information, k, start))
        along = fused(splat(jumps[time, k]), after - before, along)
        square += jumps[time, k] * jumps[time, k]
        before = after
    mean, rate = total / splat(np.float64(count)), along / splat(square)
    per_mean = splat(ONE) / narrow(mean)
    before = widen(load(series, 0, start))
    for k in range(count):
        after = widen(load(series, k + 1, start))
        for c in range(jumps.shape[0]):
            poke(steps, c * count + k, splat(np.float32(jumps[c, k])))
        poke(steps, (time + 2) * count + k, narrow((after - before) - rate * splat(jumps[time, k])))
        share = per_mean / load(information, k, start)
        poke(variance, k, least(most(share, splat(SMALLEST)), splat(LARGEST)))
        before = after
    return mean, rate


@njit(**NJIT)
def _lay_lane(series, information, sequence, number, design, tie, steps, variance):  # type: ignore[no-untyped-def]
    """`lay_steps` for one lane of any pairs; returns its mean and rate. Arrays lack the axis of lanes."""
    columns, count = design.shape[0], variance.size
    total, known_steps, along, square = 0.0, 0, 0.0, 0.0
    for k in range(number - 1):
        if information[k] > 0:
            here, there = sequence[k], sequence[k + 1]
            length = design[columns - 2, there] - design[columns - 2, here]
            total += 1.0 / np.float64(information[k])
            known_steps += 1
            along += length * (np.float64(series[there]) - np.float64(series[here]))
            square += length * length
    mean = total / known_steps if known_steps > 0 else 1.0
    rate = along / square if known_steps > 0 else 0.0
    for k in range(count):
        known = k < number - 1 and information[k] > 0
        variance[k] = APART
        steps[:, k] = ZERO
        if known or (tie and k < number - 1):
            here, there = sequence[k], sequence[k + 1]
            for c in range(columns):
                steps[c, k] = design[c, there] - design[c, here]
            length = design[columns - 2, there] - design[columns - 2, here]
            steps[columns, k] = (np.float64(series[there]) - np.float64(series[here])) - rate * length
            share = np.float32(1.0 / (information[k] * mean)) if known else ONE
            variance[k] = min(max(share, SMALLEST), LARGEST)
    return mean, rate


@njit(**NJIT)
def lay_steps(series, label, information, start, design, jumps, tie, steps, variance, levels):  # type: ignore[no-untyped-def]
    """Steps of the lanes from ``start`` on, for `eliminate`.

    Parameters
    ----------
    series, label, information, design, tie
        As `fit_velocity` takes them.
    jumps
        (column, date - 1) float64, differences of ``design`` from date to date.
    steps
        Scratch of ``(column + 1) (date - 1)`` vectors, written: differences of each column and, last, of the series
        less its rate times time.
    variance
        Scratch of ``date - 1`` vectors, written: one over the information, over its mean.
    levels
        Two float64 vectors, written: that mean, and the rate.

    Returns
    -------
    Whether pairs link all dates of all lanes: the differences of columns are then the same in every lane.
    """
    mean, rate = _lay_linked(series, information, start, jumps, steps, variance)
    poke(levels, 0, mean)
    poke(levels, 1, rate)
    linked = _is_linked(label, information, start)
    broken = choose(linked, splat(ZERO), splat(ONE)) > splat(ZERO)
    if not somewhere(broken):
        return True
    count = jumps.shape[1]
    sequence = np.empty(count + 1, np.int64)
    by_lane, inverse = steps.reshape(jumps.shape[0] + 1, count, WIDTH), variance.reshape(count, WIDTH)
    for j in range(WIDTH):
        names, known = label[:, start + j], information[:, start + j]
        if names.min() != 1 or names.max() != 1 or not known.min() > 0:
            number = order_dates(names, sequence)
            lane = (by_lane[:, :, j], inverse[:, j])
            own = _lay_lane(series[:, start + j], known, sequence, number, design, tie, *lane)
            levels[j], levels[WIDTH + j] = own
    return False


@njit(**NJIT)
def step_power(steps, variance, terms):  # type: ignore[no-untyped-def]
    """Mean square (float64) of the steps' last column, the series; ``terms`` is a tuple with one entry a column."""
    count = variance.size // WIDTH
    power, number = splat(0.0), splat(ZERO)
    for k in range(count):
        step = widen(peek(steps, len(terms) * count + k))
        power = fused(step, step, power)
        number = number + choose(peek(variance, k) < splat(APART), splat(ONE), splat(ZERO))
    none = number < splat(ONE)
    return power / widen(choose(none, splat(ONE), number))


@njit(**NJIT)
def eliminate(terms, steps, variance, jumps, alike, white, gram):  # type: ignore[no-untyped-def]
    """Gram matrix of the columns in the metric ``(V + white E)^-1``, and the determinant of that covariance.

    ``terms`` is a tuple with one entry a column, the series not counted. ``jumps`` (column, date - 1) float32 stands
    for the columns of ``steps`` if they are ``alike`` in all lanes. ``gram`` is scratch of n^2 + n vectors, n the
    columns with the series: vector ``a n + b`` is written for a <= b. Returns one over the determinant as
    ``product * 2^power``.
    """
    columns = len(terms)
    wide, count = columns + 1, variance.size // WIDTH
    for i in range(wide * wide + wide):
        poke(gram, i, splat(ZERO))
    coupling, product, power = splat(ZERO), splat(ONE), splat(ZERO)
    for k in range(count):
        inverse = splat(ONE) / fused(white, splat(TWO) - coupling, peek(variance, k))
        for b in range(wide):
            step = splat(jumps[b, k]) if alike and b < columns else peek(steps, b * count + k)
            left = fused(coupling, peek(gram, wide * wide + b), step)
            poke(gram, wide * wide + b, left)
            scaled = left * inverse
            for a in range(b + 1):
                poke(gram, a * wide + b, fused(peek(gram, wide * wide + a), scaled, peek(gram, a * wide + b)))
        product = product * inverse
        coupling = white * inverse
        if k % GROUP == GROUP - 1:
            power = power + exponent(product)
            product = mantissa(product)
    return mantissa(product), power + exponent(product)


@njit(**NJIT)
def project(gram, terms, lost, exact):  # type: ignore[no-untyped-def]
    """Gaussian elimination of the columns of ``gram`` from each other, first to last, in float64 into ``exact``.

    A column that those before it explain to ``lost`` of its square says nothing and is left out: its pivot becomes one
    and its rows zero.
    """
    wide = len(terms) + 1
    for a in range(wide):
        for b in range(a, wide):
            poke(exact, a * wide + b, widen(peek(gram, a * wide + b)))
    for a in range(wide - 1):
        pivot = peek(exact, a * wide + a)
        tells = pivot > splat(lost) * widen(peek(gram, a * wide + a))
        pivot = choose(tells, pivot, splat(1.0))
        poke(exact, a * wide + a, pivot)
        for b in range(a + 1, wide):
            poke(exact, a * wide + b, choose(tells, peek(exact, a * wide + b), splat(0.0)))
        for b in range(a + 1, wide):
            share = -peek(exact, a * wide + b) / pivot
            for c in range(b, wide):
                changed = fused(share, peek(exact, a * wide + c), peek(exact, b * wide + c))
                poke(exact, b * wide + c, changed)
