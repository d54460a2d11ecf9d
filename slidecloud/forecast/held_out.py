"""Intervals of methods that tell the size of their errors: a factor from the late part of the training time.

What the first three quarters of the time teach forecasts the last quarter; the factor is the share of errors, in units
of their expected size, that intervals are to hold (split conformal prediction, in the order of time). Then the method
learns from the whole. It is for methods that learn long or follow points through time, whose errors on blocks that lie
amid what they learnt from would be too small.

References
----------
Lei, J., G'Sell, M., Rinaldo, A., Tibshirani, R. J., Wasserman, L. (2018), Distribution-free predictive inference for
regression, J. Am. Stat. Assoc. 113(523), 1094-1111.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from slidecloud.forecast.methods import LEVEL, Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.forecast.splits import earlier
from slidecloud.types import DataError, Float64

_FEWEST: Final = 20
_TINY: Final = 1e-6


class Told(NamedTuple):
    """Increments (n,), mm, and the expected size of their errors (n,), mm."""

    increment: Float64
    size: Float64


class Teller(Protocol):
    """What has been learnt."""

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Told:
        """Forecast samples."""
        ...


@dataclass(frozen=True)
class HeldOut:
    """What has been learnt, with intervals of `factor` times the expected size of errors to either side."""

    teller: Teller
    factor: float

    def predict(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Forecast:
        """As `slidecloud.forecast.methods.Fitted.predict`."""
        if not len(samples):
            return Forecast(np.zeros(0), np.zeros(0), np.zeros(0))
        increment, size = self.teller(displacement, drivers, samples)
        half = self.factor * np.maximum(size, _TINY)
        return Forecast(increment, increment - half, increment + half)


def held_out(
    learn: Callable[[Samples, bool], Teller], displacement: Displacement, drivers: Drivers, train: Samples
) -> HeldOut:
    """Learn, with intervals that hold a share `LEVEL` of the increments of samples.

    Parameters
    ----------
    learn
        Makes a teller from samples and whether it is to be kept (else it is for the factor alone); of displacement and
        drivers it looks at nothing after the last target of the samples.
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
    early, late = earlier(train)
    kept = learn(train, True)
    few = min(len(early), len(late)) < _FEWEST
    judge, judged = (kept, train) if few else (learn(early, False), late)
    increment, size = judge(displacement, drivers, judged)
    relative = np.sort(np.abs(judged.increment - increment) / np.maximum(size, _TINY))
    rank = min(int(np.ceil((len(relative) + 1) * LEVEL)), len(relative))
    return HeldOut(kept, float(relative[rank - 1]))
