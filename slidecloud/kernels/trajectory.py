"""Models of motion fitted to displacement series: rate, seasons, steps and acceleration, each with its sigma.

Velocities that know the network of pairs and the scatter of dates come from `sbas.invert`. This is for the terms beside
them, with noise as `trajectory_noise` reads it from what `sbas.invert` tells, and for series of other origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels import _trajectory_design as model
from slidecloud.kernels._trajectory_solve import solve
from slidecloud.types import Float32, Float64


class Trajectory(NamedTuple):
    """What `fit` returns.

    Attributes
    ----------
    terms
        ``rate`` (m/yr, at the middle of the dates), ``sine`` and ``cosine`` (m, of 2 pi t, t in years), ``step_1``,
        ``step_2``, ... (m), ``acceleration`` (m/yr^2).
    value, sigma
        float32 (term, pixel); NaN where the dates of a pixel do not determine every term.
    offset
        float32 (pixel,) m, of the first subset at the middle of the dates.
    fitted
        float32 (date, pixel) m, also at dates that are missing, for which it is that of the first subset.
    residual_rms
        float32 (pixel,) m, unweighted.
    scale
        float32 (pixel,): the sigmas of dates are too small by this factor, the residuals say. NaN without degrees of
        freedom.
    freedom
        int16 (pixel,), valid dates less subsets and terms.
    """

    terms: tuple[str, ...]
    value: Float32
    sigma: Float32
    offset: Float32
    fitted: Float32
    residual_rms: Float32
    scale: Float32
    freedom: NDArray[np.int16]

    def of(self, term: str) -> Float32:
        """Value (pixel,) of a term by name."""
        found: Float32 = self.value[self.terms.index(term)]
        return found

    def sigma_of(self, term: str) -> Float32:
        """Sigma (pixel,) of a term by name."""
        found: Float32 = self.sigma[self.terms.index(term)]
        return found


class Season(NamedTuple):
    """``amplitude``, ``sigma``: float32 (pixel,) m. ``peak``, ``peak_sigma``: float32 (pixel,), fraction of a year at
    which the motion towards the satellite is farthest, in [0, 1), and its sigma."""

    amplitude: Float32
    sigma: Float32
    peak: Float32
    peak_sigma: Float32


def fit(
    displacement: ArrayLike,
    sigma: ArrayLike,
    time: ArrayLike,
    *,
    subset: ArrayLike | None = None,
    walk: ArrayLike | None = None,
    seasonal: bool = False,
    breaks: Sequence[float] = (),
    acceleration: bool = False,
    absolute: bool = False,
) -> Trajectory:
    """Least squares of every series on one model, each date by its sigma and, where given, a random walk.

    Parameters
    ----------
    displacement
        (date, pixel) m, NaN = missing. Series relative to a date keep that date's zero as an observation.
    sigma
        (date,) or (date, pixel) m, of noise that is a date's own; 0 or NaN leaves the date out.
    time
        (date,) years, increasing; of the calendar where the phase of the season matters.
    subset
        uint8 (date, pixel), 1, 2, ...: dates whose displacement has a constant of its own; 0 leaves the date out. By
        default all dates share one.
    walk
        (pixel,) m^2/yr, variance that noise which adds up from date to date gains in a year; none by default.
    seasonal
        Fit annual sine and cosine.
    breaks
        Years at which the ground may have stepped; dates from then on lie after the step.
    acceleration
        Fit half of it times the square of the time from the middle.
    absolute
        Believe the sigmas. Otherwise those of the terms are scaled by what the residuals say.

    Raises
    ------
    ValueError
        If shapes disagree, dates do not increase, or a break has no date before or after it.
    """
    given = model.checked(displacement, sigma, time, subset)
    terms, design = model.design(given.time, seasonal, breaks, acceleration)
    drift = np.zeros(given.series.shape[1]) if walk is None else np.asarray(walk, np.float64)
    if drift.shape != given.series.shape[1:]:
        raise ValueError(f"walk: found shape {drift.shape}, expected {given.series.shape[1:]}, one number a pixel")
    solved = solve(design, given.series, given.label, given.variance, drift, given.time)
    freedom = solved.number - len(terms)
    scale = np.sqrt(np.where(freedom > 0, solved.misfit, np.nan) / np.maximum(freedom, 1))
    variance = np.diagonal(solved.inverse, axis1=1, axis2=2).T
    # Rounding leaves a variance below zero only where it is nothing.
    formal = np.sqrt(np.maximum(variance, 0.0)) * (1.0 if absolute else scale)
    offset, fitted = _levelled(given, design @ solved.value.T)
    used = given.label > 0
    count = used.sum(0)
    rms = np.sqrt((np.where(used, given.series - fitted, 0.0) ** 2).sum(0) / np.maximum(count, 1))
    return Trajectory(
        terms=terms,
        value=_single(solved.value.T),
        sigma=_single(formal),
        offset=_single(offset),
        fitted=_single(fitted),
        residual_rms=_single(np.where(count > 0, rms, np.nan)),
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
    length = np.where(amplitude > 0, amplitude, np.nan)
    sigma = np.hypot(sine * spread[0], cosine * spread[1]) / length
    turn = np.hypot(cosine * spread[0], sine * spread[1]) / length**2 / (2 * np.pi)
    peak = np.mod(np.arctan2(sine, cosine) / (2 * np.pi), 1.0)
    return Season(_single(amplitude), _single(sigma), _single(peak), _single(turn))


def calendar_years(times: ArrayLike) -> Float64:
    """Years of the calendar, float64, right to a day, of datetime64 or of days."""
    seconds = np.asarray(times, "datetime64[s]").astype(np.float64)
    years: Float64 = 1970.0 + seconds / (86_400 * 365.25)
    return years


def _levelled(given: model.Checked, moved: Float64) -> tuple[Float64, Float64]:
    """Offset of the first subset, and the model with the weighted mean of each subset's residuals added to it."""
    weight = np.where(given.label > 0, 1 / given.variance, 0.0)
    left = np.where(given.label > 0, given.series - moved, 0.0)
    offset, fitted = np.full(moved.shape[1], np.nan), moved.copy()
    for number in range(int(given.label.max(initial=0)), 0, -1):
        own = given.label == number
        total = np.where(own, weight, 0.0).sum(0)
        level = np.where(own, weight * left, 0.0).sum(0) / np.where(total > 0, total, np.nan)
        here = own if number > 1 else own | (given.label == 0)
        fitted += np.where(here, level, 0.0)
        offset = np.where(np.isfinite(level), level, offset)
    return offset, fitted


def _single(values: Float64) -> Float32:
    return values.astype(np.float32)
