"""Gradient boosting of trees on lagged rain, drawdown and season, earlier motion and what is known of the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from slidecloud.forecast.intervals import Calibrated, Estimate, conformal
from slidecloud.forecast.lagged import matrix
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scaling import signed_motion
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.libraries import library
from slidecloud.types import Float64

_ROUNDS: Final = 200
_SETTINGS: Final = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "lambda_l2": 1.0,
    "feature_fraction": 0.5,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Boosting:
    """Boosted trees of LightGBM, one model for all points."""

    name: str = "boosting"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:
        """Learns trees and intervals.

        Raises
        ------
        ModuleNotFoundError
            Naming the extra where LightGBM is not installed.
        """

        def learn(part: Samples) -> Trees:
            return _trees(part, drivers, displacement.points, seed)

        return conformal(learn, displacement, drivers, train)


class Trees:
    """What has been learnt: rates in units of each point's `slidecloud.forecast.scaling.signed_motion`."""

    def __init__(self, text: str, motion: Float64) -> None:
        self._text, self._motion = text, motion
        self._booster = library("lightgbm", extra="forecast").Booster(model_str=text)

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Estimate:  # noqa: ARG002
        if not len(samples):
            return Estimate(np.zeros(0))
        rate = self._booster.predict(_columns(samples, drivers, self._motion), num_threads=1)
        return Estimate(np.asarray(rate * samples.horizon * self._motion[samples.point], np.float64))

    def kept(self) -> dict[str, Any]:
        """What it can be made again from."""
        return {"text": self._text, "motion": self._motion}

    @classmethod
    def made_again(cls, parts: dict[str, Any]) -> Trees:
        """From what was kept."""
        return cls(**parts)


def _trees(train: Samples, drivers: Drivers, points: int, seed: int) -> Trees:
    lightgbm = library("lightgbm", extra="forecast")
    motion = signed_motion(train, points=points)
    rate = train.increment / motion[train.point] / train.horizon
    # The error of a rate is that of an increment over its days.
    data = lightgbm.Dataset(
        _columns(train, drivers, motion), rate, weight=train.horizon.astype(np.float64) ** 2,
        params={"verbosity": -1},
    )  # fmt: skip
    return Trees(lightgbm.train(_SETTINGS | {"seed": seed}, data, _ROUNDS).model_to_string(), motion)


def _columns(samples: Samples, drivers: Drivers, motion: Float64) -> Float64:
    """Rates of the columns of `matrix`, the day of the year, and what is known of the points."""
    horizon = samples.horizon[:, None]
    rates = matrix(samples, drivers, motion)[:, 1:] / horizon
    year = (samples.target - samples.target.astype("datetime64[Y]")).astype(np.float64)[:, None]
    return np.concatenate([horizon, rates, year, samples.features], axis=1)
