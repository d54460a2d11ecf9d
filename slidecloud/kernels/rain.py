"""Rain and motion: rain summed up, and the lag at which motion follows it.

Series that are smooth in time agree by chance more often than their number of values says. Every interval and p value
here takes that into account.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from slidecloud.types import Float64

LEAST: Final = 8
"""Intervals below which no correlation is looked for."""


class Lagged(NamedTuple):
    """Correlation of motion with rain at each lag, and the lag at which it is largest.

    ``correlation``, ``low``, ``high``: float64 (lag,), in [-1, 1]. ``effective``: float64 (lag,), intervals that count
    as independent. ``intervals``: int64 (lag,), how many were compared. ``best``: index of the largest correlation, -1
    where there is none. ``p_value``: of a largest correlation as large, over all lags together, if motion did not
    follow rain. NaN where fewer than `LEAST` intervals have both.
    """

    correlation: Float64
    low: Float64
    high: Float64
    effective: Float64
    intervals: NDArray[np.int64]
    best: int
    p_value: float


def accumulated(rain: ArrayLike, days: int) -> Float64:
    """Rain of each day and the ``days - 1`` days before, float64 (day,); NaN where one of them is missing or before
    the first.

    Parameters
    ----------
    rain
        (day,), of each day without gaps in the calendar; NaN = missing.
    """
    values = _daily(rain)
    if days < 1:
        raise ValueError(f"days: found {days}, expected at least 1")
    found = np.full(values.shape, np.nan)
    if len(values) >= days:
        found[days - 1 :] = sliding_window_view(values, days).sum(axis=1)
    return found


def over_intervals(day: ArrayLike, rain: ArrayLike, times: ArrayLike, *, lags: ArrayLike) -> Float64:
    """Mean rain a day over the time between successive images, shifted back by each lag, float64 (interval, lag).

    Parameters
    ----------
    day
        (day,), numbers of successive days.
    rain
        (day,); NaN = missing.
    times
        (date,), ascending, in days on the same count, fractions included.
    lags
        (lag,), days.

    Returns
    -------
    float64 (date - 1, lag); NaN where the rain is missing on a day that the interval touches, or does not reach.
    """
    values, first = _daily(rain), float(np.asarray(day, np.float64)[0])
    moments = np.asarray(times, np.float64)
    shifted = moments[:, None] - np.asarray(lags, np.float64)[None, :] - first
    # The sum of all rain until a moment, linear within a day; a day that is missing makes a sum that spans it unknown.
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    lost = np.concatenate([[0.0], np.cumsum(np.isnan(values))])
    nodes = np.arange(len(total), dtype=np.float64)
    inside = (shifted >= 0.0) & (shifted <= len(values))
    until, gone = (np.interp(shifted, nodes, sums) for sums in (total, lost))
    fallen = np.diff(until, axis=0) / np.diff(moments)[:, None]
    whole = inside[1:] & inside[:-1] & (np.diff(gone, axis=0) == 0.0)
    return np.where(whole, fallen, np.nan)


def lagged(rate: ArrayLike, rain: ArrayLike, *, level: float = 0.95, surrogates: int = 999, seed: int = 0) -> Lagged:
    """Correlation of the rate of motion with the rain before, lag by lag.

    Intervals come from Fisher's transform with the number of independent values ``n / (1 + 2 sum (1 - k/n) a(k) b(k))``
    with a and b the autocorrelations of both series (Bartlett 1935; Bayley and Hammersley 1946), summed until one of
    them falls into its noise. The p value holds the largest correlation over all lags against those of surrogates:
    series with the spectrum of the rate, and so its seasons and memory, but random phases (Ebisuzaki 1997). So neither
    two series that rise and fall with the year nor the search for the best lag makes a connection of nothing.

    Parameters
    ----------
    rate
        (interval,), of motion between successive images, in the direction of the slide; NaN = missing. Intervals are
        taken as equally long.
    rain
        (interval, lag), as `over_intervals` gives it.
    level
        Of the intervals.
    surrogates
        Number of them; the smallest p value is 1 / (surrogates + 1).
    seed
        Of the surrogates.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Bayley, G. V., Hammersley, J. M. (1946), The effective number of independent observations in an autocorrelated time
    series, J. R. Stat. Soc. Suppl. 8(2), 184-197. Ebisuzaki, W. (1997), A method to estimate the statistical
    significance of a correlation when the data are serially correlated, J. Climate 10(9), 2147-2153.
    """
    motion, wet = np.asarray(rate, np.float64), np.asarray(rain, np.float64)
    if motion.ndim != 1 or wet.ndim != 2 or len(wet) != len(motion):
        raise ValueError(f"rate, rain: found shapes {motion.shape} and {wet.shape}, expected (n,) and (n, lag)")
    both = np.isfinite(motion)[:, None] & np.isfinite(wet)
    count = both.sum(axis=0)
    correlation = _correlations(motion[None, :], wet, both)[0]
    correlation[count < LEAST] = np.nan
    effective = np.array(
        [_effective(np.where(ok, motion, np.nan), np.where(ok, w, np.nan)) for ok, w in zip(both.T, wet.T, strict=True)]
    )
    effective[np.isnan(correlation)] = np.nan
    half = ndtri(0.5 + 0.5 * level) / np.sqrt(np.maximum(effective - 3.0, 1.0))
    centre = np.arctanh(np.clip(correlation, -1.0 + 1e-12, 1.0 - 1e-12))
    low, high = np.tanh(centre - half), np.tanh(centre + half)
    if np.isnan(correlation).all():
        return Lagged(correlation, low, high, effective, count, -1, np.nan)
    best = int(np.nanargmax(correlation))
    drawn = _correlations(_same_spectrum(motion, surrogates, seed), wet, both)
    largest = np.max(np.where(np.isnan(correlation), -np.inf, drawn), axis=1)
    p_value = (1.0 + float((largest >= correlation[best]).sum())) / (surrogates + 1.0)
    return Lagged(correlation, low, high, effective, count, best, p_value)


def _daily(rain: ArrayLike) -> Float64:
    values = np.asarray(rain, np.float64)
    if values.ndim != 1 or (values < 0).any() or np.isinf(values).any():
        raise ValueError(
            f"rain: found shape {values.shape} and values from {np.nanmin(values, initial=np.inf):.4g}, expected "
            "(day,) of finite numbers of at least 0; take flags such as -9999 for missing first"
        )
    return values


def _correlations(motion: Float64, wet: Float64, both: NDArray[np.bool_]) -> Float64:
    """Pearson correlation (series, lag) over the intervals that have both; NaN where one does not vary."""
    count = both.sum(axis=0)
    weight = both.astype(np.float64)
    x, y = np.where(np.isfinite(motion), motion, 0.0), np.where(both, wet, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sx, sxx, sxy = x @ weight, (x * x) @ weight, x @ y
        sy, syy = y.sum(axis=0), (y * y).sum(axis=0)
        vx, vy = sxx - sx * sx / count, syy - sy * sy / count
        found: Float64 = (sxy - sx * sy / count) / np.sqrt(vx * vy)
    found[:, (count < 2) | ~(vy > 1e-12 * np.maximum(syy, 1e-300))] = np.nan
    return np.clip(found, -1.0, 1.0)


def _effective(x: Float64, y: Float64) -> float:
    """Number of independent pairs of values in two series with gaps, between 2 and the number there are."""
    n = int(np.isfinite(x).sum())
    if n < LEAST:
        return np.nan
    together = 1.0
    for k in range(1, n // 2):
        a, b = _autocorrelation(x, k), _autocorrelation(y, k)
        # Within the noise of an autocorrelation there is no memory left to count.
        if min(abs(a), abs(b)) < 1.0 / np.sqrt(n):
            break
        together += 2.0 * (1.0 - k / n) * a * b
    return float(np.clip(n / max(together, n / n**2), 2.0, n))


def _autocorrelation(x: Float64, k: int) -> float:
    centred = x - np.nanmean(x)
    product = centred[k:] * centred[:-k]
    known = np.isfinite(product)
    power = np.nanmean(centred * centred)
    return float(product[known].mean() / power) if known.any() and power > 0 else 0.0


def _same_spectrum(motion: Float64, count: int, seed: int) -> Float64:
    """Series (count, n) with the spectrum of another and random phases; its gaps are filled by the mean."""
    filled = np.where(np.isfinite(motion), motion, np.nanmean(motion))
    middle = filled.mean()
    n = len(filled)
    spectrum = np.fft.rfft(filled - middle)
    turns = np.exp(2j * np.pi * np.random.default_rng(seed).random((count, len(spectrum))))
    turns[:, 0] = 1.0
    if n % 2 == 0:
        # The fastest wave of an even number of values has no phase to turn, only a sign.
        turns[:, -1] = np.where(turns[:, -1].real >= 0, 1.0, -1.0)
    drawn: Float64 = np.fft.irfft(np.abs(spectrum) * turns, n, axis=1) + middle
    return drawn
