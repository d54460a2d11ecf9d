"""Small-baseline inversion: displacement series, their sigmas and velocities from many pairs, pixel by pixel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._sbas_drift import fit_drift
from slidecloud.kernels._sbas_exact import solve_exact
from slidecloud.kernels._sbas_increments import WIDEST, solve_increments
from slidecloud.kernels._sbas_quality import robust_variance_factor, summarise_residuals
from slidecloud.kernels._sbas_velocity import fit_velocity
from slidecloud.types import Float32, Float64

BLOCK = 4096
LEAST_RMS = 1e-4
"""Residuals are never taken to be smaller than this many radians: pairs that fit perfectly do not make sigma zero."""


class Inversion(NamedTuple):
    """What `invert` returns. Shapes are (date, pixel) or (pixel,).

    Attributes
    ----------
    series
        float32 rad, phase relative to the first date with a valid pair at the pixel (that date is 0). NaN at dates
        without one. Subsets that share no pair are joined by the smallest velocities.
    sigma
        float32 rad, relative to the first date of the date's subset: ``sqrt(network variance * s0^2 + s_a^2)``.
    velocity, velocity_sigma
        float32 rad/yr. ``velocity_sigma`` is NaN where the dates leave no degree of freedom.
    temporal_coherence
        float32, |mean over valid pairs of exp(i (observed - fitted))|, unweighted; NaN at redundancy 0.
    residual_rms
        float32 rad over valid pairs, unweighted. It is zero, and says nothing, at redundancy 0.
    redundancy
        int16, valid pairs less the rank of the network they form.
    subset
        uint8 (date, pixel), 1, 2, ... by first date, 0 = no valid pair. Labels above 255 are stored as 255.
    recovered_fraction
        float32, share of the time between the pixel's first and last date that at least one valid pair covers.
    variance_factor
        float32, s0^2: variance of a pair of weight 1, from the residuals; 1 at redundancy 0.
    date_sigma
        float32 rad, s_a: what scatters each date (atmosphere above all) and closes around every loop of pairs. NaN
        where the dates leave no degree of freedom; ``sigma`` then holds the network part alone.
    drift_factor
        float32, by how much the scatter about the trend raises the network's variance in ``velocity`` and
        ``velocity_sigma`` alone: 1, or above 3. ``sigma`` is not raised: motion that is not steady would raise it.
    """

    series: Float32
    sigma: Float32
    velocity: Float32
    velocity_sigma: Float32
    temporal_coherence: Float32
    residual_rms: Float32
    redundancy: NDArray[np.int16]
    subset: NDArray[np.uint8]
    recovered_fraction: Float32
    variance_factor: Float32
    date_sigma: Float32
    drift_factor: Float32


class _Network(NamedTuple):
    """Pairs in the order (reference, secondary) over the dates that occur in them."""

    order: NDArray[np.int64]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    used: NDArray[np.int64]
    time: Float64


def invert(
    phase: Float32,
    weight: Float32 | NDArray[np.uint8],
    reference: ArrayLike,
    secondary: ArrayLike,
    *,
    time: ArrayLike,
    robust: bool = False,
    minimum_norm: bool = False,
    seasonal: bool = False,
) -> Inversion:
    """Displacement phase of every date by weighted least squares over small-baseline pairs (Berardino et al., 2002).

    Unknowns are the increments between successive dates. Their normal matrix is banded and, unlike that of phases,
    stays well conditioned however many dates there are, so float32 serves pixels whose pairs link all dates. Others
    (smallest pivot below 1e-4 of the mean diagonal), networks with a pair of more than nine date steps, and robust fits
    are solved in float64, with a ridge that chooses the minimum-norm velocity where pairs leave a choice and one step
    of iterated Tikhonov that removes its bias. Pairs may be of any length; the cost grows with the square of the
    longest. Every value is computed from its own pixel alone and does not depend on how pixels are grouped.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, unwrapped; NaN = missing.
    weight
        (pair, pixel) float32 or uint8, inverse phase variance in rad^-2 up to a common factor; 0 or NaN = missing.
    reference, secondary
        (pair,) integer date indices, reference earlier than secondary, each pair once, in any order.
    time
        (date,) years, strictly increasing.
    robust
        Minimise the sum of ``sqrt(weight (r^2 + 0.1^2))``, r in rad, in place of that of squares: unwrapping errors
        then hardly count. Sigmas come from the sandwich of that objective, corrected for the number of unknowns (El
        Karoui et al., 2013).
    minimum_norm
        Fit the velocity with one intercept, as if the joined subsets were one. Otherwise every subset has its own.
    seasonal
        Fit annual sine and cosine along with the velocity.

    Returns
    -------
    Inversion
        See there. Signs follow ``phase``: a positive increment is what a positive phase of a pair means.

    Raises
    ------
    TypeError
        If ``phase`` is not float32, ``weight`` neither float32 nor uint8, or the date indices are not integers.
    ValueError
        If shapes disagree, dates do not increase, a pair is reversed, repeated or outside ``time``, or values are
        infinite or weights negative.

    Notes
    -----
    *Scale.* s0^2 = sum of w r^2 over the redundancy.

    *Per-date variance.* Atmosphere closes around every loop, so residuals of pairs and the inverse of the network do
    not see it. The series is modelled as intercept per subset + velocity (+ annual terms) with covariance ``C_network
    s0^2 + s_a^2 I``, the first date included; s_a^2 >= 0 is where the weighted sum of squares of the model's residuals
    equals its degrees of freedom (Paule and Mandel, 1982). Velocity is the generalised least-squares estimate with that
    covariance.

    *Drift.* Pairs that share dates share speckle, whose errors also close around loops but add up from date to date:
    s0^2 comes out too small. Both parts are therefore estimated again by restricted maximum likelihood (Patterson and
    Thompson, 1971), and where that calls for more than three times s0^2, velocity and its sigma are those of this
    second fit. Motion that wanders about a steady rate counts as drift.

    *Sigmas* of dates come from selected inversion of the banded factor (Takahashi et al., 1973), without the drift.
    """
    _check_arrays(phase, weight)
    network = _network(reference, secondary, time, phase.shape[0])
    _check_values(phase, weight)
    dates, pixels = np.asarray(time).size, phase.shape[1]
    out = _empty(dates, pixels)
    for start in range(0, pixels, BLOCK):
        block = slice(start, min(start + BLOCK, pixels))
        _invert_block(phase[:, block], weight[:, block], network, out, block, robust, minimum_norm, seasonal)
    return out


def _check_arrays(phase: Any, weight: Any) -> None:
    if getattr(phase, "dtype", None) != np.float32:
        raise TypeError(
            f"phase: found dtype {getattr(phase, 'dtype', type(phase).__name__)}, expected float32 rad; "
            "convert with .astype(np.float32)"
        )
    if getattr(weight, "dtype", None) not in (np.dtype(np.float32), np.dtype(np.uint8)):
        raise TypeError(
            f"weight: found dtype {getattr(weight, 'dtype', type(weight).__name__)}, expected float32 or uint8; "
            "convert with .astype(np.float32)"
        )
    if phase.ndim != 2 or weight.shape != phase.shape:
        raise ValueError(
            f"phase and weight: found shapes {phase.shape} and {weight.shape}, expected one shape (pair, pixel); "
            "reshape rows and columns to one axis of pixels"
        )


def _check_values(phase: Float32, weight: Float32 | NDArray[np.uint8]) -> None:
    if np.isinf(phase).any():
        raise ValueError("phase: found infinite values, expected finite rad or NaN; set missing pixels to NaN")
    if weight.dtype == np.float32 and bool(((weight < 0) | (weight == np.inf)).any()):
        raise ValueError(
            "weight: found negative or infinite values, expected finite values >= 0; set missing pixels to 0"
        )


def _network(reference: ArrayLike, secondary: ArrayLike, time: ArrayLike, pairs: int) -> _Network:
    first, last = np.asarray(reference), np.asarray(secondary)
    years = np.asarray(time, dtype=np.float64)
    for name, index in (("reference", first), ("secondary", last)):
        if not np.issubdtype(index.dtype, np.integer):
            raise TypeError(f"{name}: found dtype {index.dtype}, expected integers that index time")
        if index.shape != (pairs,):
            raise ValueError(f"{name}: found shape {index.shape}, expected ({pairs},), one date index per row of phase")
    if years.ndim != 1 or not np.isfinite(years).all() or not (np.diff(years) > 0).all():
        raise ValueError(
            "time: expected finite years, strictly increasing, shape (date,); sort the dates and drop doubles"
        )
    if pairs == 0:
        raise ValueError("phase: found no pairs, expected at least one; check the network's limits")
    if first.min() < 0 or last.max() >= years.size or not (first < last).all():
        raise ValueError(
            f"reference, secondary: expected 0 <= reference < secondary < {years.size} (the number of dates) in every "
            "pair; swap reversed pairs and change the sign of their phase"
        )
    order = np.lexsort((last, first)).astype(np.int64)
    code = first[order].astype(np.int64) * years.size + last[order]
    if (np.diff(code) == 0).any():
        twice = int(order[np.flatnonzero(np.diff(code) == 0)[0]])
        raise ValueError(
            f"pair ({first[twice]}, {last[twice]}): found more than once, expected once; drop one of the two"
        )
    used = np.unique(np.concatenate([first, last])).astype(np.int64)
    rank = np.searchsorted(used, [first[order], last[order]]).astype(np.int64)
    return _Network(order, rank[0], rank[1], used, years[used])


def _empty(dates: int, pixels: int) -> Inversion:
    def table() -> Float32:
        return np.full((dates, pixels), np.nan, np.float32)

    def row() -> Float32:
        return np.full(pixels, np.nan, np.float32)

    redundancy, subset = np.zeros(pixels, np.int16), np.zeros((dates, pixels), np.uint8)
    return Inversion(table(), table(), row(), row(), row(), row(), redundancy, subset, row(), row(), row(), row())


class _Solved(NamedTuple):
    """A block's series (date, pixel) rad, network variance, subset labels, and recovered fraction (pixel,)."""

    series: Float32
    variance: Float32
    label: NDArray[np.int16]
    recovered: Float32


