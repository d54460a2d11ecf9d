"""A point goes on along the straight line through its last passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from slidecloud.forecast.intervals import Calibrated, Estimate, conformal
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import DAY, Displacement, Drivers
from slidecloud.types import Float64

_PASSES: Final = (2, 4, 8, 16, 30)


@dataclass(frozen=True)
class Linear:
    """A straight line through as many of the last passes as forecast best what was learnt from."""

    name: str = "linear"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:  # noqa: ARG002
        """Chooses the number of passes and learns its intervals."""
        return conformal(_learn, displacement, drivers, train, blocks=1)


@dataclass(frozen=True)
class Line:
    """A least-squares line through the last `passes`."""

    passes: int

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Estimate:  # noqa: ARG002
        return Estimate(line(samples, self.passes))


def line(samples: Samples, passes: int) -> Float64:
    """Increments (n,), mm, along a line through so many of the last passes, or as many as there are; 0 for one."""
    moved = samples.displacement[:, :passes]
    days = (samples.displacement_dates[:, :passes] - samples.origin[:, None]) / DAY
    middle, mean = days.mean(axis=1), moved.mean(axis=1)
    away = days - middle[:, None]
    power = (away * away).sum(axis=1)
    slope = np.divide((away * moved).sum(axis=1), power, out=np.zeros(len(power)), where=power > 0)
    increment: Float64 = mean + slope * (samples.horizon - middle)
    return increment


def _learn(train: Samples) -> Line:
    steps = train.displacement.shape[1]
    choices = sorted({min(passes, steps) for passes in _PASSES})
    errors = [np.mean((line(train, passes) - train.increment) ** 2) for passes in choices]
    return Line(choices[int(np.argmin(errors))])
