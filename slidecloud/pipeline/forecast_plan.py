"""Units of the stage ``forecast``: what is learnt once, and days and points that are forecast with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.forecast.series import DAY
from slidecloud.pipeline.forecast_beside import BESIDE, BesideWork
from slidecloud.pipeline.forecast_known import Known, fingerprint
from slidecloud.pipeline.forecast_methods import device_of
from slidecloud.pipeline.forecast_points import Part
from slidecloud.pipeline.forecast_work import DaysWork, FitWork, Place
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.forecast_specs import DAYS, points_chunk
from slidecloud.store.location import Location
from slidecloud.types import Float64

STAGE: Final = "forecast"
_LEARNT_BY: Final = ("method", "options", "inputs", "passes", "days", "train_until", "seed")
"""Settings that what is learnt depends on."""
_COPIES: Final = 16
"""Of the windows of a sample while a method looks at it."""

Done = Mapping[str, records.Record]
"""Records of the stage by unit."""


@dataclass(frozen=True)
class Plan:
    """What is to be done for one part.

    Attributes
    ----------
    part
        The points.
    known
        What is known of them.
    days
        datetime64[D], that are forecast.
    """

    location: Location
    config: ForecastConfig
    part: Part
    known: Known
    days: NDArray[np.datetime64]

    def units(self) -> list[Unit]:
        """What is learnt, and every chunk of days and points."""
        made = []
        for place in self._places():
            fit = self._fit(place)
            made += [fit, *(self._days(place, index, fit) for index in range(0, len(self.days), DAYS))]
            made += [self._beside(place, method) for method in self.config.beside if method != self.config.method]
        return made

    def nightly(self, done: Done) -> list[Unit]:
        """Every chunk of days and of points that something was learnt of; days that are there stay as they are.

        Parameters
        ----------
        done
            Records of the part by unit; of several of one unit that with most days.
        """
        made = []
        for place in self._places():
            fit = done.get(self._fit_name(place))
            if fit is None:
                continue
            for index in range(0, len(self.days), DAYS):
                unit = self._days(place, index, fit.key)
                before = done.get(unit.key.unit)
                if before is not None:
                    unit = self._added(unit, before)
                made.append(unit)
        return made

    def unlearnt(self, done: Done) -> list[str]:
        """A sentence for all points that ``nightly`` leaves out because nothing was learnt of them."""
        left = [place for place in self._places() if self._fit_name(place) not in done]
        count = sum(len(place.ids) for place in left)
        says = (
            f"Nothing was learnt of {count} of {len(self.known.displacement.ids)} points, which get no days. Give the "
            "command without --nightly when they have enough passes."
        )
        return [says] if left else []

    def _added(self, unit: Unit, before: records.Record) -> Unit:
        """A unit that only adds to what another one made; that one itself where there is nothing to add."""
        work = unit.work
        assert isinstance(work, DaysWork)
        whole = len(work.days) * len(work.place.ids)
        if before.facts["forecasts"] == whole or before.facts.get("known") == work.known:
            return replace(unit, key=before.key)
        # The digest speaks of what was there, which older forecasts of days now past have made.
        digest = records.digest([before.key.digest, unit.key.digest])
        return replace(unit, key=replace(unit.key, digest=digest), work=replace(work, adds=True), keep_older=True)

    def _fit(self, place: Place) -> Unit:
        config, until = self.config, np.datetime64(self.config.train_until, "D")
        learnt = self._seen(place, until)
        settings = {name: value for name, value in config.science().items() if name in _LEARNT_BY}
        digest = records.digest(["fit/1", settings, fingerprint(learnt)])
        return Unit(
            records.Key(STAGE, self._fit_name(place), digest),
            FitWork(place, config),
            bytes_read=_bytes(learnt),
            peak_memory=self._memory(int(np.isfinite(learnt.displacement.values).sum())),
            device=device_of(config),
        )

    def _days(self, place: Place, index: int, learnt: Unit | records.Key) -> Unit:
        """Forecasts of a chunk of days; ``learnt`` is the unit whose result they are made by, or its key if done."""
        days = self.days[index : index + DAYS]
        key = learnt.key if isinstance(learnt, Unit) else learnt
        seen = self._seen(place, days[-1])
        known = fingerprint(seen)
        parts = ["days/1", self.config.science(), key.digest, known, str(days[0]), len(days)]
        name = self._name(f"days/{index // DAYS:05d}/{place.first:07d}")
        samples = len(days) * len(place.ids)
        return Unit(
            records.Key(STAGE, name, records.digest(parts)),
            DaysWork(place, self.config, index, days, known),
            requires=((learnt.name,) if isinstance(learnt, Unit) else ()),
            bytes_read=_bytes(seen),
            bytes_written=(16 + 4 * len(self.config.thresholds)) * samples,
            peak_memory=self._memory(samples),
            device=device_of(self.config),
        )

    def _beside(self, place: Place, method: str) -> Unit:
        """Errors of another method."""
        seen, config = self._seen(place, self.days[-1]), self.config
        settings = {name: value for name, value in config.science().items() if name in (*_LEARNT_BY, "horizon")}
        digest = records.digest(["beside/1", settings | {"method": method, "options": {}}, fingerprint(seen)])
        return Unit(
            records.Key(STAGE, self._name(f"{BESIDE}/{method}/{place.first:07d}"), digest),
            BesideWork(place, config, method, self.days[-1]),
            bytes_read=_bytes(seen),
            peak_memory=self._memory(int(np.isfinite(seen.displacement.values).sum())),
            device=device_of(config, method),
        )

    def _seen(self, place: Place, until: np.datetime64) -> Known:
        """What is known of the points of a place up to a day."""
        displacement, drivers = self.known
        return Known(displacement.of(place.points).until(until), drivers.of(place.points).until(until))

    def _places(self) -> Iterator[Place]:
        return places(self.location, self.part.name, self.known.displacement.ids)

    def _name(self, unit: str) -> str:
        return f"{self.part.name}/{unit}"

    def _fit_name(self, place: Place) -> str:
        return self._name(f"fit/{place.first:07d}")

    def _memory(self, samples: int) -> int:
        windows = 8 * (self.config.passes + self.config.days)
        return BASE_MEMORY + 3 * _bytes(self.known) + _COPIES * windows * samples


def places(location: Location, name: str, ids: NDArray[np.str_]) -> Iterator[Place]:
    """Points of a part that are learnt from together."""
    step = points_chunk(len(ids))
    for first in range(0, len(ids), step):
        yield Place(location, name, tuple(ids[first : first + step].tolist()), first)


def _bytes(known: Known) -> int:
    displacement, drivers = known
    sizes = (displacement.values, displacement.sigma, drivers.rain, drivers.level)
    return sum(one.nbytes for one in sizes if one is not None)


def forecast_days(known: Known, config: ForecastConfig, *, title: str) -> NDArray[np.datetime64]:
    """Days after those learnt from, up to the last with rain and level, and the horizon after the last pass.

    Raises
    ------
    ConfigError
        If there is none.
    """
    displacement, drivers = known
    first = np.datetime64(config.train_until, "D") + DAY
    passed = displacement.dates[np.isfinite(displacement.values).any(axis=0)]
    if not len(passed):
        raise ConfigError(f"No point of {title} has a displacement at any date.")
    ends = {
        name: _end(drivers.days, given) for name in ("rain", "level") if (given := getattr(drivers, name)) is not None
    }
    last = min(*ends.values(), passed[-1] + config.horizon * DAY)
    if last < first:
        ended = " and ".join(f"{name} ends on {day}" for name, day in ends.items())
        raise ConfigError(
            f"train_until is {config.train_until}, and {title} can be forecast up to {last}: the last pass is of "
            f"{passed[-1]}, {ended}. Give an earlier date, or newer data."
        )
    return np.arange(first, last + DAY)


def _end(days: NDArray[np.datetime64], given: Float64) -> np.datetime64:
    """Last day that is known anywhere."""
    found: np.datetime64 = days[np.flatnonzero(np.isfinite(given).any(axis=0))[-1]]
    return found
