"""How long after rain or drawdown a slide moves: by correlation with shifted drivers, and by what a method looks at."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from slidecloud.forecast.independence import adjusted_p
from slidecloud.forecast.lagged import forcing
from slidecloud.forecast.methods import Fitted
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import DAY, Displacement, Drivers
from slidecloud.forecast.windows import daily
from slidecloud.kernels import rain as kernel
from slidecloud.kernels.interval import of_mean
from slidecloud.types import DataError, Float64

Cause = Literal["rain", "drawdown"]
LAGS: Final = tuple(range(0, 61, 3))
"""Days that are looked at."""
_FORCING: Final[dict[Cause, str]] = {"rain": "rain", "drawdown": "fall"}
_EPOCH: Final = np.datetime64(0, "D")


class Lags(NamedTuple):
    """Correlation of each point's rate of motion, in its own direction, with a driver some days before.

    ``lag``: int64 (lag,), days. ``correlation``: float64 (point, lag), in [-1, 1], NaN where too few intervals have
    both. ``best``: (point,), days at which it is largest. ``low``, ``high``: (point,), the least and the largest lag
    whose correlation lies within the interval of the best one: passes 12 days apart do not tell neighbouring lags
    apart. ``p_value``: (point,), of a correlation as large at any lag if motion did not follow the driver.
    ``adjusted``: (point,), for the number of points (Benjamini and Hochberg 1995).
    """

    lag: NDArray[np.int64]
    correlation: Float64
    best: Float64
    low: Float64
    high: Float64
    p_value: Float64
    adjusted: Float64


def cross_correlation(
    displacement: Displacement,
    drivers: Drivers,
    *,
    of: Cause = "rain",
    lags: ArrayLike = LAGS,
    level: float = 0.95,
    surrogates: int = 999,
    seed: int = 0,
) -> Lags:
    """Lags of all points by `slidecloud.kernels.rain.lagged`, whose intervals and p values know of memory and seasons.

    Parameters
    ----------
    displacement
        At the passes.
    drivers
        Whose rain, mm a day, or fall of the level, m a day and 0 where it rises, is held against the rate.
    of
        Which of the two.
    lags
        Days, at least 0, ascending.
    level, surrogates, seed
        As for `slidecloud.kernels.rain.lagged`.

    Raises
    ------
    DataError
        If the driver is absent.
    """
    shift = np.asarray(lags, np.int64)
    given, number = forcing(drivers, _FORCING[of]), (drivers.days - _EPOCH).astype(np.float64)
    shape = len(displacement.values), len(shift)
    correlation, best, low, high, p_value = np.full(shape, np.nan), *(np.full(shape[0], np.nan) for _ in range(4))
    for point, row in enumerate(displacement.values):
        known = np.isfinite(row)
        if known.sum() <= kernel.LEAST:
            continue
        days, moved = (displacement.dates[known] - _EPOCH).astype(np.float64), row[known]
        direction = -1.0 if moved[-1] <= moved[0] else 1.0
        wet = kernel.over_intervals(number, given[point if len(given) > 1 else 0], days, lags=shift)
        rate = direction * np.diff(moved) / np.diff(days)
        found = kernel.lagged(rate, wet, level=level, surrogates=surrogates, seed=seed)
        correlation[point] = found.correlation
        if found.best >= 0:
            alike = shift[found.correlation >= found.low[found.best]]
            best[point], low[point], high[point] = shift[found.best], alike.min(), alike.max()
            p_value[point] = found.p_value
    return Lags(shift, correlation, best, low, high, p_value, adjusted_p(p_value))


def driven(drivers: Drivers, dates: NDArray[np.datetime64], *, of: Cause = "rain", lag: int = 0) -> Float64:
    """Mean of a driver between successive dates shifted back by a lag, (points or 1, date - 1), a day.

    Parameters
    ----------
    drivers
        Rain, mm a day, or the level, whose fall is taken, m a day and 0 where it rises.
    dates
        datetime64[D] (date,), ascending.
    of
        Which of the two.
    lag
        Days, at least 0.

    Raises
    ------
    DataError
        If the driver is absent.
    """
    number, at = ((days - _EPOCH).astype(np.float64) for days in (drivers.days, dates))
    given = forcing(drivers, _FORCING[of])
    return np.stack([kernel.over_intervals(number, row, at, lags=[lag])[:, 0] for row in given])


def permutation(
    fitted: Fitted,
    displacement: Displacement,
    drivers: Drivers,
    samples: Samples,
    *,
    of: Literal["rain", "level"] = "rain",
    width: int = 5,
    days: int = 30,
    repeats: int = 3,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """What a method loses when it is given another day's rain or level, by how long before the target that day is.

    The days of a window before a target are exchanged for those before another target drawn at random, for all points
    together (Breiman 2001), in the drivers and in the windows of the samples. Of a level its daily changes are
    exchanged, since the level of another season would be a leap of metres. Where they matter, errors grow.
    Neighbouring days say nearly the same of a slow driver such as a level, so a loss may be spread over windows. It
    tells of the method, not of the slide: one without skill does not matter either way.

    Parameters
    ----------
    fitted
        A method that has learnt. It forecasts every target anew for each window and repeat.
    displacement, drivers, samples
        As for its `predict`; samples with known increments, not learnt from.
    of
        Which of the inputs.
    width
        Days of a window.
    days
        Before the target that are looked at.
    repeats
        Times each is done anew, at least 2.
    level, seed
        Of the intervals, and of the draws.

    Returns
    -------
    DataFrame
        A row a window: ``newest`` and ``oldest`` (days before the target, both included), ``loss`` (mm, growth of the
        root mean square error), ``low``, ``high`` (of its mean over the draws).

    Raises
    ------
    DataError
        If the driver is absent, or samples with known increments have fewer than two targets.
    ValueError
        If a setting makes no sense.
    """
    given: Float64 | None = getattr(drivers, of)
    if given is None:
        raise DataError(f"{of}: found none, expected what is to be exchanged.")
    if min(width, days) < 1 or repeats < 2:
        raise ValueError(f"width, days, repeats: found {width}, {days}, {repeats}, expected at least 1, 1 and 2")
    known = samples.where(np.isfinite(samples.increment))
    targets, turn = np.unique(known.target, return_inverse=True)
    if len(targets) < 2:
        raise DataError(f"samples: found {len(targets)} targets with known increments, expected two to exchange.")
    parts = [known.where(turn == number) for number in range(len(targets))]
    random = np.random.default_rng(seed)

    def error(ages: NDArray[np.int64]) -> float:
        donors = targets[random.permutation(len(targets))]
        squares = []
        for part, target, donor in zip(parts, targets, donors, strict=True):
            other = _exchanged(drivers, of, target, donor, ages)
            squares.append(_squares(fitted, displacement, other, _seen(part, other, of)))
        return float(np.sqrt(np.nanmean(np.concatenate(squares))))

    usual = float(np.sqrt(np.nanmean(_squares(fitted, displacement, drivers, known))))
    rows = []
    for first in range(0, days, width):
        last = min(first + width, days) - 1
        loss = of_mean([error(np.arange(first, last + 1)) - usual for _ in range(repeats)], level=level)
        rows.append((first, last, loss.value, loss.low, loss.high))
    return pd.DataFrame(rows, columns=["newest", "oldest", "loss", "low", "high"])


def _exchanged(
    drivers: Drivers, of: str, target: np.datetime64, donor: np.datetime64, ages: NDArray[np.int64]
) -> Drivers:
    """Drivers whose days of some age at a target are those of that age at another."""
    given: Float64 = getattr(drivers, of)
    to, source = (((day - drivers.days[0]) / DAY).astype(np.intp) - ages for day in (target, donor))
    there = (to >= 0) & (source >= 0)

    def exchanged(daily: Float64) -> Float64:
        daily[:, to[there]] = daily[:, source[there]]
        return daily

    if of == "rain":
        return replace(drivers, rain=exchanged(given.copy()))
    # Over a gap the level has changed bit by bit: what it changed by in all is not lost.
    whole = pd.DataFrame(given.T).interpolate(limit_direction="both").to_numpy(np.float64).T
    first = whole[:, :1]
    level = first + np.cumsum(exchanged(np.diff(whole, axis=1, prepend=first)), axis=1)
    return replace(drivers, level=np.where(np.isfinite(given), level, np.nan))


def _seen(samples: Samples, drivers: Drivers, of: str) -> Samples:
    """Samples whose window is that of other drivers."""
    window: Float64 | None = getattr(samples, of)
    if window is None:
        return samples
    seen = daily(drivers, getattr(drivers, of), samples.point, samples.target, window.shape[1])
    return replace(samples, rain=seen) if of == "rain" else replace(samples, level=seen)


def _squares(fitted: Fitted, displacement: Displacement, drivers: Drivers, samples: Samples) -> Float64:
    apart: Float64 = fitted.predict(displacement, drivers, samples).increment - samples.increment
    return apart**2
