"""What models of motion are fitted to: checked series, terms and weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64


def checked(displacement: ArrayLike, sigma: ArrayLike, time: ArrayLike) -> tuple[Float64, Float64, Float64]:
    """Series (date, pixel) with NaN where missing, sigmas that broadcast to them, and years.

    Raises
    ------
    ValueError
        If shapes disagree or dates do not increase.
    """
    series, spread, moment = (np.asarray(values, dtype=np.float64) for values in (displacement, sigma, time))
    spread = spread[:, None] if spread.ndim == 1 else spread
    fits = series.ndim == 2 and moment.shape == series.shape[:1] and spread.shape in (series.shape, (moment.size, 1))
    if not fits:
        raise ValueError(
            f"displacement, sigma, time: found shapes {series.shape}, {np.shape(sigma)}, {moment.shape}, expected "
            "(date, pixel), (date,) or (date, pixel), and (date,)"
        )
    if moment.size < 2 or np.any(np.diff(moment) <= 0):
        raise ValueError(f"time: found {moment.size} dates or a step back, expected at least two, increasing")
    return series, spread, moment


def design(
    time: Float64, seasonal: bool, breaks: Sequence[float], acceleration: bool
) -> tuple[tuple[str, ...], Float64]:
    """Names of the terms and their columns, (date, term).

    Raises
    ------
    ValueError
        If a break has no date before or after it.
    """
    middle = time - (time[0] + time[-1]) / 2
    columns = {"offset": np.ones(time.size), "rate": middle}
    if seasonal:
        columns |= {"sine": np.sin(2 * np.pi * time), "cosine": np.cos(2 * np.pi * time)}
    for number, moment in enumerate(breaks, start=1):
        if not time[0] < moment <= time[-1]:
            raise ValueError(f"breaks: found {moment}, expected a year between {time[0]:.3f} and {time[-1]:.3f}")
        columns[f"step_{number}"] = (time >= moment).astype(np.float64)
    if acceleration:
        columns["acceleration"] = middle**2 / 2
    return tuple(columns), np.stack(list(columns.values()), axis=1)


def weights(series: Float64, spread: Float64) -> Float64:
    """``1 / sigma^2`` (date, pixel); 0 where a series or its sigma is missing."""
    known = np.isfinite(series) & np.isfinite(spread) & (spread > 0)
    return np.where(known, 1 / np.where(spread > 0, spread, 1.0) ** 2, 0.0)


def correlated(series: Float64, spread: Float64, covariance: ArrayLike) -> tuple[Float64, Float64]:
    """Series with NaN also at dates without sigma, and the whole covariance of dates, m^2.

    Raises
    ------
    ValueError
        If shapes disagree or the covariance is not symmetric.
    """
    shared, size = np.asarray(covariance, dtype=np.float64), len(series)
    if shared.shape != (size, size) or spread.shape != (size, 1):
        raise ValueError(
            f"covariance, sigma: found shapes {shared.shape} and {spread.shape}, expected ({size}, {size}) with one "
            "sigma a date"
        )
    if not np.allclose(shared, shared.T, rtol=1e-6):
        raise ValueError("covariance: found a matrix that is not symmetric, expected m^2 between dates")
    known = spread > 0
    return np.where(known, series, np.nan), shared + np.diag(np.where(known, spread, 1.0)[:, 0] ** 2)
