"""Intervals from errors of forecasts of days that were not learnt from: cross-conformal prediction.

The time learnt from is cut into blocks, and each is forecast by what the others teach: so the errors are those of all
seasons. Their sizes, by point and by days since the pass, make the intervals; then the method learns from the whole.
Nothing after the training part is used. The intervals are exact where errors to come are like those of the training
part, and too short where a slide does what it has not done before.

References
----------
Vovk, V. (2015), Cross-conformal predictors, Ann. Math. Artif. Intell. 74, 9-28. Barber, R. F., Candes, E. J., Ramdas,
A., Tibshirani, R. J. (2021), Predictive inference with the jackknife+, Ann. Stat. 49(1), 486-507.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import ndtri

from slidecloud.forecast.methods import LEVEL, Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.types import DataError, Float64

_BLOCKS: Final = 6
_FEWEST: Final = 20
"""Samples of a block's rest below which the block is forecast by what the whole teaches."""
_PRIOR: Final = 5.0
"""Errors that the usual size of a point counts for beside a point's own."""
NORMAL: Final = float(ndtri(0.5 + 0.5 * LEVEL))
"""Standard deviations from the middle of a normal distribution to an end of its interval."""
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


def conformal(
    learn: Learn,
    displacement: Displacement,
    drivers: Drivers,
    train: Samples,
    *,
    blocks: int = _BLOCKS,
    parameters: int = 0,
) -> Calibrated:
    """Learn, with intervals that hold a share `LEVEL` of what passes measure.

    Parameters
    ----------
    learn
        Makes forecasts from samples to learn from; called for the whole, and for the rest of each block.
    displacement, drivers
        Nothing of them after the last target of `train` is looked at.
    train
        Samples; those whose increment is not known are left out.
    blocks
        In time; 1 takes the errors of the samples learnt from, for methods that learn a few numbers.
    parameters
        How many numbers of a point are learnt; errors of samples learnt from are too small by the square root of the
        share of the samples that this leaves.

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
    whole = learn(train)
    error, size = np.empty(len(train)), np.empty(len(train))
    for judged in _blocks(train, blocks):
        part = train.where(judged)
        rest = train.where((train.target <= part.origin.min()) | (train.origin >= part.target.max()))
        told = (learn(rest) if len(rest) >= _FEWEST else whole)(displacement, drivers, part)
        error[judged] = np.abs(part.increment - told.increment)
        size[judged] = np.nan if told.size is None else told.size
    error *= np.sqrt(len(train) / max(len(train) - parameters * np.unique(train.point).size, 0.5 * len(train)))
    sizes = _sizes(train, error, displacement.points)
    expected = np.where(np.isnan(size), sizes.at(train), size)
    relative = np.sort(error / np.maximum(expected, _TINY))
    rank = min(int(np.ceil((len(relative) + 1) * LEVEL)), len(relative))
    return Calibrated(whole, sizes, float(relative[rank - 1]))


def of_motion(forecast: Forecast, sigma: Float64) -> Forecast:
    """The same with intervals of the motion itself, where they were of what a pass measures of it.

    Parameters
    ----------
    forecast
        Of (n,) samples.
    sigma
        (n,), mm, of the pass that would measure at the target, independent of all before. Half an interval loses it in
        squares, and keeps a tenth at least.
    """
    half = (forecast.upper - forecast.lower) / 2.0
    left = np.sqrt(np.maximum(half**2 - (NORMAL * sigma) ** 2, 0.01 * half**2))
    middle = (forecast.upper + forecast.lower) / 2.0
    return Forecast(forecast.increment, middle - left, middle + left)


def _blocks(train: Samples, count: int) -> list[NDArray[np.bool_]]:
    """Which samples lie in each block of time, as far as there are any."""
    day = train.target.astype(np.int64)
    edges = np.unique(np.quantile(day, np.linspace(0.0, 1.0, count + 1)[1:-1], method="lower"))
    number = np.searchsorted(edges, day, side="left")
    return [number == one for one in np.unique(number)]


def _sizes(train: Samples, error: Float64, points: int) -> Sizes:
    """By point, their logarithms drawn towards the median; the variance a line of the days since the pass."""
    days, square = train.horizon.astype(np.float64), error**2
    usual = float(np.median(days))
    start, growth = _line(days, square, usual)
    count = np.bincount(train.point, minlength=points)
    total = np.bincount(train.point, square / (start + growth * days), minlength=points)
    own = np.log(np.maximum(np.sqrt(total / np.maximum(count, 1)), _TINY))
    usually = float(np.median(own[count > 0]))
    own = np.exp((count * own + _PRIOR * usually) / (count + _PRIOR))
    return Sizes(own, start, growth, int(days.min()))


def _line(days: Float64, square: Float64, usual: float) -> tuple[float, float]:
    """Variance at 0 days and added a day, 1 in all at the usual number of days; both at least 0."""
    if np.unique(days).size < 2 or not square.any():
        return 0.0, 1.0 / usual
    (start, growth), _ = nnls(np.column_stack([np.ones_like(days), days]), square)
    total = start + growth * usual
    return start / total, growth / total
