"""What happened between the last pass and a day: rain, drawdown and season, with lags; and how a point moved before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.samples import INPUTS, KNOWN, Samples
from slidecloud.forecast.series import DAY, Drivers
from slidecloud.types import DataError, Float64

LAGS: Final = (0, 3, 6, 9, 12, 15, 18, 24, 30)
"""Days."""
_PACES: Final = (1, 2, 4, 8)
"""Passes over which earlier motion is looked at, beside all there are."""
_FORCINGS: Final = {"rain": ("rain",), "level": ("fall", "rise")}
_YEAR: Final = 365.25


def matrix(samples: Samples, drivers: Drivers, motion: Float64) -> Float64:
    """Columns (n, column) that an increment may be a sum of multiples of.

    In this order: days from origin to target; sine and cosine of the year, and of half a year, at the target less those
    at the origin; for each of `LAGS` the rain of those days shifted back by it (mm), the drawdown and the rise (m);
    earlier motion over 1, 2, 4, 8 passes and all, in units of `motion` (points,) a day, times the days. NaN where rain
    or level is unknown.
    """
    horizon = samples.horizon.astype(np.float64)
    columns = [horizon, *_season(samples)]
    for one in INPUTS[samples.inputs]:
        for name in _FORCINGS[one]:
            columns += answers(samples, drivers, name)
    columns += [pace / motion[samples.point] * horizon for pace in paces(samples)]
    return np.column_stack(columns)


def paces(samples: Samples) -> list[Float64]:
    """Earlier motion, mm a day, over the last 1, 2, 4 and 8 passes and all of them, as far as there are as many."""
    steps = samples.displacement.shape[1]
    back = sorted({count for count in _PACES if count < steps} | {steps - 1} - {0})
    days = (samples.origin[:, None] - samples.displacement_dates[:, back]) / DAY
    return list((-samples.displacement[:, back] / days).T)


def answers(samples: Samples, drivers: Drivers, name: str, lags: Sequence[int] = LAGS) -> list[Float64]:
    """A forcing from origin to target shifted back by each lag, (n,) each; NaN where too little is known.

    Parameters
    ----------
    samples
        Of the points of the drivers.
    drivers
        Rain and level.
    name
        ``rain`` (mm), ``fall`` or ``rise`` of the level (m).
    lags
        Days.
    """
    daily = forcing(drivers, name)
    sums = summed(daily)
    row = samples.point if len(daily) > 1 else np.zeros_like(samples.point)
    first = ((samples.origin - drivers.days[0]) / DAY).astype(np.int64) + 1
    return [between(sums, row, first - lag, first - lag + samples.horizon) for lag in lags]


class Sums(NamedTuple):
    """Sums of the known days before each day and of all, and how many they are: (series, m + 1)."""

    total: Float64
    days: Float64


def summed(daily: Float64) -> Sums:
    """Of days (series, m), NaN where unknown."""
    known = np.isfinite(daily)
    none = np.zeros((len(daily), 1))
    total, count = (np.cumsum(given, axis=1, dtype=np.float64) for given in (np.where(known, daily, 0.0), known))
    return Sums(np.concatenate([none, total], axis=1), np.concatenate([none, count], axis=1))


def between(sums: Sums, row: NDArray[np.intp], first: NDArray[np.int64], end: NDArray[np.int64]) -> Float64:
    """Sums of days from `first` to before `end`, (n,); unknown days count as the mean of the known of their sum.

    Parameters
    ----------
    sums
        As `summed` makes them.
    row
        (n,), which series.
    first, end
        (n,), numbers of days, `end` the larger; days outside are unknown.

    Returns
    -------
    float64 (n,); NaN where less than `slidecloud.forecast.samples.KNOWN` of the days are known.
    """
    low, high = (np.clip(edge, 0, sums.total.shape[1] - 1) for edge in (first, end))
    total, count = (given[row, high] - given[row, low] for given in sums)
    days = end - first
    enough = count >= KNOWN * days
    return np.where(enough, total * days / np.maximum(count, 1.0), np.nan)


def forcing(drivers: Drivers, name: str) -> Float64:
    """Daily (series, m): ``rain``, mm; ``fall`` or ``rise`` of the level since the day before, m, at least 0.

    Raises
    ------
    DataError
        If the driver is absent.
    """
    given = drivers.rain if name == "rain" else drivers.level
    if given is None:
        raise DataError(f"{'rain' if name == 'rain' else 'level'}: found none, expected the driver that is looked at.")
    if name == "rain":
        return given
    return fall(given if name == "fall" else -given)


def fall(level: Float64) -> Float64:
    """Of a level (series, m) since the day before, at least 0; NaN on the first day and beside unknown ones."""
    found: Float64 = np.maximum(-np.diff(level, axis=1, prepend=np.nan), 0.0)
    return found


def _season(samples: Samples) -> list[Float64]:
    """Swing of a year and of half a year between origin and target."""
    ends = [2 * np.pi * given.astype(np.int64) / _YEAR for given in (samples.origin, samples.target)]
    return [wave(k * ends[1]) - wave(k * ends[0]) for k in (1, 2) for wave in (np.sin, np.cos)]
