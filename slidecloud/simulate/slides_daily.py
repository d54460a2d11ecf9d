"""Landslides beside a reservoir, day by day: what rain and a falling level did to them, and what passes saw of it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float64

_FIRST: Final = np.datetime64("2016-01-10", "D")
_BEFORE: Final = 90
"""Days of rain and level before the first pass, so that lags reach back to known days."""
_REVISIT: Final = 12
_YEAR: Final = 365.25
_MEMORY: Final = 4.0
"""Days in which the answer to rain fades to a third."""


class DailySlides(NamedTuple):
    """Points on simulated slides.

    ``days`` datetime64[D] (m,); ``rain`` mm a day and ``level`` m, (m,); ``truth`` (points, m) mm, positive towards
    the satellite, 0 on the day of the first pass; ``passes`` datetime64[D] (d,); ``observed`` (points, d) mm, truth and
    noise at the passes, NaN where missing.

    What moves them, each (points,): ``rate`` mm a year; ``season`` mm, half of what a year's swing spans;
    ``rain_answer`` mm of motion by a mm of rain after ``rain_lag`` days; ``level_answer`` mm by a metre of drawdown
    after ``level_lag`` days.
    """

    days: NDArray[np.datetime64]
    rain: Float64
    level: Float64
    truth: Float64
    passes: NDArray[np.datetime64]
    observed: Float64
    rate: Float64
    season: Float64
    rain_answer: Float64
    rain_lag: NDArray[np.int64]
    level_answer: Float64
    level_lag: NDArray[np.int64]


def slides_daily(
    seed: int, *, points: int = 30, passes: int = 140, noise: float = 1.0, missing: float = 0.05
) -> DailySlides:
    """Slides that creep, swing with the season, and answer to rain and to a falling water level after lags.

    The rate on a day is ``rate + season + a * w(t - rain_lag) + b * max(0, -dlevel/dt)(t - level_lag)``, with ``w``
    the rain of the days before under an exponential memory of four days, of sum 1. Half of the points move away from
    the satellite. Rain comes in spells, mostly in summer; the level falls from January to June and is held low in the
    season of floods, as that of large reservoirs in China.

    Parameters
    ----------
    seed
        The result is a pure function of the arguments, and the slides do not depend on `noise` and `missing`.
    points
        How many.
    passes
        One every 12 days, those that are missing counted.
    noise
        Standard deviation of a pass at a point, mm.
    missing
        Share of passes that do not exist, and of values that are missing at a point beside them.

    Raises
    ------
    ValueError
        If there are fewer than 1 point or 2 passes, noise is negative or `missing` is not a share below 1.
    """
    if points < 1 or passes < 2 or noise < 0 or not 0 <= missing < 1:
        raise ValueError(
            f"points, passes, noise, missing: found {points}, {passes}, {noise}, {missing}, expected at least 1 and 2, "
            "at least 0 mm, and a share from 0 to below 1"
        )
    days = _FIRST + np.arange(-_BEFORE, _REVISIT * (passes - 1) + 1)
    rain, level = _rain(seed, days), _level(seed, days)
    draw = stream(seed, Subject.RESPONSES)
    towards = np.where(draw.random(points) < 0.5, -1.0, 1.0)
    rate, season = towards * draw.uniform(5.0, 60.0, points), draw.uniform(0.5, 4.0, points)
    phase = draw.uniform(0.0, _YEAR, points)
    rain_answer, rain_lag = towards * draw.uniform(0.005, 0.05, points), draw.integers(1, 15, points)
    level_answer, level_lag = towards * draw.uniform(0.1, 1.0, points), draw.integers(3, 21, points)
    since = np.arange(len(days)) - _BEFORE
    truth = rate[:, None] * since / _YEAR + season[:, None] * np.sin(2 * np.pi * (since - phase[:, None]) / _YEAR)
    truth += _answer(rain_answer, rain_lag, _remembered(rain))
    truth += _answer(level_answer, level_lag, np.maximum(-np.diff(level, prepend=level[0]), 0.0))
    truth -= truth[:, _BEFORE, None]
    seen = _seen(seed, passes, missing)
    observed = truth[:, _BEFORE + _REVISIT * seen] + noise * _per_pass(seed, points, seen)
    observed[_lost(seed, points, seen) < missing] = np.nan
    return DailySlides(
        days, rain, level, truth, _FIRST + _REVISIT * seen, observed, rate, season, rain_answer, rain_lag,
        level_answer, level_lag,
    )  # fmt: skip


def _rain(seed: int, days: NDArray[np.datetime64]) -> Float64:
    """Spells of wet days, twice as likely and heavier in summer."""
    draw = stream(seed, Subject.RAIN)
    chance, amount = draw.random(len(days)), draw.gamma(0.8, 1.0, len(days))
    summer = 0.5 - 0.5 * np.cos(2 * np.pi * (_of_year(days) - 15) / _YEAR)
    rain, wet = np.zeros(len(days)), False
    for day, warm in enumerate(summer):
        wet = bool(chance[day] < (0.55 + 0.15 * warm if wet else 0.10 + 0.15 * warm))
        rain[day] = amount[day] * (3.0 + 14.0 * warm) if wet else 0.0
    return rain


def _level(seed: int, days: NDArray[np.datetime64]) -> Float64:
    """From 175 m in winter to 145 m in the season of floods, with weeks of faster and slower change."""
    month = np.array([0, 15, 120, 160, 240, 300, 350, _YEAR])
    metres = np.array([174.0, 172.0, 160.0, 146.0, 147.0, 174.0, 175.0, 174.0])
    draw = stream(seed, Subject.WATER_LEVEL)
    weeks = np.arange(0, len(days) + 14, 7)
    wobble = np.interp(np.arange(len(days)), weeks, draw.normal(0.0, 0.8, len(weeks)))
    level: Float64 = np.interp(_of_year(days), month, metres) + wobble
    return level


def _of_year(days: NDArray[np.datetime64]) -> Float64:
    return np.asarray((days - days.astype("datetime64[Y]")) / np.timedelta64(1, "D"), np.float64)


def _remembered(rain: Float64) -> Float64:
    """Rain under an exponential memory of sum 1."""
    fade = np.exp(-1.0 / _MEMORY)
    found, state = np.empty_like(rain), 0.0
    for day, fallen in enumerate(rain):
        state = fade * state + (1.0 - fade) * fallen
        found[day] = state
    return found


def _answer(strength: Float64, lag: NDArray[np.int64], forcing: Float64) -> Float64:
    """Motion (points, m) by a forcing a day, summed up from the first day."""
    total = np.concatenate([[0.0], np.cumsum(forcing)])
    place = np.arange(len(forcing)) - lag[:, None] + 1
    moved: Float64 = strength[:, None] * total[np.maximum(place, 0)]
    return moved


def _seen(seed: int, passes: int, missing: float) -> NDArray[np.int64]:
    """Numbers of the passes there are; the first and the last always."""
    chance = stream(seed, Subject.PASSES).random(passes)
    chance[[0, -1]] = 1.0
    return np.flatnonzero(chance >= missing)


def _per_pass(seed: int, points: int, seen: NDArray[np.int64]) -> Float64:
    """Standard normal noise (points, d), each pass with a stream of its own."""
    return np.stack([stream(seed, Subject.PASS_NOISE, int(one)).normal(size=points) for one in seen], axis=1)


def _lost(seed: int, points: int, seen: NDArray[np.int64]) -> Float64:
    """Uniform numbers (points, d) that say which values are missing."""
    return np.stack([stream(seed, Subject.PASSES, int(one)).random(points) for one in seen], axis=1)
