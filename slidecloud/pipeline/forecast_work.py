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
    known
        Changes when the last day, or anything that is known of the points up to it, does.
    adds
        Whether what is in the store already stays as it is.
    """

    place: Place
    config: ForecastConfig
    index: int
    days: NDArray[np.datetime64]
    known: str
    adds: bool = False

    def __call__(self, writer: Writer) -> dict[str, Any]:
        maps = self._stored() if self.adds else self._nothing()
        self._fill(maps)
        group = forecast_group(self.place.name)
        for name, values in maps.items():
            lead = (0,) if values.ndim == 3 else ()
            writer.write(f"{group}/{name}", values, (*lead, self.index, self.place.first))
        count = int((maps["origin"] != NO_DAY).sum())
        return {"until": str(self.days[-1]), "forecasts": count, "known": self.known}

    def _nothing(self) -> dict[str, NDArray[Any]]:
        """Arrays without a forecast, in the order in which they are written.

        The last tells which forecasts are there: after a kill none is taken for told of which an array is missing.
        """
        shape = len(self.days), len(self.place.ids)
        maps: dict[str, NDArray[Any]] = {
            name: np.full(shape, np.nan, np.float32) for name in ("displacement", "lower", "upper")
        }
        maps["exceedance"] = np.full((len(self.config.thresholds), *shape), np.nan, np.float32)
        maps["origin"] = np.full(shape, NO_DAY, np.int32)
        return maps

    def _stored(self) -> dict[str, NDArray[Any]]:
        """The arrays as they are."""
        group = reader(self.place.run, forecast_group(self.place.name))
        own = slice(self.index, self.index + len(self.days)), self.place.points
        return {
            name: read(group[name], (*(slice(None),) * (values.ndim - 2), *own))  # type: ignore[arg-type]
            for name, values in self._nothing().items()
        }

    def _fill(self, maps: dict[str, NDArray[Any]]) -> None:
        """Forecast what is not forecast yet."""
        days, config = self.days, self.config
        own, wet = self.place.known(days[-1])
        asked = queries(
            own, wet, days, inputs=config.inputs, steps=config.passes, days=config.days, longest=config.horizon
        )
        asked = asked.where(maps["origin"][(asked.target - days[0]) // DAY, asked.point] == NO_DAY)
        at = (asked.target - days[0]) // DAY, asked.point
        if not len(asked):
            return
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


def _of_motion(found: Forecast, own: Displacement, asked: Samples) -> Forecast:
    """The same with intervals of the motion itself, where it is known how well passes measure it."""
    if own.sigma is None:
        return found
    sigma = own.sigma[asked.point, np.searchsorted(own.dates, asked.origin)]
    return of_motion(found, np.nan_to_num(sigma))


def _base(threshold: ThresholdConfig, dates: NDArray[np.datetime64], values: Float64, asked: Samples) -> Base:
    """What a threshold counts from at each sample."""
    start, limit = (np.full(len(asked), np.nan) for _ in range(2))
    for point, own in asked.by_point():
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
