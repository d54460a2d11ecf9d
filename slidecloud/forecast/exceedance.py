"""How probable it is that motion exceeds a threshold, from a forecast and its interval."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from slidecloud.forecast.intervals import NORMAL
from slidecloud.forecast.series import DAY
from slidecloud.types import Float64

Direction = Literal["either", "towards", "away"]


class Base(NamedTuple):
    """What a threshold counts from: displacement (mm) by then, and how much more (mm) is too much; shapes as asked."""

    value: Float64
    limit: Float64


def exceedance(estimate: Float64, lower: Float64, upper: Float64, base: Base, *, direction: Direction) -> Float64:
    """Probability that displacement has gone further from a base than a limit.

    The distribution is made of the halves of two normal ones that meet in the estimate, its median, and whose ends are
    those of the interval: 5 % below `lower` and 5 % above `upper`.

    Parameters
    ----------
    estimate, lower, upper
        Any one shape, mm, positive towards the satellite; NaN where nothing is forecast.
    base
        Of the same shape.
    direction
        Whether motion towards the satellite counts, away from it, or either.

    Returns
    -------
    float64 of that shape, in [0, 1]; NaN where an input is.
    """
    found: Float64 = np.zeros(np.shape(estimate))
    if direction != "away":
        found = found + _above(base.value + base.limit, estimate, upper - estimate, estimate - lower)
    if direction != "towards":
        found = found + _above(base.limit - base.value, -estimate, estimate - lower, upper - estimate)
    return np.minimum(found, 1.0)


def _above(limit: Float64, median: Float64, over: Float64, under: Float64) -> Float64:
    """Probability of more than a limit; a half without width lies in the median."""
    beyond = limit - median
    spread = np.where(beyond > 0, over, under) / NORMAL
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Float64 = ndtr(-beyond / spread)
    found = np.where((spread == 0) & np.isfinite(beyond), 0.5 - 0.5 * np.sign(beyond), found)
    return np.where(np.isfinite(limit) & np.isfinite(over) & np.isfinite(under), found, np.nan)


def since_day(
    dates: NDArray[np.datetime64],
    values: Float64,
    *,
    origin: NDArray[np.datetime64],
    since: np.datetime64 | None,
    limit: float,
) -> Base:
    """Base of a threshold of displacement: the first pass of a day or after it.

    Parameters
    ----------
    dates, values
        datetime64[D] (d,) and float64 (d,) mm, NaN where missing.
    origin
        datetime64[D] (n,), last pass used; NaT where nothing is forecast.
    since
        The day; None takes the first pass.
    limit
        mm.

    Returns
    -------
    Base of shape (n,); NaN where there is no such pass up to the origin.
    """
    known = np.isfinite(values) & (np.ones(len(dates), bool) if since is None else dates >= since)
    if not known.any():
        return Base(np.full(len(origin), np.nan), np.full(len(origin), limit))
    first = int(np.argmax(known))
    return Base(np.where(origin >= dates[first], values[first], np.nan), np.full(len(origin), limit))


def over_days(
    dates: NDArray[np.datetime64],
    values: Float64,
    *,
    origin: NDArray[np.datetime64],
    target: NDArray[np.datetime64],
    rate: float,
    days: int,
) -> Base:
    """Base of a threshold of rate: displacement some days before, on a straight line between the passes around it.

    Of passes only those up to the origin are looked at. Where the days begin after it, the rate is the mean since the
    origin: within a forecast nothing is known of one day apart from the next.

    Parameters
    ----------
    dates, values
        datetime64[D] (d,) and float64 (d,) mm, NaN where missing.
    origin, target
        datetime64[D] (n,), last pass used, and day that is forecast; NaT where nothing is.
    rate
        mm a day.
    days
        Days that the rate is the mean over.
    """
    known = np.isfinite(values)
    if not known.any():
        return Base(np.full(len(target), np.nan), np.full(len(target), np.nan))
    some = ~np.isnat(origin)
    begin = np.where(some, np.minimum(target - days * DAY, np.where(some, origin, target)), target)
    at, passes = begin.astype(np.int64), dates[known].astype(np.int64)
    # Both passes around a day up to the origin lie up to the origin, which is a pass itself.
    start = np.interp(at, passes, values[known], left=np.nan)
    span = (target.astype(np.int64) - at).astype(np.float64)
    return Base(np.where(some, start, np.nan), np.where(some, rate * span, np.nan))
