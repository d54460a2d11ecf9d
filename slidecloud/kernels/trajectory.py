"""Models of motion fitted to displacement series: rate, seasons, steps and acceleration, each with its sigma.

Velocities that know the network of pairs and the scatter of dates come from `sbas.invert`. This is for the terms beside
them and for series of other origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from slidecloud.kernels import _trajectory_design as model
from slidecloud.kernels._trajectory_solve import solve_alike, solve_apart
from slidecloud.types import Float32, Float64


class Trajectory(NamedTuple):
    """What `fit` returns.

    Attributes
    ----------
    terms
        ``offset`` (m, at the middle of the dates), ``rate`` (m/yr, there), ``sine`` and ``cosine`` (m, of 2 pi t, t in
        years), ``step_1``, ``step_2``, ... (m), ``acceleration`` (m/yr^2).
    value, sigma
        float32 (term, pixel); NaN where the dates of a pixel do not determine every term.
    fitted
        float32 (date, pixel) m, also at dates that are missing.
    residual_rms
        float32 (pixel,) m, unweighted.
    scale
        float32 (pixel,): the sigmas of dates are too small by this factor, the residuals say. NaN without degrees of
        freedom.
    freedom
        int16 (pixel,), valid dates less terms.
    """

    terms: tuple[str, ...]
    value: Float32
    sigma: Float32
    fitted: Float32
    residual_rms: Float32
    scale: Float32
    freedom: NDArray[np.int16]

    def of(self, term: str) -> Float32:
        """Value (pixel,) of a term by name."""
        found: Float32 = self.value[self.terms.index(term)]
        return found


class Season(NamedTuple):
    """``amplitude``, ``sigma``: float32 (pixel,) m. ``peak``: float32 (pixel,), fraction of a year in [0, 1) at which
    the motion towards the satellite is farthest."""

    amplitude: Float32
    sigma: Float32
    peak: Float32


class Step(NamedTuple):
    """``date``: int16 (pixel,), index of the first date after the step, -1 where none can be sought. ``size``,
    ``sigma``: float32 (pixel,) m. ``chance``: float32 (pixel,), upper bound of the probability that white noise makes
    one as clear at any date."""

    date: NDArray[np.int16]
    size: Float32
    sigma: Float32
    chance: Float32


def fit(
    displacement: ArrayLike,
    sigma: ArrayLike,
    time: ArrayLike,
    *,
    seasonal: bool = False,
    breaks: Sequence[float] = (),
    acceleration: bool = False,
    covariance: ArrayLike | None = None,
    absolute: bool = False,
) -> Trajectory:
    """Least squares of every series on one model, each date by its sigma and, where given, their covariance.

    Parameters
    ----------
    displacement
        (date, pixel) m, NaN = missing. Series relative to a date keep that date's zero as an observation.
    sigma
        (date,) or (date, pixel) m; 0 or NaN leaves the date out.
    time
        (date,) years, increasing; of the calendar where the phase of the season matters.
    seasonal
        Fit annual sine and cosine.
    breaks
        Years at which the ground may have stepped; dates from then on lie after the step.
    acceleration
        Fit half of it times the square of the time from the middle.
    covariance
        (date, date) m^2, added to the squares of ``sigma``, which is then (date,).
    absolute
        Believe the sigmas. Otherwise those of the terms are scaled by what the residuals say.

    Raises
    ------
    ValueError
        If shapes disagree, dates do not increase, or a break has no date before or after it.
    """
    series, spread, moment = model.checked(displacement, sigma, time)
    terms, design = model.design(moment, seasonal, breaks, acceleration)
    if covariance is None:
        solved = solve_apart(design, series, model.weights(series, spread))
    else:
        solved = solve_alike(design, *model.correlated(series, spread, covariance))
    freedom = solved.number - len(terms)
    scale = np.sqrt(np.where(freedom > 0, solved.misfit, np.nan) / np.maximum(freedom, 1))
    variance = np.diagonal(solved.inverse, axis1=1, axis2=2).T
    # Rounding leaves a variance below zero only where it is nothing.
    formal = np.sqrt(np.maximum(variance, 0.0)) * (1.0 if absolute else scale)
    fitted = design @ solved.value.T
    used = np.isfinite(series) & (spread > 0)
    left = np.where(used, series - fitted, 0.0)
    rms = np.sqrt((left**2).sum(0) / np.maximum(solved.number, 1))
    return Trajectory(
        terms=terms,
        value=_single(solved.value.T),
        sigma=_single(formal),
        fitted=_single(fitted),
        residual_rms=_single(np.where(solved.number > 0, rms, np.nan)),
        scale=_single(scale),
        freedom=freedom.astype(np.int16),
    )


def season(of: Trajectory) -> Season:
    """Amplitude and time of the annual motion.

    Raises
    ------
    ValueError
        If the model has no season.
    """
    if "sine" not in of.terms:
        raise ValueError(f"of: found the terms {', '.join(of.terms)}, expected a season; fit with seasonal=True")
    at = of.terms.index("sine")
    (sine, cosine), spread = of.value[at : at + 2].astype(np.float64), of.sigma[at : at + 2].astype(np.float64)
    amplitude = np.hypot(sine, cosine)
    sigma = np.hypot(sine * spread[0], cosine * spread[1]) / np.where(amplitude > 0, amplitude, np.nan)
    peak = np.mod(np.arctan2(sine, cosine) / (2 * np.pi), 1.0)
    return Season(_single(amplitude), _single(sigma), _single(peak))


def likeliest_step(
    displacement: ArrayLike,
    sigma: ArrayLike,
    time: ArrayLike,
    *,
    seasonal: bool = False,
    breaks: Sequence[float] = (),
    acceleration: bool = False,
    margin: int = 3,
) -> Step:
    """The one step that lessens the misfit of a model most, for every series by itself.

    All dates are tried in one pass over sums from the end. ``chance`` is the tail of F at the best date times the dates
    tried (Bonferroni); it holds for white noise of the relative sigmas given. Some 16 double-precision numbers a date
    and pixel are held: give large scenes in parts.

    Parameters
    ----------
    displacement, sigma, time, seasonal, breaks, acceleration
        As for `fit`; steps already known go into `breaks`.
    margin
        Valid dates that must lie before and after a step.

    Raises
    ------
    ValueError
        As `fit`.
    """
    series, spread, moment = model.checked(displacement, sigma, time)
    terms, design = model.design(moment, seasonal, breaks, acceleration)
    weight = model.weights(series, spread)
    base = solve_apart(design, series, weight)
    left = np.where(weight > 0, series - design @ base.value.T, 0.0)
    own, told = _from_the_end(weight), _from_the_end(weight * left)
    shared = np.stack([_from_the_end(weight * column[:, None]) for column in design.T])
    free = own - np.einsum("adp,pab,bdp->dp", shared, base.inverse, shared, optimize=True)
    after = _from_the_end((weight > 0).astype(np.float64))
    tried = (after >= margin) & (base.number - after >= margin) & (weight > 0) & (free > 1e-6 * own)
    gain = np.where(tried, told**2 / np.where(tried, free, 1.0), -1.0)
    best = gain.argmax(0)
    at = best, np.arange(best.size)
    degrees = base.number - len(terms) - 1
    found = tried[at] & (degrees > 0)
    noise = np.maximum(base.misfit - gain[at], 1e-300) / np.maximum(degrees, 1)
    chance = np.minimum(1.0, tried.sum(0) * stats.f.sf(gain[at] / noise, 1, np.maximum(degrees, 1)))
    divisor = np.where(found, free[at], np.nan)
    date = np.where(found, best, -1).astype(np.int16)
    chance = np.where(found, chance, np.nan)
    return Step(date, _single(told[at] / divisor), _single(np.sqrt(noise / divisor)), _single(chance))


def _from_the_end(values: Float64) -> Float64:
    """Sums along dates, from each to the last."""
    return np.flip(np.cumsum(np.flip(values, 0), 0), 0)


def _single(values: Float64) -> Float32:
    return values.astype(np.float32)
