"""What the motion of points has to do with rain and with a falling level: how long after, and whether at all."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from slidecloud.forecast.independence import Independence, independence
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
    rate = np.diff(displacement.values, axis=1) / (np.diff(displacement.dates) / DAY)
    found = []
    for cause in (cause for cause, series in given.items() if series is not None):
        lags = cross_correlation(displacement, drivers, of=cause, surrogates=surrogates)
        follow = lags.best[lags.adjusted <= _RATE]
        lag = int(np.quantile(follow, 0.5, method="lower")) if follow.size else 0
        test = independence(rate, driven(drivers, displacement.dates, of=cause, lag=lag), rate=_RATE)
        found.append(Connection(cause, lags, lag, test))
    return found
