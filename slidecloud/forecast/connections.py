"""What the motion of points has to do with rain and with a falling level: how long after, and whether at all."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from slidecloud.forecast.independence import Independence, independence, together
from slidecloud.forecast.lags import Cause, Lags, cross_correlation, driven
from slidecloud.forecast.series import DAY, Displacement, Drivers

_RATE: Final = 0.05
"""Share of false ones among the points that are said to follow a driver."""


class Connection(NamedTuple):
    """Of one driver: ``lags`` of each point, and ``test`` of independence with the driver ``lag`` days before."""

    cause: Cause
    lags: Lags
    lag: int
    test: Independence


def connections(displacement: Displacement, drivers: Drivers, *, surrogates: int = 999) -> list[Connection]:
    """Lags and tests of independence of all points, for rain and for a falling level as far as they are given.

    Independence is tested at one lag for all points: the middle one of those that follow the driver by their
    correlation, and 0 where none does, so that nothing is searched where there is nothing.

    Parameters
    ----------
    displacement
        At the passes, at least two.
    drivers
        Rain, level or both.
    surrogates
        As for `slidecloud.forecast.lags.cross_correlation`.
    """
    given: dict[Cause, object] = {"rain": drivers.rain, "drawdown": drivers.level}
    found = []
    for cause in (cause for cause, series in given.items() if series is not None):
        lags = cross_correlation(displacement, drivers, of=cause, surrogates=surrogates)
        follow = lags.best[lags.adjusted <= _RATE]
        lag = int(np.quantile(follow, 0.5, method="lower")) if follow.size else 0
        found.append(Connection(cause, lags, lag, _tested(displacement, drivers, cause, lag)))
    return found


def _tested(displacement: Displacement, drivers: Drivers, cause: Cause, lag: int) -> Independence:
    """Between each point's own passes, together for points that have the same: tracks see them on different days."""
    patterns, pattern = np.unique(np.isfinite(displacement.values), axis=0, return_inverse=True)
    groups, tests = [np.flatnonzero(pattern.reshape(-1) == number) for number in range(len(patterns))], []
    for own, known in zip(groups, patterns, strict=True):
        dates, moved = displacement.dates[known], displacement.values[np.ix_(own, known)]
        drove = driven(drivers.of(own), dates, of=cause, lag=lag)
        tests.append(independence(np.diff(moved, axis=1) / (np.diff(dates) / DAY), drove, rate=_RATE))
    return together(tests, groups, rate=_RATE)
