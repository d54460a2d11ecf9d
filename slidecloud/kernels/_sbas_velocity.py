"""Velocity and its variance, with the parts of it that residuals of pairs cannot show, averaged over what they may be.

Atmosphere scatters every date. Speckle that pairs share through their images adds up from date to date, as a random
walk. Both close around loops of pairs, so only the scatter of the series about its trend tells of them, and it tells
little of the walk: a few slow oscillations. The velocity's variance is therefore not that of the likeliest walk but
the mean over all that the series allows.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._sbas_band import NJIT, copy, fill
from slidecloud.kernels._sbas_logs import exp2, log2
from slidecloud.kernels._sbas_walk import eliminate, lay_steps, project, step_power

LANES = 128
NODES = 8
"""White noise is tried at twice the most that the steps allow and at halves of that, to a 64th."""
LOST = 1e-5
FLAT = 0.8 / 6
"""Prior density per octave of growth, up to 2^6; a fifth of the whole besides lies within 3/4 octave of one."""
OCTAVES = 6.0
LUMP, WIDTH = 0.25, 0.75


@njit(**NJIT)
def _set_white(power, mean, scale, white, lanes):  # type: ignore[no-untyped-def]
    """The largest ratio of white noise to the walk's usual step, from the mean square of a step."""
    for j in range(lanes):
        white[j] = max(power[j] * scale[j] / mean[j], 0.5)


@njit(**NJIT)
def _prior(octave, flat):  # type: ignore[no-untyped-def]
    """Prior density of a growth of ``2^octave``, octave >= 0, never quite zero."""
    u = octave / WIDTH
    lump = LUMP * (1.0 - u * u) * (1.0 - u * u) if u < 1.0 else 1e-9
    beyond = max(octave - OCTAVES, 0.0)
    return lump + flat / (1.0 + 4.0 * beyond * beyond)


@njit(**NJIT)
def _weigh(gram, product, exponent, unit, freedom, flat, chance, growth, lanes):  # type: ignore[no-untyped-def]
    """Twice the binary logarithm of the posterior of a node into ``chance``, and its ``growth`` of the walk.

    With the growth g integrated out the restricted likelihood is ``|C|^-1/2 |X^T C^-1 X|^-1/2 m^(-f/2)``, m the misfit
    and f its degrees of freedom (Patterson and Thompson, 1971), sharp about g = m / (f s0^2). Where that is below one,
    which the prior excludes, the likelihood is that of one.
    """
    columns = gram.shape[0]
    determinant, octave, prior = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    for j in range(lanes):
        f = max(freedom[j], 1.0)
        growth[j] = max(gram[columns - 1, columns - 1, j], 0.0) * unit[j] / f
        octave[j] = max(growth[j], 1.0)
        determinant[j] = product[j]
    for c in range(columns - 1):
        row = gram[c, c]
        for j in range(lanes):
            determinant[j] /= row[j]
    log2(determinant, chance, lanes)
    log2(octave, prior, lanes)
    for j in range(lanes):
        f = max(freedom[j], 1.0)
        chance[j] = chance[j] + exponent[j] - f * (prior[j] + min(growth[j] - 1.0, 0.0) / np.log(2.0))
        octave[j] = _prior(prior[j], flat)
        growth[j] = max(growth[j], 1.0)
    log2(octave, prior, lanes)
    for j in range(lanes):
        chance[j] += 2.0 * prior[j]


@njit(**NJIT)
def _average(chance, growth, rate, unit_variance, white, freedom, found, lanes):  # type: ignore[no-untyped-def]
    """Posterior means over the nodes into ``found``: rate, its variance, white noise and growth, the last two by s0^2.

    Given the growth's likeliest value, its mean is larger by ``f / (f - 2)``, here ``(f + 2) / f``, which never ends.
    """
    most, total, part = np.empty(lanes), np.zeros(lanes), np.empty(lanes)
    fill(most, -1e300, lanes)
    for i in range(NODES):
        row = chance[i]
        for j in range(lanes):
            most[j] = max(most[j], row[j])
    for c in range(4):
        fill(found[c], 0, lanes)
    for i in range(NODES):
        row = chance[i]
        for j in range(lanes):
            row[j] = 0.5 * (row[j] - most[j])
        exp2(row, part, lanes)
        for j in range(lanes):
            row[j] = part[j]
            total[j] += part[j]
            found[0][j] += part[j] * rate[i, j]
    for j in range(lanes):
        found[0][j] /= total[j]
    for i in range(NODES):
        half = 0.5**i
        for j in range(lanes):
            share = chance[i, j] / total[j]
            apart = rate[i, j] - found[0][j]
            wider = (freedom[j] + 2.0) / freedom[j] if freedom[j] > 0 else 1.0
            found[1][j] += share * (wider * growth[i, j] * unit_variance[i, j] + apart * apart)
            found[2][j] += share * growth[i, j] * white[j] * half
            found[3][j] += share * growth[i, j]