def _invert_block(
    phase: Float32,
    weight: Any,
    network: _Network,
    out: Inversion,
    block: slice,
    robust: bool,
    minimum_norm: bool,
    seasonal: bool,
) -> None:
    solved = _solve(phase, weight, network, robust)
    dates = (solved.label > 0).sum(axis=0)
    rank = dates - solved.label.max(axis=0)
    sums = np.empty((6, phase.shape[1]))
    summarise_residuals(phase, weight, network.order, network.reference, network.secondary, solved.series, sums)
    count, total, misfit, square, cosine, sine = sums
    redundancy = count.astype(np.int64) - rank
    empty = count == 0
    mean = np.where(empty, 1, count)
    least = np.where(redundancy > 0, LEAST_RMS**2 * total / mean, 1.0)
    if robust:
        factor = _robust_factor(phase, weight, network, solved.series, rank, least)
    else:
        factor = np.maximum(np.where(redundancy > 0, misfit / np.maximum(redundancy, 1), 1.0), least)
    design = _design(network.time, seasonal)
    velocity, spread, scatter, drift = (np.empty(phase.shape[1]) for _ in range(4))
    dof = (rank - design.shape[0]).astype(np.float64)
    pairs = (phase, weight, network.order, network.reference, network.secondary)
    trend = (*pairs, solved.series, solved.label, 1.0 / factor, dof, design, minimum_norm)
    fit_velocity(*trend, velocity, spread, scatter)
    fit_drift(*trend, scatter, velocity, spread, drift)
    length = np.sqrt(cosine * cosine + sine * sine) / mean
    out.series[network.used, block] = solved.series
    out.sigma[network.used, block] = np.sqrt(solved.variance * factor + np.where(np.isnan(scatter), 0.0, scatter))
    out.velocity[block] = np.where(empty, np.nan, velocity)
    out.velocity_sigma[block] = np.sqrt(spread)
    out.temporal_coherence[block] = np.where(redundancy > 0, length, np.nan)
    out.residual_rms[block] = np.where(empty, np.nan, np.sqrt(square / mean))
    out.redundancy[block] = redundancy
    out.subset[network.used, block] = np.minimum(solved.label, 255)
    out.recovered_fraction[block] = solved.recovered
    out.variance_factor[block] = np.where(empty, np.nan, factor)
    out.date_sigma[block] = np.sqrt(scatter)
    out.drift_factor[block] = np.where(empty, np.nan, drift)


