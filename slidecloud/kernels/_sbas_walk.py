"""A random walk seen with white noise, at a given ratio of the two: what its steps say about a trend.

Steps are the differences of successive dates of a subset. Their covariance is ``a (V + lambda E)``, V diagonal (the
walk) and E with 2 beside -1 (white noise of the dates); it is eliminated from the first step on, float32, all lanes of
a block together.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT, add_product, fill, multiply
from slidecloud.kernels._sbas_subsets import order_dates

APART = np.float32(1e9)
"""Variance, in units of a usual step's, of what is no step: from one subset to the next, or after the last date."""
SMALLEST, LARGEST = np.float32(1e-4), np.float32(1e4)
GROUP = 4
"""Pivots multiplied before the exponent of their product is taken off; float32 holds ``APART`` to this power."""


@njit(**NJIT)
def _add_step(first, last, information, length, total, along, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        total[j] += 1.0 / np.float64(information[j])
        along[j] += length * (np.float64(last[j]) - np.float64(first[j]))


@njit(**NJIT)
def _difference(first, last, out, rate, length, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        out[j] = (np.float64(last[j]) - np.float64(first[j])) - rate[j] * length


@njit(**NJIT)
def _share(information, mean, out, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        out[j] = min(max(np.float32(1.0 / (information[j] * mean[j])), SMALLEST), LARGEST)


@njit(**NJIT)
def _lay_whole(series, information, design, steps, variance, mean, rate, lanes):  # type: ignore[no-untyped-def]
    """`lay_steps` for lanes whose pairs link all dates; others are left without meaning."""
    columns, count = design.shape[0], design.shape[1] - 1
    square = 0.0
    fill(mean, 0, lanes)
    fill(rate, 0, lanes)
    for k in range(count):
        length = design[columns - 2, k + 1] - design[columns - 2, k]
        square += length * length
        _add_step(series[k], series[k + 1], information[k], length, mean, rate, lanes)
    for j in range(lanes):
        mean[j] = mean[j] / count
        rate[j] = rate[j] / square
    for k in range(count):
        for c in range(columns):
            fill(steps[c, k], np.float32(design[c, k + 1] - design[c, k]), lanes)
        length = design[columns - 2, k + 1] - design[columns - 2, k]
        _difference(series[k], series[k + 1], steps[columns, k], rate, length, lanes)
        _share(information[k], mean, variance[k], lanes)


@njit(**NJIT)
def _lay_lane(series, information, sequence, count, design, tie, steps, variance):  # type: ignore[no-untyped-def]
    """`lay_steps` for one lane of any pairs; returns its mean and rate. Arrays lack the axis of lanes."""
    columns = design.shape[0]
    total, number, along, square = 0.0, 0, 0.0, 0.0
    for k in range(count - 1):
        if information[k] > 0:
            here, there = sequence[k], sequence[k + 1]
            length = design[columns - 2, there] - design[columns - 2, here]
            total += 1.0 / np.float64(information[k])
            number += 1
            along += length * (np.float64(series[there]) - np.float64(series[here]))
            square += length * length
    mean = total / number if number > 0 else 1.0
    rate = along / square if number > 0 else 0.0
    for k in range(variance.size):
        known = information[k] > 0 and k < count - 1
        variance[k] = APART
        for c in range(columns + 1):
            steps[c, k] = 0
        if known or (tie and k < count - 1):
            here, there = sequence[k], sequence[k + 1]
            for c in range(columns):
                steps[c, k] = design[c, there] - design[c, here]
            length = design[columns - 2, there] - design[columns - 2, here]
            steps[columns, k] = (np.float64(series[there]) - np.float64(series[here])) - rate * length
            share = np.float32(1.0 / (information[k] * mean)) if known else np.float32(1)
            variance[k] = min(max(share, SMALLEST), LARGEST)
    return mean, rate


@njit(**NJIT)
def lay_steps(series, label, information, design, tie, steps, variance, mean, rate, lanes):  # type: ignore[no-untyped-def]
    """Steps of a block of lanes for `eliminate`.

    ``series``, ``label`` (date, lane), ``information`` (date - 1, lane) as `fit_velocity` takes them; ``design``
    (column, date), time last but one. Written: ``steps[column, k, lane]``, the differences of each column and, last, of
    the series less ``rate`` (lane,) times time; ``variance[k, lane]`` over ``mean`` (lane,), the mean of one over the
    information.
    """
    dates = series.shape[0]
    whole = np.ones(lanes, np.bool_)
    for k in range(dates):
        seen, known = label[k], information[max(k - 1, 0)]
        for j in range(lanes):
            whole[j] &= (seen[j] == 1) & (known[j] > 0)
    _lay_whole(series, information, design, steps, variance, mean, rate, lanes)
    sequence = np.empty(dates, np.int64)
    for j in range(lanes):
        if not whole[j]:
            count = order_dates(label[:, j], sequence)
            found = _lay_lane(
                series[:, j], information[:, j], sequence, count, design, tie, steps[:, :, j], variance[:, j]
            )
            mean[j], rate[j] = found


@njit(**NJIT)
def step_power(steps, variance, power, lanes):  # type: ignore[no-untyped-def]
    """Mean square of the steps' last column, the series, into ``power``."""
    number = np.zeros(lanes)
    fill(power, 0, lanes)
    for k in range(variance.shape[0]):
        row, known = steps[-1, k], variance[k]
        for j in range(lanes):
            power[j] += np.float64(row[j]) * np.float64(row[j])
            number[j] += 1.0 if known[j] < APART else 0.0
    for j in range(lanes):
        power[j] = power[j] / number[j] if number[j] > 0 else 0.0


@njit(**NJIT)
def _invert_pivot(inverse, variance, white, coupling, lanes):  # type: ignore[no-untyped-def]
    one, two = np.float32(1), np.float32(2)
    for j in range(lanes):
        inverse[j] = one / (variance[j] + white[j] * (two - coupling[j]))


@njit(**NJIT)
def _advance(left, step, coupling, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        left[j] = step[j] + coupling[j] * left[j]


@njit(**NJIT)
def _accumulate(out, a, b, inverse, lanes):  # type: ignore[no-untyped-def]
    for j in range(lanes):
        out[j] += a[j] * inverse[j] * b[j]


@njit(**NJIT)
def _take_exponent(bits, exponent, lanes):  # type: ignore[no-untyped-def]
    """Leave the product, seen as ``bits``, between one and two and add its exponent to ``exponent``."""
    for j in range(lanes):
        exponent[j] += (bits[j] >> np.int32(23)) - np.int32(127)
        bits[j] = (bits[j] & np.int32(0x7FFFFF)) | np.int32(0x3F800000)


@njit(**NJIT)
def eliminate(steps, variance, white, left, gram, coupling, inverse, product, exponent, lanes):  # type: ignore[no-untyped-def]
    """Gram matrix of the columns in the metric ``(V + white E)^-1``, and the determinant of that covariance.

    ``gram[a, b, lane]`` is written for a <= b; one over the determinant is ``product * 2^exponent``. ``left``
    (column, lane), ``coupling`` and ``inverse`` (lane,) are scratch.
    """
    columns = steps.shape[0]
    bits = product.view(np.int32)
    fill(coupling, 0, lanes)
    fill(product, 1, lanes)
    fill(exponent, 0, lanes)
    for b in range(columns):
        fill(left[b], 0, lanes)
        for a in range(b + 1):
            fill(gram[a, b], 0, lanes)
    for k in range(variance.shape[0]):
        for c in range(columns):
            _advance(left[c], steps[c, k], coupling, lanes)
        _invert_pivot(inverse, variance[k], white, coupling, lanes)
        multiply(product, product, inverse, lanes)
        multiply(coupling, white, inverse, lanes)
        for b in range(columns):
            for a in range(b + 1):
                _accumulate(gram[a, b], left[a], left[b], inverse, lanes)
        if k % GROUP == GROUP - 1:
            _take_exponent(bits, exponent, lanes)
    _take_exponent(bits, exponent, lanes)


@njit(**NJIT)
def project(gram, lost, lanes):  # type: ignore[no-untyped-def]
    """Gaussian elimination of the columns of ``gram`` from each other, first to last, in place.

    A column that those before it explain to ``lost`` of its square says nothing and is left out: its pivot becomes one
    and its rows zero.
    """
    columns = gram.shape[0]
    scale = np.empty((columns, lanes))
    share = np.empty(lanes)
    for c in range(columns):
        for j in range(lanes):
            scale[c, j] = gram[c, c, j]
    for a in range(columns - 1):
        pivot = gram[a, a]
        for b in range(a + 1, columns):
            row = gram[a, b]
            for j in range(lanes):
                if not pivot[j] > lost * scale[a, j]:
                    row[j] = 0.0
        for j in range(lanes):
            if not pivot[j] > lost * scale[a, j]:
                pivot[j] = 1.0
        for b in range(a + 1, columns):
            row = gram[a, b]
            for j in range(lanes):
                share[j] = -row[j] / pivot[j]
            for c in range(b, columns):
                add_product(gram[b, c], share, gram[a, c], lanes)
