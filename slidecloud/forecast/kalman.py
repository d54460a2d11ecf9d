"""Kalman filters: constant velocity, and with answers to rain, drawdown and season after lags.

Variances and lags are those of the largest likelihood on the training part, point by point; the filter then runs on
through all passes, so that a state never knows what came after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.intervals import Calibrated, Estimate, conformal
from slidecloud.forecast.lagged import LAGS, forcing, summed
from slidecloud.forecast.samples import INPUTS, Samples
from slidecloud.forecast.series import DAY, Displacement, Drivers
from slidecloud.kernels import motion_filter
from slidecloud.kernels.motion_filter import Driving, Filters
from slidecloud.types import Float64

_YEAR: Final = 365.25
_VARIANCES: Final = 3
_SEASON: Final = 2


@dataclass(frozen=True)
class Kalman:
    """Constant velocity that changes slowly."""

    name: str = "kalman"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:  # noqa: ARG002
        """Learns variances by point, and intervals."""
        return _fitted(displacement, drivers, train, ())


@dataclass(frozen=True)
class KalmanDriven:
    """Constant velocity with answers to the inputs and the season."""

    name: str = "kalman_driven"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:  # noqa: ARG002
        """Learns variances and lags by point, and intervals."""
        names = {"rain": "rain", "level": "fall"}
        return _fitted(displacement, drivers, train, tuple(names[one] for one in INPUTS[train.inputs]))


@dataclass(frozen=True)
class Filtered:
    """What has been learnt: filters of all points, and the drivers' means (series, driver) on the training part."""

    filters: Filters
    names: tuple[str, ...]
    usual: tuple[Float64, ...]

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Estimate:
        values = _explained(displacement, drivers, self.names)
        drivers = _through(displacement, drivers, samples.target.max(initial=displacement.dates[-1]))
        driving = _driving(displacement, drivers, self.names, self.usual)
        day, origin = (_number(drivers, dates) for dates in (displacement.dates, samples.origin))
        states = motion_filter.states(values, day, driving, filters=self.filters)
        point, horizon = samples.point, samples.horizon
        forced = driving.over(point, origin + 1, origin + 1 + horizon, self.filters.lag[point])
        position, variance = motion_filter.ahead(
            states,
            self.filters,
            point=point,
            date=np.searchsorted(displacement.dates, samples.origin),
            days=horizon.astype(np.float64),
            forced=forced,
        )
        return Estimate(position - samples.value, np.sqrt(variance))


def _fitted(displacement: Displacement, drivers: Drivers, train: Samples, names: tuple[str, ...]) -> Calibrated:
    def learn(part: Samples) -> Filtered:
        last = part.target.max()
        seen, known = displacement.until(last), drivers.until(last)
        values, driven = _explained(seen, known, names), _through(seen, known, last)
        usual = tuple(_means(forcing(driven, name)) for name in names)
        driving = _driving(seen, driven, names, usual)
        lags = np.zeros((driving.total.shape[1], len(LAGS)), np.int64)
        lags[: len(names)] = LAGS
        filters = motion_filter.learn(values, _number(driven, seen.dates), driving, lags=lags)
        return Filtered(filters, names, usual)

    numbers = _VARIANCES + 2 * len(names) + (_SEASON if names else 0)
    return conformal(learn, displacement, drivers, train, blocks=1, parameters=numbers)


def _explained(displacement: Displacement, drivers: Drivers, names: tuple[str, ...]) -> Float64:
    """Values (points, date) since what is named is known, and the pass before it: earlier motion would be laid on the
    season, whose answer does not change."""
    since = np.zeros(displacement.points, np.int64)
    for name in names:
        since = np.maximum(since, np.isfinite(forcing(drivers, name)).argmax(axis=1))
    early = np.isfinite(displacement.values) & (displacement.dates <= drivers.days[since, None])
    passes_left = np.cumsum(early[:, ::-1], axis=1)[:, ::-1]
    return np.where(passes_left > 1, np.nan, displacement.values)


def _through(displacement: Displacement, drivers: Drivers, last: np.datetime64) -> Drivers:
    """From the first pass to a day at least, unknown where they do not reach: the season goes on all the time."""
    first = min(drivers.days[0], displacement.dates[0])
    return drivers.on(np.arange(first, max(drivers.days[-1], last) + DAY))


def _driving(
    displacement: Displacement, drivers: Drivers, names: tuple[str, ...], usual: tuple[Float64, ...]
) -> Driving:
    """Sums of what is named, unknown days at their usual value, and of the season's swing where anything is named."""
    points, days = displacement.points, len(drivers.days)
    daily = [
        np.where(np.isfinite(given), given, mean[:, None])
        for given, mean in zip((forcing(drivers, name) for name in names), usual, strict=True)
    ]
    series = max((len(given) for given in daily), default=1)
    totals = [np.broadcast_to(summed(given).total, (series, days + 1)) for given in daily]
    trends = [np.broadcast_to(mean, series) for mean in usual]
    if names:
        angle = 2 * np.pi * (drivers.days[0].astype(np.int64) - 1 + np.arange(days + 1)) / _YEAR
        totals += [np.broadcast_to(wave(angle), (series, days + 1)) for wave in (np.sin, np.cos)]
        trends += [np.zeros(series)] * 2
    total = np.stack(totals, axis=1) if totals else np.zeros((1, 0, days + 1))
    trend = np.stack(trends, axis=1) if trends else np.zeros((1, 0))
    row = np.arange(points) if series > 1 else np.zeros(points, np.int64)
    return Driving(total, trend, row)


def _means(daily: Float64) -> Float64:
    """Mean of the known days of each series; of all where one has none, and 0 where none has."""
    known = np.isfinite(daily)
    whole = daily[known].mean() if known.any() else 0.0
    count = known.sum(axis=1)
    sums = np.where(known, daily, 0.0).sum(axis=1)
    return np.where(count > 0, sums / np.maximum(count, 1), whole)


def _number(drivers: Drivers, dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Days since the first of the drivers."""
    found: NDArray[np.int64] = ((dates - drivers.days[0]) / DAY).astype(np.int64)
    return found
