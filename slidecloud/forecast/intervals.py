"""Intervals from errors of forecasts of days that were not learnt from: split conformal prediction, in order of time.

The last quarter of the time learnt from is forecast by what the first three quarters teach. The sizes of those errors,
by point and by days since the pass, make the intervals; then the method learns from the whole.

References
----------
Lei, J., G'Sell, M., Rinaldo, A., Tibshirani, R. J., Wasserman, L. (2018), Distribution-free predictive inference for
regression, J. Am. Stat. Assoc. 113(523), 1094-1111.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import nnls

from slidecloud.forecast.methods import LEVEL, Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.types import DataError, Float64

_HELD: Final = 0.25
"""Share of the samples, the last in time, whose errors make the intervals."""
_FEWEST: Final = 20
"""Errors below which those of the samples learnt from are taken instead."""
_PRIOR: Final = 5.0
"""Errors that the size common to all points counts for beside a point's own."""
_TINY: Final = 1e-6
"""mm; the least size of an error."""


class Estimate(NamedTuple):
    """Increments (n,), mm, and the expected size of their errors where the method knows it."""

    increment: Float64
    size: Float64 | None = None


Predict = Callable[[Displacement, Drivers, Samples], Estimate]
Learn = Callable[[Samples], Predict]


@dataclass(frozen=True)
class Sizes:
    """Sizes of errors.

    Attributes
    ----------
    point
        (points,), mm, at the usual horizon.
    start, growth
        Share of the variance there is at once, and that added each day.
    least
        Days below which intervals do not shrink further.
    """

    point: Float64
    start: float
    growth: float
    least: int

    def at(self, samples: Samples) -> Float64:
        """(n,), mm."""
        days = np.maximum(samples.horizon, self.least)
        size: Float64 = self.point[samples.point] * np.sqrt(self.start + self.growth * days)
        return size


@dataclass(frozen=True)
class Calibrated:
    """A method with intervals; `factor` times the size of an error is half of one."""

    estimate: Predict
    sizes: Sizes
    factor: float

    def predict(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Forecast:
        """As `slidecloud.forecast.methods.Fitted.predict`."""
        increment, size = self.estimate(displacement, drivers, samples)
        half = self.factor * (self.sizes.at(samples) if size is None else size)
        return Forecast(increment, increment - half, increment + half)


def conformal(learn: Learn, displacement: Displacement, drivers: Drivers, train: Samples) -> Calibrated:
    """Learn, with intervals that hold a share `LEVEL` of what passes measure.

    Parameters
    ----------
    learn
        Makes forecasts from samples to learn from; called for three quarters of the time, and for the whole.
    displacement, drivers
        Nothing of them after the last target of `train` is looked at.
    train
        Samples; those whose increment is not known are left out.

    Raises
    ------
    DataError
        If there is no sample with a known increment.
    """
    train = train.where(np.isfinite(train.increment))
    if not len(train):
        raise DataError("train: found no sample with a known increment, expected some to learn from.")
    last = train.target.max()
    displacement, drivers = displacement.until(last), drivers.until(last)
    early, late = _parted(train)
    whole = learn(train)
    judge = whole if early is train else learn(early)
    increment, size = judge(displacement, drivers, late)
    error = np.abs(late.increment - increment)
    sizes = _sizes(late, error, displacement.points)
    relative = np.sort(error / np.maximum(sizes.at(late) if size is None else size, _TINY))
    rank = min(int(np.ceil((len(relative) + 1) * LEVEL)), len(relative))
    return Calibrated(whole, sizes, float(relative[rank - 1]))


def _parted(train: Samples) -> tuple[Samples, Samples]:
    """Samples to learn from and later ones to forecast; all of them twice where they are few."""
    date = np.quantile(train.target.astype(np.int64), 1.0 - _HELD, method="lower").astype("datetime64[D]")
    early, late = train.where(train.target <= date), train.where(train.origin >= date)
    learnt = np.isin(late.point, early.point)
    return (early, late.where(learnt)) if min(len(early), int(learnt.sum())) >= _FEWEST else (train, train)


def _sizes(late: Samples, error: Float64, points: int) -> Sizes:
    """By point, drawn towards that of all; variance a line of the days since the pass where these differ enough."""
    days, square = late.horizon.astype(np.float64), error**2
    usual = float(np.median(days))
    start, growth = _line(days, square, usual)
    relative = square / (start + growth * days)
    whole = max(float(relative.mean()), _TINY**2)
    count, total = (np.bincount(late.point, weight, minlength=points) for weight in (None, relative))
    own = np.sqrt((total + _PRIOR * whole) / (count + _PRIOR))
    return Sizes(own, start, growth, int(days.min()))


def _line(days: Float64, square: Float64, usual: float) -> tuple[float, float]:
    """Variance at 0 days and added a day, 1 in all at the usual number of days; both at least 0."""
    if np.unique(days).size < 2 or not square.any():
        return 0.0, 1.0 / usual
    (start, growth), _ = nnls(np.column_stack([np.ones_like(days), days]), square)
    total = start + growth * usual
    return start / total, growth / total
