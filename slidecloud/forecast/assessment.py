"""Everything that is to be known of how good forecasts were: by size, by horizon, in events, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.forecast import skill
from slidecloud.forecast.events import Event, Kind, drawdowns, during, heavy_rain, in_times
from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scores import by_horizon, by_size, size_classes
from slidecloud.forecast.series import Drivers
from slidecloud.kernels.interval import Interval

_UNKNOWN: Final = float("nan")
_KINDS: Final[dict[Kind, tuple[str, Callable[..., list[Event]]]]] = {
    "heavy rain": ("rain", heavy_rain),
    "drawdown": ("level", drawdowns),
}


class Answer(NamedTuple):
    """The largest event of a kind that forecasts were judged in, the point that moved most in its time, and by when."""

    event: Event
    point: int
    until: np.datetime64


class Assessment(NamedTuple):
    """How good forecasts were.

    ``skill`` against persistence, and ``coverage`` of the intervals. ``sizes``, ``horizons``: as `by_size` and
    `by_horizon`, with ``rmse_low`` and ``rmse_high``, an interval of 95 % over landslides, or over points where there
    are not two landslides. ``events``: as `in_times`. ``answers``: the largest event of either kind.
    """

    skill: Interval
    coverage: Interval
    sizes: pd.DataFrame
    horizons: pd.DataFrame
    events: pd.DataFrame
    answers: list[Answer]


def assess(samples: Samples, forecast: Forecast, drivers: Drivers, *, landslide: NDArray[np.object_]) -> Assessment:
    """Judge forecasts.

    Parameters
    ----------
    samples, forecast
        As for `slidecloud.forecast.scores.score`.
    drivers
        Whose rain and level have events.
    landslide
        (points,), id of the landslide of each point; empty for none.

    Raises
    ------
    ValueError
        As `slidecloud.forecast.scores.score`.
    """
    block = _blocks(samples, landslide)
    names, place = size_classes(samples)
    sizes, horizons = by_size(samples, forecast), by_horizon(samples, forecast)
    of_size = [*(place == number for number in range(len(names))), np.full(len(samples), True)]
    of_horizon = [samples.horizon == days for days in horizons.index]
    events, answers = _in_events(samples, forecast, drivers)
    return Assessment(
        _interval(skill.skill, samples, forecast, block),
        _interval(skill.coverage, samples, forecast, block),
        _with_ends(sizes, of_size, samples, forecast, block),
        _with_ends(horizons, of_horizon, samples, forecast, block),
        events,
        answers,
    )


def _blocks(samples: Samples, landslide: NDArray[np.object_]) -> NDArray[np.intp]:
    """Label of the landslide of each sample, or of its point where it lies in none or all lie in one."""
    names, label = np.unique(landslide.astype(str), return_inverse=True)
    alone = names[label] == ""
    label = np.where(alone, len(names) + np.arange(len(label)), label)[samples.point]
    return label if len(np.unique(label)) > 1 else samples.point


def _interval(of: Callable[..., Interval], samples: Samples, forecast: Forecast, block: NDArray[np.intp]) -> Interval:
    """Of a score, NaN where fewer than two blocks are judged."""
    known = np.isfinite(samples.increment) & np.isfinite(np.stack(forecast)).all(axis=0)
    if len(np.unique(block[known])) < 2:
        return Interval(_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, 0.95)
    return of(samples, forecast, block=block)


def _with_ends(
    table: pd.DataFrame,
    rows: list[NDArray[np.bool_]],
    samples: Samples,
    forecast: Forecast,
    block: NDArray[np.intp],
) -> pd.DataFrame:
    found = [_interval(skill.rmse, samples.where(own), _some(forecast, own), block[own]) for own in rows]
    return table.assign(rmse_low=[max(one.low, 0.0) for one in found], rmse_high=[one.high for one in found])


def _in_events(samples: Samples, forecast: Forecast, drivers: Drivers) -> tuple[pd.DataFrame, list[Answer]]:
    chosen, answers = {}, []
    for kind, (name, find) in _KINDS.items():
        if getattr(drivers, name) is None:
            continue
        chosen[kind], met = np.zeros(len(samples), bool), []
        for first, own in _alike(samples, drivers, name):
            events, part = find(drivers, point=first), samples.where(own)
            chosen[kind][own] = during(part, events)
            met += [(event, own[rows]) for event in events if len(rows := np.flatnonzero(during(part, [event])))]
        known = [(event, rows) for event, rows in met if np.isfinite(samples.increment[rows]).any()]
        if known:
            event, rows = max(known, key=lambda one: one[0].size)
            most = rows[np.nanargmax(np.abs(samples.increment[rows]))]
            answers.append(Answer(event, int(samples.point[most]), samples.target[most]))
    return in_times(samples, forecast, chosen), answers


def _alike(samples: Samples, drivers: Drivers, name: str) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The first point of those that share a series of a driver, and the rows of their samples."""
    series = getattr(drivers, name)
    if len(series) == 1:
        yield 0, np.arange(len(samples))
        return
    seen: dict[bytes, int] = {}
    of = np.array([seen.setdefault(row.tobytes(), number) for number, row in enumerate(series)])
    for first in np.unique(of):
        yield int(first), np.flatnonzero(of[samples.point] == first)


def _some(forecast: Forecast, rows: NDArray[np.bool_]) -> Forecast:
    return Forecast(*(column[rows] for column in forecast))
