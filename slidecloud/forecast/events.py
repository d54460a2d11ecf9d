"""Times that matter: heavy rain and fast drawdown, and how forecasts do then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scores import Scores, score
from slidecloud.forecast.series import DAY, Drivers
from slidecloud.kernels.rain import accumulated
from slidecloud.types import DataError, Float64

Kind = Literal["heavy rain", "drawdown"]
AFTER: Final = 14
"""Days for which a slide may answer to an event."""
_RAREST: Final = 0.98
"""Share of the days that are below what counts as an event, where no threshold is given."""


class Event(NamedTuple):
    """``kind``; ``first`` and ``last`` datetime64[D], both included; ``size``: mm of rain, or m the level fell."""

    kind: Kind
    first: np.datetime64
    last: np.datetime64
    size: float


def heavy_rain(drivers: Drivers, *, point: int = 0, days: int = 3, least: float | None = None) -> list[Event]:
    """Spells in which much rain falls within few days, in order of time.

    Parameters
    ----------
    drivers
        With rain.
    point
        Whose rain, where points have their own.
    days
        Over which rain is summed.
    least
        mm in `days`; None: what 98 % of the days of the record stay below.

    Raises
    ------
    DataError
        If there is no rain.
    """
    rain = _series(drivers, "rain", point)
    return _events("heavy rain", drivers.days, accumulated(rain, days), np.nan_to_num(rain), days, least)


def drawdowns(drivers: Drivers, *, point: int = 0, days: int = 10, least: float | None = None) -> list[Event]:
    """Spells in which the level falls fast, in order of time; as `heavy_rain`, with m in `days`.

    Raises
    ------
    DataError
        If there is no level.
    """
    level = _series(drivers, "level", point)
    fall = -np.diff(level, prepend=np.nan)
    total = np.full(len(fall), np.nan)
    if days < 1:
        raise ValueError(f"days: found {days}, expected at least 1")
    if len(fall) >= days:
        total[days - 1 :] = sliding_window_view(fall, days).sum(axis=1)
    return _events("drawdown", drivers.days, total, np.nan_to_num(fall), days, least)


def during(samples: Samples, events: Sequence[Event], *, after: int = AFTER) -> NDArray[np.bool_]:
    """Whether the time from a sample's pass to its target meets an event or the days ``after`` it, bool (n,)."""
    found = np.zeros(len(samples), bool)
    for event in events:
        found |= (samples.target >= event.first) & (samples.origin < event.last + after * DAY)
    return found


def in_times(samples: Samples, forecast: Forecast, chosen: Mapping[Kind, NDArray[np.bool_]]) -> pd.DataFrame:
    """`Scores` of the samples chosen for each kind of event, bool (n,), a row each, and of those for none: ``quiet``.

    A sample may be in the time of events of both kinds, and then counts in both rows.
    """
    quiet = ~np.logical_or.reduce([np.zeros(len(samples), bool), *chosen.values()])
    times = [*chosen.items(), ("quiet", quiet)]
    rows = [score(samples.where(rows), Forecast(*(column[rows] for column in forecast))) for _, rows in times]
    return pd.DataFrame(rows, index=pd.Index([name for name, _ in times], name="time"), columns=list(Scores._fields))


def _series(drivers: Drivers, name: Literal["rain", "level"], point: int) -> Float64:
    given: Float64 | None = getattr(drivers, name)
    if given is None:
        raise DataError(f"{name}: found none, expected a series to look for events in.")
    row: Float64 = given[point if len(given) > 1 else 0]
    return row


def _events(
    kind: Kind, days: NDArray[np.datetime64], total: Float64, daily: Float64, length: int, least: float | None
) -> list[Event]:
    """Windows whose total is large, joined where they meet."""
    known = np.isfinite(total)
    if not known.any():
        return []
    enough = float(np.quantile(total[known], _RAREST)) if least is None else least
    ends = np.flatnonzero(known & (total >= enough) & (total > 0))
    inside = np.zeros(len(days) + 1, np.int64)
    np.add.at(inside, ends - length + 1, 1)
    np.add.at(inside, ends + 1, -1)
    turns = np.diff(np.concatenate([[0], (np.cumsum(inside) > 0).astype(np.int64)]))
    spells = zip(np.flatnonzero(turns > 0), np.flatnonzero(turns < 0), strict=True)
    return [Event(kind, days[a], days[b - 1], float(daily[a:b].sum())) for a, b in spells]
