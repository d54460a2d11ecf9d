"""Rain and level as networks read them: pieces of the calendar for LSTMs, and means over earlier days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.lagged import fall
from slidecloud.forecast.samples import INPUTS, Inputs
from slidecloud.forecast.series import DAY, Displacement, Drivers
from slidecloud.models.response import NEW, WARM
from slidecloud.types import DataError, Float64

_AGES: Final = ((0, 3), (3, 6), (6, 10), (10, 15), (15, 22), (22, 31), (31, 60))
"""Days before a day, from and to, of each mean."""
_YEAR: Final = 365.25


class Calendar(NamedTuple):
    """What drivers did on the days from `first`, a day an index.

    Attributes
    ----------
    first
        The day of index 0, the same whatever days follow.
    pieces
        Of each driver float64 (rows, pieces, `WARM` + `NEW`, channels); unknown days are 0, the mean.
    plain
        float64 (rows, days, columns): means over earlier days, season, and 1.
    row
        int64 (points,), series of each point; points of the same series share a row.
    """

    first: np.datetime64
    pieces: tuple[Float64, ...]
    plain: Float64
    row: NDArray[np.int64]

    def number(self, dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Indices of days."""
        return ((dates - self.first) / DAY).astype(np.int64)


@dataclass(frozen=True)
class DriverScaling:
    """Means and spreads (channels,) of each driver in the time learnt from.

    Attributes
    ----------
    inputs
        ``S1``, ``S2`` or ``S3``.
    mean, spread
        Of each driver.
    """

    inputs: Inputs
    mean: tuple[Float64, ...]
    spread: tuple[Float64, ...]

    @staticmethod
    def learnt(drivers: Drivers, inputs: Inputs) -> DriverScaling:
        """From all of the days given.

        Raises
        ------
        DataError
            If an input is absent.
        """
        means, spreads = [], []
        for name in INPUTS[inputs]:
            channels = _channels(name, _given(drivers, name))
            known = np.isfinite(channels)
            count = np.maximum(known.sum((0, 1)), 1)
            mean = np.where(known, channels, 0.0).sum((0, 1)) / count
            variance = np.where(known, (channels - mean) ** 2, 0.0).sum((0, 1)) / count
            means.append(mean)
            spreads.append(np.where(variance > 0, np.sqrt(variance), 1.0))
        return DriverScaling(inputs, tuple(means), tuple(spreads))

    def calendar(self, drivers: Drivers, displacement: Displacement, last: np.datetime64) -> Calendar:
        """All days from the first pass, or a little before it, to the last asked for; later ones are not looked at."""
        first = displacement.dates[0] - DAY * (int(displacement.dates[0].astype(np.int64)) % NEW)
        pieces = -(-(int((last - first) / DAY) + 1) // NEW)
        days = first + np.arange(-WARM, pieces * NEW) * DAY
        drivers = drivers.until(last).on(days)
        names = INPUTS[self.inputs]
        given, row = _apart([_given(drivers, name) for name in names], displacement.points)
        read, plain = [], []
        for name, series, mean, spread in zip(names, given, self.mean, self.spread, strict=True):
            scaled = np.nan_to_num((_channels(name, series) - mean) / spread)
            starts = np.arange(pieces) * NEW
            read.append(scaled[:, starts[:, None] + np.arange(WARM + NEW)])
            plain.append(_means(scaled)[:, WARM:])
        season = _season(days[WARM:])
        plain.append(np.broadcast_to(season, (len(plain[0]), *season.shape)))
        return Calendar(first, tuple(read), np.concatenate(plain, axis=2), row)


def _given(drivers: Drivers, name: str) -> Float64:
    found: Float64 | None = getattr(drivers, name)
    if found is None:
        raise DataError(f"{name}: found none, which the method was to learn from; give it, or use other inputs.")
    return found


def _channels(name: str, series: Float64) -> Float64:
    """(rows, days, channels): rain and its logarithm; level, and its falling and rising."""
    if name == "rain":
        return np.stack([series, np.log1p(series)], axis=2)
    return np.stack([series, fall(series), fall(-series)], axis=2)


def _apart(given: list[Float64], points: int) -> tuple[list[Float64], NDArray[np.int64]]:
    """Series that differ, of each driver (rows, m), and the row of each point."""
    if all(len(series) == 1 for series in given):
        return given, np.zeros(points, np.int64)
    whole = [np.broadcast_to(series, (points, series.shape[1])) for series in given]
    same = np.concatenate([np.nan_to_num(series, nan=-np.pi) for series in whole], axis=1)
    _, first, row = np.unique(same, axis=0, return_index=True, return_inverse=True)
    return [series[first] for series in whole], row.reshape(-1).astype(np.int64)


def _means(scaled: Float64) -> Float64:
    """(rows, days, ages * channels) means over earlier days; days before the first are 0."""
    longest = _AGES[-1][1]
    total = np.pad(scaled, ((0, 0), (longest + 1, 0), (0, 0))).cumsum(axis=1)
    day = np.arange(scaled.shape[1]) + longest + 1
    means = [(total[:, day - start] - total[:, day - end]) / (end - start) for start, end in _AGES]
    return np.concatenate(means, axis=2)


def _season(days: NDArray[np.datetime64]) -> Float64:
    angle = 2 * np.pi * days.astype(np.int64) / _YEAR
    return np.stack([np.sin(angle), np.cos(angle), np.ones(len(days))], axis=1)
