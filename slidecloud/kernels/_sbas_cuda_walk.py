"""Steps of a series on the device, and what they say of a trend at a given ratio of white noise to a walk.

The mathematics is that of `_sbas_walk`. A thread reads the steps of its pixel again for every one or two ratios and
keeps what it sums in registers.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from numba import cuda, float32, float64, int64

from slidecloud.kernels._sbas_velocity import LOST
from slidecloud.kernels._sbas_walk import APART, GROUP, LARGEST, SMALLEST

ZERO, ONE, TWO = float32(0), float32(1), float32(2)


def together(columns: int) -> int:
    """Ratios that are tried in one reading of the steps: as many as leave the sums in registers."""
    return 2 if columns == 2 else 1


@cache
def laying(columns: int, broken: bool) -> tuple[Any, Any]:
    """Device functions ``tell`` and ``lay``: a pixel's mean of one over the information and its rate, and one step.

    Where ``broken``, dates follow each other as in ``sequence`` (date, thread), its first ``count``; otherwise each is
    followed by the next. ``lay`` fills ``fresh`` (columns + 1,), the differences of the columns of ``design`` and of
    the series less ``rate`` times time, and returns the step's share of the walk, `APART` for what is no step.
    """

    @cuda.jit(device=True)
    def ends(sequence, k, t):  # type: ignore[no-untyped-def]
        if broken:
            return int64(sequence[k, t]), int64(sequence[k + 1, t])
        return int64(k), int64(k + 1)

    @cuda.jit(device=True)
    def tell(series, used, information, sequence, count, design, pixel, t):  # type: ignore[no-untyped-def]
        total, number, along, square = 0.0, 0.0, 0.0, 0.0
        for k in range(count - 1):
            if information[k, t] > ZERO:
                here, there = ends(sequence, k, t)
                length = design[columns - 2, there] - design[columns - 2, here]
                total += 1.0 / float64(information[k, t])
                number += 1.0
                along += length * (float64(series[used[there], pixel]) - float64(series[used[here], pixel]))
                square += length * length
        if number > 0.0:
            return total / number, along / square
        return 1.0, 0.0

    @cuda.jit(device=True)
    def lay(series, used, information, sequence, count, design, tie, mean, rate, pixel, t, k, fresh):  # type: ignore[no-untyped-def]
        known = k < count - 1 and information[k, t] > ZERO
        if not (known or (tie and k < count - 1)):
            for c in range(columns + 1):
                fresh[c] = ZERO
            return APART
        here, there = ends(sequence, k, t)
        for c in range(columns):
            fresh[c] = float32(design[c, there] - design[c, here])
        length = design[columns - 2, there] - design[columns - 2, here]
        rise = float64(series[used[there], pixel]) - float64(series[used[here], pixel])
        fresh[columns] = float32(rise - rate * length)
        share = ONE / (information[k, t] * float32(mean)) if known else ONE
        return min(max(share, SMALLEST), LARGEST)

    return tell, lay


@cache
def elimination(columns: int) -> tuple[Any, Any]:
    """Device functions that begin and continue the elimination of ``V + ratio E`` for `together` ratios.

    ``coupling``, ``product``, ``logarithm`` (ratio,) and ``left`` (ratio, column) are state; ``gram`` (ratio, column,
    column) becomes the Gram matrix of the columns for a <= b, ``logarithm`` twice the binary logarithm of one over the
    root of the covariance's determinant.
    """
    wide, ratios = columns + 1, together(columns)

    @cuda.jit(device=True)
    def begin(coupling, product, logarithm, left, gram):  # type: ignore[no-untyped-def]
        for n in range(ratios):
            coupling[n] = ZERO
            product[n] = ONE
            logarithm[n] = ZERO
            for b in range(wide):
                left[n, b] = ZERO
                for a in range(b + 1):
                    gram[n, a, b] = ZERO

    @cuda.jit(device=True)
    def advance(k, last, variance, fresh, ratio, coupling, product, logarithm, left, gram):  # type: ignore[no-untyped-def]
        for n in range(ratios):
            inverse = ONE / (variance + ratio[n] * (TWO - coupling[n]))
            product[n] *= inverse
            for b in range(wide):
                left[n, b] = fresh[b] + coupling[n] * left[n, b]
                for a in range(b + 1):
                    gram[n, a, b] += left[n, a] * inverse * left[n, b]
            coupling[n] = ratio[n] * inverse
            if k % GROUP == GROUP - 1 or k == last:
                logarithm[n] += float32(math.log2(product[n]))
                product[n] = ONE

    return begin, advance


@cache
def projection(columns: int) -> Any:
    """Device function of `_sbas_walk.project` for one ratio: elimination of the columns of ``gram`` (wide, wide)."""
    wide = columns + 1

    @cuda.jit(device=True)
    def project(gram, whole):  # type: ignore[no-untyped-def]
        for a in range(wide):
            whole[a] = gram[a, a]
        for a in range(columns):
            told = gram[a, a] > LOST * whole[a]
            pivot = gram[a, a] if told else 1.0
            gram[a, a] = pivot
            for b in range(a + 1, wide):
                gram[a, b] = gram[a, b] if told else 0.0
            for b in range(a + 1, wide):
                share = -gram[a, b] / pivot
                for c in range(b, wide):
                    gram[b, c] += share * gram[a, c]

    return project
