"""Work of the stage ``forecast``: what a method learns, and the forecasts of some days and points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from slidecloud.config_forecast import ForecastConfig, ThresholdConfig
from slidecloud.forecast.exceedance import Base, exceedance, over_days, since_day
from slidecloud.forecast.intervals import of_motion
from slidecloud.forecast.keeping import pack, unpack
from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.samples import Samples, queries, samples
from slidecloud.forecast.series import DAY, Displacement
from slidecloud.pipeline.forecast_known import Known, known_of
from slidecloud.pipeline.forecast_methods import device_of, made, on_device
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.forecast_specs import NO_DAY, forecast_group, model_object
from slidecloud.store.location import Location
from slidecloud.types import DataError, Float64

_EPOCH = np.datetime64(0, "D")


@dataclass(frozen=True)
class Place:
    """Some points of a part, which are learnt from together.

    Attributes
    ----------
    run, name
        The store and the part.
    ids
        Of the points.
    first
        Place of the first in the store.
    """

    run: Location
    name: str
    ids: tuple[str, ...]
    first: int

    @property
    def points(self) -> slice:
        """Of the part."""
        return slice(self.first, self.first + len(self.ids))

    @property
    def learnt(self) -> str:
        """Key of what was learnt from them."""
        return model_object(self.name, f"{self.first:07d}")

    def known(self, until: np.datetime64) -> Known:
        """What is known of them up to a day, this day included."""
        displacement, drivers = known_of(self.run, self.name, np.array(self.ids), self.points)
        return Known(displacement.until(until), drivers.until(until))


@dataclass(frozen=True)
class FitWork:
    """Learn from some points, and keep what was learnt."""

    place: Place
    config: ForecastConfig

    def __call__(self, writer: Writer) -> dict[str, Any]:
        config = self.config
        displacement, drivers = self.place.known(np.datetime64(config.train_until, "D"))
        train = samples(displacement, drivers, inputs=config.inputs, steps=config.passes, days=config.days)
        with threadpool_limits(1):
            fitted = made(config, self.place.run).fit(displacement, drivers, train, seed=config.seed)
        writer.write_object(self.place.learnt, pack(fitted))
        return {"points": len(np.unique(train.point)), "samples": len(train)}


@dataclass(frozen=True)
class DaysWork:
    """Forecast some days of some points.

    Attributes
    ----------
    place
        The points.
    config
        The settings.
    index
        Of the first day along time; a chunk begins with it.
    days
        datetime64[D].
    kept
        How many of the days are in the store already and stay as they are.
    """

    place: Place
    config: ForecastConfig
    index: int
    days: NDArray[np.datetime64]
    kept: int = 0

    def __call__(self, writer: Writer) -> dict[str, Any]:
        maps = self._made()
        group = forecast_group(self.place.name)
        for name, values in maps.items():
            lead = (0,) if values.ndim == 3 else ()
            whole = np.concatenate([self._stored(name), values], axis=-2) if self.kept else values
            writer.write(f"{group}/{name}", whole, (*lead, self.index, self.place.first))
        return {"until": str(self.days[-1]), "forecasts": int(np.isfinite(maps["displacement"]).sum())}

    def _stored(self, name: str) -> NDArray[Any]:
        array = reader(self.place.run, forecast_group(self.place.name))[name]
        before = slice(self.index, self.index + self.kept), self.place.points
        return read(array, (*((slice(None),) if array.ndim == 3 else ()), *before))  # type: ignore[union-attr,arg-type]

    def _made(self) -> dict[str, NDArray[Any]]:
        """Arrays of the days that are not kept."""
        days = self.days[self.kept :]
        own, wet = self.place.known(days[-1])
        config = self.config
        asked = queries(
            own, wet, days, inputs=config.inputs, steps=config.passes, days=config.days, longest=config.horizon
        )
        shape = len(days), own.points
        at = (asked.target - days[0]) // DAY, asked.point
        maps: dict[str, NDArray[Any]] = {
            name: np.full(shape, np.nan, np.float32) for name in ("displacement", "lower", "upper")
        }
        maps["origin"] = np.full(shape, NO_DAY, np.int32)
        maps["exceedance"] = np.full((len(self.config.thresholds), *shape), np.nan, np.float32)
        if not len(asked):
            return maps
        data = self.place.run.read(self.place.learnt)
        if data is None:
            raise DataError(
                f"{self.place.run} has no {self.place.learnt}, which forecasts are made by. Run 'slidecloud verify' "
                "with --repair on it, and 'slidecloud forecast' without --nightly."
            )
        with threadpool_limits(1):
            found = on_device(unpack(data), device_of(config)).predict(own, wet, asked)
        for name, moved in zip(("displacement", "lower", "upper"), found, strict=True):
            maps[name][at] = asked.value + moved
        maps["origin"][at] = (asked.origin - _EPOCH).astype(np.int32)
        moving = _of_motion(found, own, asked)
        for number, threshold in enumerate(config.thresholds):
            base = _base(threshold, own.dates, own.values, asked)
            middle, lower, upper = (asked.value + moved for moved in moving)
            maps["exceedance"][number][at] = exceedance(middle, lower, upper, base, direction=threshold.direction)
        return maps


def _of_motion(found: Forecast, own: Displacement, asked: Samples) -> Forecast:
    """The same with intervals of the motion itself, where it is known how well passes measure it."""
    if own.sigma is None:
        return found
    sigma = own.sigma[asked.point, np.searchsorted(own.dates, asked.origin)]
    return of_motion(found, np.nan_to_num(sigma))


def _base(threshold: ThresholdConfig, dates: NDArray[np.datetime64], values: Float64, asked: Samples) -> Base:
    """What a threshold counts from at each sample."""
    start, limit = (np.full(len(asked), np.nan) for _ in range(2))
    for point in np.unique(asked.point):
        own = asked.point == point
        if threshold.rate is not None:
            base = over_days(
                dates, values[point], origin=asked.origin[own], target=asked.target[own], rate=threshold.rate,
                days=threshold.days,
            )  # fmt: skip
        else:
            assert threshold.displacement is not None
            since = None if threshold.since is None else np.datetime64(threshold.since, "D")
            base = since_day(dates, values[point], origin=asked.origin[own], since=since, limit=threshold.displacement)
        start[own], limit[own] = base
    return Base(start, limit)
