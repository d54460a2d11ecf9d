"""Other methods beside the one that forecasts: how far off they were at the passes after those learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.samples import Samples, samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.pipeline.forecast_methods import made
from slidecloud.pipeline.forecast_work import Place
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location

BESIDE = "beside"
_SUMS = ("count", "square", "absolute", "inside")


class Beside(NamedTuple):
    """How many passes a method was judged by, its errors, mm, and the share of passes inside its intervals."""

    method: str
    passes: int
    rmse: float
    mae: float
    coverage: float


@dataclass(frozen=True)
class BesideWork:
    """Learn as another method does, forecast the passes up to a day, and return sums of the errors."""

    place: Place
    config: ForecastConfig
    method: str
    until: np.datetime64

    def __call__(self, _writer: Writer) -> dict[str, Any]:
        config, date = self.config, np.datetime64(self.config.train_until, "D")
        own, wet = self.place.known(self.until)
        asked = later(own, wet, config)
        if not len(asked):
            return dict.fromkeys(_SUMS, 0)
        seen, driven = own.until(date), wet.until(date)
        train = samples(seen, driven, inputs=config.inputs, steps=config.passes, days=config.days)
        with threadpool_limits(1):
            method = made(config, self.place.run, self.method)
            fitted = method.fit(seen, driven, train, seed=config.seed)
            found = fitted.predict(own, wet, asked)
        error = np.abs(found.increment - asked.increment)
        inside: NDArray[np.bool_] = (found.lower <= asked.increment) & (asked.increment <= found.upper)
        sums = len(error), float((error**2).sum()), float(error.sum()), int(inside.sum())
        return dict(zip(_SUMS, sums, strict=True))


def later(displacement: Displacement, drivers: Drivers, config: ForecastConfig) -> Samples:
    """Passes after those learnt from, no further ahead than is forecast."""
    asked = samples(displacement, drivers, inputs=config.inputs, steps=config.passes, days=config.days)
    after = asked.target > np.datetime64(config.train_until, "D")
    return asked.where(after & (asked.horizon <= config.horizon) & np.isfinite(asked.increment))


def beside(location: Location, stage: str, name: str) -> list[Beside]:
    """What the records of a part tell of other methods, the best first."""
    sums: dict[str, dict[str, float]] = {}
    for key in sorted(records.done(location, stage=stage), key=lambda key: key.unit):
        part, kind, *rest = key.unit.split("/")
        record = records.read(location, key) if (part, kind) == (name, BESIDE) else None
        if record is not None:
            total = sums.setdefault(rest[0], dict.fromkeys(_SUMS, 0))
            for what in _SUMS:
                total[what] += record.facts[what]
    found = [
        Beside(
            method, int(total["count"]), float(np.sqrt(total["square"] / total["count"])),
            total["absolute"] / total["count"], total["inside"] / total["count"],
        )
        for method, total in sums.items() if total["count"]
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.rmse)
