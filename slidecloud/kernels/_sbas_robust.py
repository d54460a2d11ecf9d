"""Robust fits of pixels whose pairs link all dates well: reweighted least squares in float32, and their scale."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._lanes import choose, fused, magnitude, most, root, somewhere, splat
from slidecloud.kernels._lanes_memory import load, store
from slidecloud.kernels._sbas_band import NJIT
from slidecloud.kernels._sbas_increments import ONE, PIVOT, SMOOTH, eliminate, substitute
from slidecloud.kernels._sbas_stage import ZERO

SETTLED = 1e-3
"""A pixel is done when a step moves no date by this many radians."""
STRETCH = 1.7
MOST_STEPS = 200


@njit(**NJIT)
def _advance(better, trial, kept, fresh, column):  # type: ignore[no-untyped-def]
    """Keep the trial where it is better, stretch the step from it to the fresh fit, and return the largest change."""
    largest = splat(ZERO)
    for k in range(trial.shape[0]):
        before = load(trial, k, column)
        step = splat(np.float32(STRETCH)) * (load(fresh, k, column) - before)
        store(kept, k, column, choose(better, before, load(kept, k, column)))
        store(trial, k, column, before + step)
        largest = most(largest, magnitude(step))
    return largest


@njit(**NJIT)
def _keep(better, trial, kept, column):  # type: ignore[no-untyped-def]
    for k in range(trial.shape[0]):
        store(kept, k, column, choose(better, load(trial, k, column), load(kept, k, column)))


@njit(**NJIT)
def reweigh(value, w, column, pairs, wide, steps, band, work, trial, fresh, kept):  # type: ignore[no-untyped-def]
    """Least sum of smoothed absolute standardised residuals, from the fit in ``kept`` on, and into it.

    Each step minimises a parabola that touches the objective from above (Hunter and Lange, 2004) and is then stretched:
    short of twice its length the parabola is still lower than where it began. So the objective cannot grow but by
    rounding; a lane keeps what it had when it would, and is done then, or when no date moves by 1e-3 rad, or after
    ``steps`` steps. Other arrays are those of `eliminate`; ``trial`` and ``fresh`` (date, lane) are scratch.

    Returns a mask: true where every step's smallest pivot was above 1e-4 of the mean diagonal.
    """
    for k in range(kept.shape[0]):
        store(trial, k, column, load(kept, k, column))
    score = splat(np.float64(np.inf))
    moving = splat(ONE) > splat(ZERO)
    sound = moving
    for step in range(steps + 1):
        smallest, mean, objective = eliminate(value, w, column, pairs, wide, trial, band, work, None)
        better = moving & (objective < score)
        score = choose(better, objective, score)
        sound = sound & (choose(better, smallest - splat(PIVOT) * mean, splat(ONE)) > splat(ZERO))
        if step == steps or not somewhere(better):
            _keep(better, trial, kept, column)
            break
        substitute(wide, band, work, fresh, column)
        largest = _advance(better, trial, kept, fresh, column)
        moving = better & (largest > splat(np.float32(SETTLED)))
        if not somewhere(moving):
            break
    return sound


@njit(**NJIT)
def _curvature(value, w, column, pairs, series):  # type: ignore[no-untyped-def]
    """Replace weights by psi', zero where a pair is missing; return its sum, that of psi^2, and the number of pairs."""
    reference, secondary = pairs.reference, pairs.secondary
    total, power, number = splat(ZERO), splat(ZERO), splat(ZERO)
    smooth, zero = splat(SMOOTH), splat(ZERO)
    for p in range(reference.size):
        rated = load(w, p, column)
        model = load(series, secondary[p], column) - load(series, reference[p], column)
        known = rated > zero
        r = choose(known, load(value, p, column) - model, zero)
        square = fused(r, r, smooth)
        slope = choose(known, smooth / (square * root(square * rated)), zero)
        store(w, p, column, slope)
        total, power = total + slope, power + choose(known, r * r / square, zero)
        number = number + choose(known, splat(ONE), zero)
    return total, power, number


@njit(**NJIT)
def _leverage_constant(slope, column, rank, total):  # type: ignore[no-untyped-def]
    """The c > 0 at which the sum of ``c slope / (1 + c slope)`` is ``rank``; Newton from below, where it is concave."""
    c, one = rank / total, splat(ONE)
    moving = c > splat(ZERO)
    for _ in range(100):
        reached, rate = splat(ZERO), splat(ZERO)
        for p in range(slope.shape[0]):
            here = load(slope, p, column)
            part = one / fused(c, here, one)
            reached = fused(c * here, part, reached)
            rate = fused(here * part, part, rate)
        step = (rank - reached) / rate
        moving = moving & (step > splat(np.float32(1e-6)) * c)
        if not somewhere(moving):
            break
        c = choose(moving, c + step, c)
    return c


@njit(**NJIT)
def robust_factor(value, w, column, pairs, series, rank, out):  # type: ignore[no-untyped-def]
    """s0^2 of a robust fit into ``out`` (1, lane), one where pairs do not exceed ``rank`` (1, lane); weights are lost.

    The sandwich of an M-estimator in a form that holds where unknowns are not few beside pairs (El Karoui et al.,
    2013): with psi the derivative of the objective by the standardised residual, kappa = rank / pairs, and c such that
    ``mean(c psi' / (1 + c psi')) = kappa``, it is ``c^2 mean(psi^2) (1 - kappa) / kappa^2``. For squares this is the
    sum of squares over the redundancy, for few unknowns ``mean(psi^2) / mean(psi')^2``.
    """
    one, free = splat(ONE), load(rank, 0, column)
    total, power, number = _curvature(value, w, column, pairs, series)
    enough = (number > free) & (free > splat(ZERO))
    free, number = choose(enough, free, one), choose(enough, number, splat(np.float32(2)))
    c = _leverage_constant(w, column, free, choose(enough, total, one))
    kappa = free / number
    found = c * c * power / number * (one - kappa) / (kappa * kappa)
    store(out, 0, column, choose(enough, found, one))