def _solve(phase: Float32, weight: Any, network: _Network, robust: bool) -> _Solved:
    half = int((network.secondary - network.reference).max()) - 1
    pairs = (network.order, network.reference, network.secondary, half)
    solved = _unsolved(network.time.size, phase.shape[1])
    sound = np.zeros(phase.shape[1], np.bool_)
    if half <= WIDEST and not robust:
        solve_increments(phase, weight, *pairs, solved.series, solved.variance, sound)
    rest = np.flatnonzero(~sound)
    if rest.size == 0:
        return solved
    careful = _unsolved(network.time.size, rest.size)
    interval = np.diff(network.time)
    ratio = (np.median(interval) / interval) ** 2
    solve_exact(phase[:, rest], weight[:, rest], *pairs, network.time, ratio, robust, *careful)
    solved.series[:, rest] = careful.series
    solved.variance[:, rest] = careful.variance
    solved.label[:, rest] = careful.label
    solved.recovered[rest] = careful.recovered
    return solved


def _unsolved(dates: int, pixels: int) -> _Solved:
    """Room for a block, with what holds where pairs link all dates: one subset that covers the whole time."""
    series, variance = (np.empty((dates, pixels), np.float32) for _ in range(2))
    return _Solved(series, variance, np.ones((dates, pixels), np.int16), np.ones(pixels, np.float32))


def _robust_factor(
    phase: Float32, weight: Any, network: _Network, series: Float32, rank: NDArray[np.int64], least: Float64
) -> Float64:
    factor = np.empty(phase.shape[1])
    robust_variance_factor(phase, weight, network.order, network.reference, network.secondary, series, rank, factor)
    floored: Float64 = np.maximum(factor, least)
    return floored


def _design(time: Float64, seasonal: bool) -> Float64:
    years = time - time.mean()
    annual = [np.sin(2 * np.pi * time), np.cos(2 * np.pi * time)] if seasonal else []
    terms: Float64 = np.stack([years, *annual])
    return terms
