"""Velocity and its variance on the device, averaged over what the walk and the white noise may be.

The mathematics is that of `_sbas_velocity`, and so are its constants; one thread a pixel.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from numba import cuda, float32, float64

from slidecloud.kernels._sbas_cuda_walk import elimination, laying, projection, together
from slidecloud.kernels._sbas_velocity import LUMP, NODES, OCTAVES, WIDTH_OF_LUMP
from slidecloud.kernels._sbas_walk import APART

LN2 = math.log(2.0)
FOUND = 4
"""Rate beside the plain one, its variance, white noise and growth, the last two by s0^2."""


@cuda.jit(device=True)
def _prior(octave, flat):  # type: ignore[no-untyped-def]
    u = octave / WIDTH_OF_LUMP
    lump = LUMP * (1.0 - u * u) * (1.0 - u * u) if u < 1.0 else 1e-9
    beyond = max(octave - OCTAVES, 0.0)
    return lump + flat / (1.0 + 4.0 * beyond * beyond)


@cache
def _weighing(columns: int) -> Any:
    """Device function of `_sbas_velocity._weigh` for one ratio and its projected ``gram``: chance and growth."""

    @cuda.jit(device=True)
    def weigh(gram, logarithm, unit, freedom, flat):  # type: ignore[no-untyped-def]
        f = max(freedom, 1.0)
        growth = max(gram[columns, columns], 0.0) * unit / f
        octave = math.log2(max(growth, 1.0))
        determinant = 1.0
        for c in range(columns):
            determinant *= gram[c, c]
        chance = float64(logarithm) - math.log2(determinant)
        chance -= f * (octave + min(growth - 1.0, 0.0) / LN2)
        return chance + 2.0 * math.log2(_prior(octave, flat)), max(growth, 1.0)

    return weigh


@cuda.jit(device=True)
def _average(chance, growth, rate, unit_variance, white, freedom, found):  # type: ignore[no-untyped-def]
    """Posterior means over the ratios into ``found``; see `_sbas_velocity._average`."""
    most = chance[0]
    for i in range(NODES):
        most = max(most, chance[i])
    total = 0.0
    for i in range(NODES):
        chance[i] = math.exp(0.5 * LN2 * (chance[i] - most))
        total += chance[i]
    for c in range(FOUND):
        found[c] = 0.0
    for i in range(NODES):
        found[0] += chance[i] / total * rate[i]
    wider = (freedom + 2.0) / freedom if freedom > 0.0 else 1.0
    half = 1.0
    for i in range(NODES):
        share = chance[i] / total
        apart = rate[i] - found[0]
        found[1] += share * (wider * growth[i] * unit_variance[i] + apart * apart)
        found[2] += share * growth[i] * white * half
        found[3] += share * growth[i]
        half *= 0.5


@cache
def trending(columns: int, broken: bool) -> Any:
    """Device function that fits the trend of one pixel; returns ``(unit, rate)`` to which ``found`` (4,) is relative.

    See `_sbas_velocity.fit_velocity` for the parameters; ``series`` is read in the rows ``used``, ``design`` has
    ``columns`` rows, ``sequence`` and ``count`` are those of `laying`.
    """
    wide, ratios = columns + 1, together(columns)
    tell, lay = laying(columns, broken)
    begin, advance = elimination(columns)
    project, weigh = projection(columns), _weighing(columns)

    @cuda.jit(device=True)
    def power(series, used, information, sequence, count, design, tie, mean, rate, pixel, t):  # type: ignore[no-untyped-def]
        fresh = cuda.local.array(wide, float32)
        total, number = 0.0, 0.0
        for k in range(used.size - 1):
            share = lay(series, used, information, sequence, count, design, tie, mean, rate, pixel, t, k, fresh)
            total += float64(fresh[columns]) * float64(fresh[columns])
            number += 1.0 if share < APART else 0.0
        return total / number if number > 0.0 else 0.0

    @cuda.jit(device=True)
    def fit(  # type: ignore[no-untyped-def]
        series, used, information, sequence, count, design, tie, scale, freedom, flat, pixel, t, found
    ):
        chance, growth = cuda.local.array(NODES, float64), cuda.local.array(NODES, float64)
        rates, unit_variance = cuda.local.array(NODES, float64), cuda.local.array(NODES, float64)
        exact, whole = cuda.local.array((wide, wide), float64), cuda.local.array(wide, float64)
        fresh, ratio = cuda.local.array(wide, float32), cuda.local.array(ratios, float32)
        coupling, product = cuda.local.array(ratios, float32), cuda.local.array(ratios, float32)
        logarithm, left = cuda.local.array(ratios, float32), cuda.local.array((ratios, wide), float32)
        gram = cuda.local.array((ratios, wide, wide), float32)
        mean, rate = tell(series, used, information, sequence, count, design, pixel, t)
        square = power(series, used, information, sequence, count, design, tie, mean, rate, pixel, t)
        white = max(square * scale / mean, 0.5)
        unit = scale / mean
        last = used.size - 2
        tried = white
        for i in range(0, NODES, ratios):
            for n in range(ratios):
                ratio[n] = float32(tried)
                tried *= 0.5
            begin(coupling, product, logarithm, left, gram)
            for k in range(last + 1):
                share = lay(series, used, information, sequence, count, design, tie, mean, rate, pixel, t, k, fresh)
                advance(k, last, share, fresh, ratio, coupling, product, logarithm, left, gram)
            for n in range(ratios):
                for b in range(wide):
                    for a in range(b + 1):
                        exact[a, b] = float64(gram[n, a, b])
                project(exact, whole)
                chance[i + n], growth[i + n] = weigh(exact, logarithm[n], unit, freedom, flat)
                unit_variance[i + n] = 1.0 / (exact[columns - 2, columns - 2] * unit)
                rates[i + n] = exact[columns - 2, columns] / exact[columns - 2, columns - 2]
        _average(chance, growth, rates, unit_variance, white, freedom, found)
        return unit, rate

    return fit
