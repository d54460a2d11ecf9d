"""Velocity and its variance, with the parts of it that residuals of pairs cannot show, averaged over what they may be.

Atmosphere scatters every date. Speckle that pairs share through their images adds up from date to date, as a random
walk. Both close around loops of pairs, so only the scatter of the series about its trend tells of them, and it tells
little of the walk: a few slow oscillations. The velocity's variance is therefore not that of the likeliest walk but
the mean over all that the series allows.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import WIDTH, choose, least, most, narrow, splat, widen
from slidecloud.kernels._lanes_memory import load, peek, poke, scratch, store
from slidecloud.kernels._sbas_band import INLINE, NJIT
from slidecloud.kernels._sbas_logs import exp2, log2
from slidecloud.kernels._sbas_walk import eliminate, lay_steps, project, step_power

NODES = 8
"""White noise is tried at twice the most that the steps allow and at halves of that, to a 64th."""
LOST = 1e-5
FLAT = 0.8 / 6
"""Prior density per octave of growth, up to 2^6; a fifth of the whole besides lies within 3/4 octave of one."""
OCTAVES = 6.0
LUMP, WIDTH_OF_LUMP = 0.25, 0.75


RATE, VARIANCE, GROWTH, CHANCE = 0, 1, 2, 3
"""Vectors of a node."""


@njit(**INLINE)
def _prior(octave, flat):  # type: ignore[no-untyped-def]
    """Prior density of a growth of ``2^octave``, octave >= 0, never quite zero."""
    u = octave / splat(WIDTH_OF_LUMP)
    one = splat(1.0)
    inside = one - u * u
    lump = choose(u < one, splat(LUMP) * inside * inside, splat(1e-9))
    beyond = most(octave - splat(OCTAVES), splat(0.0))
    return lump + splat(flat) / (one + splat(4.0) * beyond * beyond)


@njit(**INLINE)
def _weigh(exact, terms, product, power, unit, freedom, flat):  # type: ignore[no-untyped-def]
    """Twice the binary logarithm of the posterior of a node, and its growth of the walk.

    With the growth g integrated out the restricted likelihood is ``|C|^-1/2 |X^T C^-1 X|^-1/2 m^(-f/2)``, m the misfit
    and f its degrees of freedom (Patterson and Thompson, 1971), sharp about g = m / (f s0^2). Where that is below one,
    which the prior excludes, the likelihood is that of one.
    """
    wide, one, zero = len(terms) + 1, splat(1.0), splat(0.0)
    f = most(freedom, one)
    growth = most(peek(exact, wide * wide - 1), zero) * unit / f
    above = most(growth, one)
    determinant = widen(product)
    for c in range(wide - 1):
        determinant = determinant / peek(exact, c * wide + c)
    octave = log2(above)
    short = least(growth - one, zero) / splat(np.log(2.0))
    likelihood = log2(determinant) + widen(power) - f * (octave + short)
    return likelihood + splat(2.0) * log2(_prior(octave, flat)), above


@njit(**INLINE)
def _average(nodes, white, freedom):  # type: ignore[no-untyped-def]
    """Posterior means over the nodes: rate, its variance, white noise and growth, the last two by s0^2.

    Given the growth's likeliest value, its mean is larger by ``f / (f - 2)``, here ``(f + 2) / f``, which never ends.
    """
    highest, zero, one = peek(nodes, CHANCE), splat(0.0), splat(1.0)
    for i in range(1, NODES):
        highest = most(highest, peek(nodes, 4 * i + CHANCE))
    total, rate, spread, noise, growth = zero, zero, zero, zero, zero
    for i in range(NODES):
        share = exp2(splat(0.5) * (peek(nodes, 4 * i + CHANCE) - highest))
        poke(nodes, 4 * i + CHANCE, share)
        total = total + share
        rate = rate + share * peek(nodes, 4 * i + RATE)
    rate = rate / total
    free = freedom > zero
    wider = choose(free, (freedom + splat(2.0)) / choose(free, freedom, one), one)
    for i in range(NODES):
        share = peek(nodes, 4 * i + CHANCE) / total
        apart, grown = peek(nodes, 4 * i + RATE) - rate, peek(nodes, 4 * i + GROWTH)
        spread = spread + share * (wider * grown * peek(nodes, 4 * i + VARIANCE) + apart * apart)
        noise = noise + share * grown * white * splat(0.5**i)
        growth = growth + share * grown
    return rate, spread, noise, growth


@njit(**NJIT)
def fit_velocity(series, label, information, scale, dof, design, terms, tie, flat, found):  # type: ignore[no-untyped-def]
    """Velocity, its variance, the variance per date, and the growth of the network's variance, of every pixel.

    The series has covariance ``g s0^2 W + s I`` and an unknown constant per subset. W is a random walk whose step from
    one date to the next has the variance of the network's on a common rate, ``1 / (M 1)``, M the normal matrix of the
    increments. Growth g >= 1 and s have flat priors in their logarithms, g up to 64, but for a fifth of g's
    that is near one: residuals may tell all. Results are posterior means over `NODES` ratios of s to g; velocity and
    variance are those of generalised least squares at each ratio. An acceleration is fitted along when the ratios are
    judged, not in the velocity: motion that bends is not noise.

    Parameters
    ----------
    series
        (date, pixel) float32 rad, NaN at dates of no valid pair. The number of pixels is a multiple of `WIDTH`.
    label
        (date, pixel) int16 subsets.
    information
        (date - 1, pixel) float32, ``M 1`` of the steps in the order of `order_dates`; 0 where there is no step.
    scale, dof
        (1, pixel) float64: 1 / s0^2, and dates less subsets less terms.
    design
        (column, date) float64: annual terms if any, time in years, acceleration.
    terms
        A tuple of as many entries as there are columns: numba knows their number when it compiles.
    tie
        Whether one intercept holds for all subsets of a pixel.
    flat
        `FLAT`, or 0 to believe the residuals: the noise of pairs is known to be independent.
    found
        (4, pixel) float64, written: velocity in rad/yr, its variance, s in rad^2 (both NaN without degrees of freedom),
        and g.
    """
    columns, wide, count = len(terms), len(terms) + 1, design.shape[1] - 1
    single, double = np.empty(0, np.float32), np.empty(0, np.float64)
    steps, variance = scratch(wide * count, single), scratch(count, single)
    gram, exact = scratch(wide * wide + wide, single), scratch(wide * wide, double)
    nodes, levels = scratch(4 * NODES, double), scratch(2, double)
    jumps = np.empty((columns, count))
    for c in range(columns):
        for k in range(count):
            jumps[c, k] = design[c, k + 1] - design[c, k]
    short = jumps.astype(np.float32)
    time = (columns - 2) * wide
    for start in range(0, series.shape[1], WIDTH):
        alike = lay_steps(series, label, information, start, design, jumps, tie, steps, variance, levels)
        mean, trend, factor = peek(levels, 0), peek(levels, 1), load(scale, 0, start)
        unit, freedom = factor / mean, load(dof, 0, start) - splat(1.0)
        white = most(step_power(steps, variance, terms) * unit, splat(0.5))
        for i in range(NODES):
            ratio = narrow(white * splat(0.5**i))
            product, power = eliminate(terms, steps, variance, short, alike, ratio, gram)
            project(gram, terms, LOST, exact)
            chance, growth = _weigh(exact, terms, product, power, unit, freedom, flat)
            poke(nodes, 4 * i + CHANCE, chance)
            poke(nodes, 4 * i + GROWTH, growth)
            pivot = peek(exact, time + columns - 2)
            poke(nodes, 4 * i + VARIANCE, splat(1.0) / (pivot * unit))
            poke(nodes, 4 * i + RATE, peek(exact, time + columns) / pivot)
        rate, spread, noise, growth = _average(nodes, white, freedom)
        free, none = freedom > splat(0.0), splat(np.nan)
        store(found, 0, start, trend + rate)
        store(found, 1, start, choose(free, spread, none))
        store(found, 2, start, choose(free, noise / unit, none))
        store(found, 3, start, choose(free, growth, splat(1.0)))