@njit(**NJIT)
def fit_velocity(  # type: ignore[no-untyped-def]
    series, label, information, scale, dof, design, tie, flat, velocity, spread, atmosphere, drift
):
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
        (date, pixel) float32 rad, NaN at dates of no valid pair.
    label
        (date, pixel) int16 subsets.
    information
        (date - 1, pixel) float32, ``M 1`` of the steps in the order of `order_dates`; 0 where there is no step.
    scale, dof
        (pixel,) float64: 1 / s0^2, and dates less subsets less terms.
    design
        (column, date) float64: annual terms if any, time in years, acceleration.
    tie
        Whether one intercept holds for all subsets of a pixel.
    flat
        `FLAT`, or 0 to believe the residuals: the noise of pairs is known to be independent.
    velocity, spread, atmosphere, drift
        (pixel,) float64, written: rad/yr, its variance, s in rad^2 (both NaN without degrees of freedom), and g.
    """
    dates, columns = design.shape[1], design.shape[0]
    steps = np.empty((columns + 1, dates - 1, LANES), np.float32)
    variance = np.empty((dates - 1, LANES), np.float32)
    gram = np.empty((columns + 1, columns + 1, LANES), np.float32)
    exact = np.empty((columns + 1, columns + 1, LANES))
    left = np.empty((columns + 1, LANES), np.float32)
    y, known = np.empty((dates, LANES), np.float32), np.empty((dates, LANES), np.float32)
    names = np.empty((dates, LANES), np.int16)
    coupling, inverse = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    product, ratio = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    exponent = np.empty(LANES, np.int32)
    mean, trend, power = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    white, unit, freedom = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    chance, growth = np.empty((NODES, LANES)), np.empty((NODES, LANES))
    rate, unit_variance = np.empty((NODES, LANES)), np.empty((NODES, LANES))
    found = np.empty((4, LANES))
    for start in range(0, series.shape[1], LANES):
        stop = min(start + LANES, series.shape[1])
        lanes = stop - start
        for k in range(dates):
            copy(series[k, start:stop], y[k], lanes)
            copy(label[k, start:stop], names[k], lanes)
            copy(information[min(k, dates - 2), start:stop], known[k], lanes)
        lay_steps(y, names, known, design, tie, steps, variance, mean, trend, lanes)
        step_power(steps, variance, power, lanes)
        _set_white(power, mean, scale[start:stop], white, lanes)
        for j in range(lanes):
            unit[j] = scale[start + j] / mean[j]
            freedom[j] = dof[start + j] - 1.0
        for i in range(NODES):
            for j in range(lanes):
                ratio[j] = white[j] * 0.5**i
            eliminate(steps, variance, ratio, left, gram, coupling, inverse, product, exponent, lanes)
            for a in range(columns + 1):
                for b in range(a, columns + 1):
                    for j in range(lanes):
                        exact[a, b, j] = gram[a, b, j]
            project(exact, LOST, lanes)
            _weigh(exact, product, exponent, unit, freedom, flat, chance[i], growth[i], lanes)
            for j in range(lanes):
                unit_variance[i, j] = 1.0 / (exact[columns - 2, columns - 2, j] * unit[j])
                rate[i, j] = exact[columns - 2, columns, j] / exact[columns - 2, columns - 2, j]
        _average(chance, growth, rate, unit_variance, white, freedom, found, lanes)
        for j in range(lanes):
            free = freedom[j] > 0
            velocity[start + j] = trend[j] + found[0, j]
            spread[start + j] = found[1, j] if free else np.nan
            atmosphere[start + j] = found[2, j] / unit[j] if free else np.nan
            drift[start + j] = found[3, j] if free else 1.0
