"""Kalman filter of points that move at a slowly changing velocity and answer to what drives them.

The state is position, velocity, and the answer to each driver. Over ``t`` days the position grows by ``velocity * t``
and by each answer times the driver's sum over those days; the velocity takes random steps of variance ``q t`` and the
position, beside what that does to it, of ``w t``. A pass measures the position with variance ``r``.

References
----------
Bar-Shalom, Y., Li, X. R., Kirubarajan, T. (2001), Estimation with applications to tracking and navigation, Wiley,
section 6.2.2 (white noise acceleration).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels import _motion_filter as loops
from slidecloud.types import Float64


class Driving(NamedTuple):
    """Drivers of points, as sums since the first day of a calendar.

    ``total``: float64 (series, driver, day + 1), the sum of all days before each, finite. ``trend``: float64 (series,
    driver), a day's mean, which stands in for days beyond the calendar. ``row``: int64 (points,), each one's series.
    """

    total: Float64
    trend: Float64
    row: NDArray[np.int64]

    def over(
        self, point: NDArray[np.intp], first: NDArray[np.int64], end: NDArray[np.int64], lag: NDArray[np.int64]
    ) -> Float64:
        """Sums (n, driver) from `first` to before `end`, days (n,), shifted back by lags (n, driver)."""
        row, driver = self.row[point][:, None], np.arange(self.total.shape[1])
        sums = []
        for edge in (first, end):
            day = edge[:, None] - lag
            inside = np.clip(day, 0, self.total.shape[2] - 1)
            sums.append(self.total[row, driver, inside] + (day - inside) * self.trend[row, driver])
        return np.asarray(sums[1] - sums[0], np.float64)


class Filters(NamedTuple):
    """What is learnt of each point.

    ``noise``: float64 (points, 3), variances of a measurement (mm^2), of a day's step of velocity (mm^2 / day^3) and
    of position (mm^2 / day). ``free``: float64 (points, 1 + driver), variances of velocity and of answers before any
    pass. ``lag``: int64 (points, driver), days.
    """

    noise: Float64
    free: Float64
    lag: NDArray[np.int64]


class States(NamedTuple):
    """State after each date: ``mean`` (points, date, 2 + driver) and ``covariance`` (points, date, n, n); NaN before
    the first value of a point; where a date has no value, the state after the last that has."""

    mean: Float64
    covariance: Float64


def learn(values: ArrayLike, day: ArrayLike, driving: Driving, *, lags: ArrayLike) -> Filters:
    """Variances and lags of the largest likelihood, point by point.

    Parameters
    ----------
    values
        (points, date), mm; NaN = missing.
    day
        int (date,), ascending; the first day of the drivers' calendar is 0.
    driving
        Drivers; of none, the points move at a slowly changing velocity alone.
    lags
        (driver, choice), days to choose from.

    Returns
    -------
    Filters
        Points with fewer than four values have the median of the others.

    Raises
    ------
    ValueError
        If shapes disagree, days are out of order, or sums are missing.
    """
    series, number = _checked(values, day, driving)
    drivers = driving.total.shape[1]
    choices = np.ascontiguousarray(lags, np.int64)
    if choices.ndim != 2 or len(choices) != drivers or not choices.shape[1]:
        raise ValueError(f"lags: found shape {choices.shape}, expected ({drivers}, choice)")
    points = len(series)
    found = Filters(np.empty((points, 3)), np.empty((points, 1 + drivers)), np.zeros((points, drivers), np.int64))
    loops.learn(series, number, driving.total, driving.row, driving.trend, choices, *found)
    poor = np.isnan(found.noise[:, 0])
    if poor.all():
        found.noise[:], found.free[:] = 1.0, 1.0
    elif poor.any():
        found.noise[poor], found.free[poor] = (np.median(part[~poor], axis=0) for part in found[:2])
    return found


def states(values: ArrayLike, day: ArrayLike, driving: Driving, *, filters: Filters) -> States:
    """States of points along their passes; each depends on that pass and on what came before alone.

    Parameters are those of `learn`.
    """
    series, number = _checked(values, day, driving)
    points, dates = series.shape
    size = 2 + driving.total.shape[1]
    found = States(np.full((points, dates, size), np.nan), np.full((points, dates, size, size), np.nan))
    loops.states(series, number, driving.total, driving.row, driving.trend, *filters, *found)
    return found


def ahead(
    states: States, filters: Filters, *, point: NDArray[np.intp], date: NDArray[np.intp], days: Float64, forced: Float64
) -> tuple[Float64, Float64]:
    """Positions some days after given dates (n,), mm, and the variances with which a pass would measure them, mm^2.

    Parameters
    ----------
    states, filters
        Of the points.
    point, date
        (n,), which state to go on from.
    days
        (n,), at least 0.
    forced
        (n, driver), what the drivers sum up to in those days.
    """
    mean, covariance = states.mean[point, date], states.covariance[point, date]
    way = np.concatenate([np.ones((len(days), 1)), days[:, None], forced], axis=1)
    position: Float64 = np.einsum("nk,nk->n", way, mean)
    r, q, w = filters.noise[point].T
    variance: Float64 = np.einsum("ni,nij,nj->n", way, covariance, way) + w * days + q * days**3 / 3.0 + r
    return position, variance


def _checked(values: ArrayLike, day: ArrayLike, driving: Driving) -> tuple[Float64, NDArray[np.int64]]:
    series, number = np.ascontiguousarray(values, np.float64), np.ascontiguousarray(day, np.int64)
    total, trend, row = driving
    fits = series.ndim == 2 and total.ndim == 3 and number.shape == series.shape[1:] and row.shape == series.shape[:1]
    if not fits or trend.shape != total.shape[:2]:
        raise ValueError(
            f"values, day, total, trend, row: found shapes {series.shape}, {number.shape}, {total.shape}, "
            f"{trend.shape}, {row.shape}, expected (points, date), (date,), (series, driver, day + 1), (series, "
            "driver), (points,)"
        )
    if not (np.isfinite(total).all() and np.isfinite(trend).all()) or (np.diff(number) <= 0).any():
        raise ValueError("day, total, trend: found days out of order or missing sums, expected neither")
    return series, number
