"""The stage ``forecast``: daily displacement of points between passes, and for some days after the last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.forecast.point_table import read_points
from slidecloud.forecast.series import DAY, Displacement
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.forecast_inputs import inputs_of
from slidecloud.pipeline.forecast_known import Known, known_of, objects, stored_days
from slidecloud.pipeline.forecast_methods import check, forget_checkpoints
from slidecloud.pipeline.forecast_plan import STAGE, Plan, forecast_days
from slidecloud.pipeline.forecast_points import Part, again, of_run, of_table, same_points
from slidecloud.pipeline.forecast_store import check_same, records_of, withdraw_gone
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.side_store import check_store, ensure_store, withdraw_stale
from slidecloud.pipeline.status import StageStatus
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.units import Unit
from slidecloud.store import forecasts, lease, open_run, records, tables, templates
from slidecloud.store.forecast_specs import FORECAST, forecast_group, points_table
from slidecloud.store.location import Location, locate
from slidecloud.types import DataError


class Planned(NamedTuple):
    """Parts with their templates, all units, and sentences for people."""

    templates: dict[str, dict[str, bytes]]
    units: list[Unit]
    told: list[str]


def compute(
    config: ForecastConfig,
    *,
    executor: Executor,
    nightly: bool = False,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> Summary:
    """Learn once, and forecast every day that can be, in the group ``forecast`` of the store.

    Parameters
    ----------
    config
        The settings.
    executor
        Where units run.
    nightly
        Only add what could not be forecast before: nothing is learnt again, points stay, and forecasts that are there
        stay as they were made. Without it everything is brought to what is known now, and what did not change is not
        done again.
    progress
        Told about every unit.
    retry_quarantined
        Try units again that were set aside for bad data.
    takeover
        Take the store from a driver that may still be at work.

    Raises
    ------
    FileNotFoundError
        If there is no run, table, rain or level where one is named.
    ConfigError
        If the configuration does not go with the store, or nothing can be forecast.
    DataError
        If points, rain or level cannot be used.
    ModuleNotFoundError
        Naming the extra where the library of a method is not installed.
    LeaseError, MemoryError
        As for a run.
    """
    progress = progress or Silent()
    location = _checked(config)
    resources = config.resources
    with lease.hold(location, takeover=takeover) as token:
        made = _planned(location, config, nightly=nightly)
        ensure_store(location, FORECAST, in_run=config.run is not None)
        if not nightly:
            # Forecasts of other settings would else stand at the days of these until they are written over.
            withdraw_stale(location, STAGE, made.units, objects=True)
            made.told.extend(withdraw_gone(location, made.templates))
        for sentence in made.told:
            progress.message(sentence)
        for name, group in made.templates.items():
            templates.ensure(location, forecast_group(name), group)
        summary = drive(
            made.units, location=location, token=token, executor=executor, memory=resources.memory_bytes,
            retries=resources.retries, retry_quarantined=retry_quarantined, progress=progress, label="forecast",
        )  # fmt: skip
        if not summary.exit_code:
            forget_checkpoints(location)
        return summary


def status(config: ForecastConfig, *, nightly: bool = False) -> StageStatus:
    """How much of it is done, for the data as they are now; nothing is written."""
    location = _checked(config)
    units = _planned(location, config, nightly=nightly).units
    done = records.done(location, stage=STAGE)
    aside = {key for key in records.quarantined(location, stage=STAGE) if key not in done}
    keys = [unit.key for unit in units]
    return StageStatus(STAGE, sum(key in done for key in keys), len(keys), sum(key in aside for key in keys))


def _checked(config: ForecastConfig) -> Location:
    """The store of a configuration, once both are found to go together."""
    location = locate(config.place, config.storage_options)
    instead = "'points' and 'store' in place of 'run'"
    check_store(location, FORECAST, in_run=config.run is not None, instead=instead)
    check(config)
    return location


def _planned(location: Location, config: ForecastConfig, *, nightly: bool) -> Planned:
    made = Planned({}, [], [])
    for part in _before(location, config) if nightly else _anew(location, config):
        drivers, told = inputs_of(config, part.displacement)
        made.told.extend(f"{part.title}: {sentence}" for sentence in told)
        known = Known(part.displacement, drivers)
        days = forecast_days(known, config, title=part.title)
        if nightly:
            days = np.arange(days[0], max(days[-1], stored_days(location, part.name)[-1]) + DAY)
        plan = Plan(location, config, part, known, days)
        if nightly:
            done = records_of(location, STAGE, part.name)
            made.units.extend(plan.nightly(done))
            made.told.extend(f"{part.title}: {sentence}" for sentence in plan.unlearnt(done))
        else:
            made.units.extend(plan.units())
        made.templates[part.name] = objects(part, drivers, days, config) | {
            points_table(part.name): tables.encode(part.table)
        }
    if not made.units:
        raise ConfigError(
            f"{location} has no finished forecast to add days to. Give the command once without --nightly."
        )
    return made


def _anew(location: Location, config: ForecastConfig) -> list[Part]:
    """Points as they are chosen now."""
    if config.run is None:
        return [of_table(_table(config))]
    return of_run(open_run(location), config)


def _before(location: Location, config: ForecastConfig) -> Iterator[Part]:
    """Points as they were chosen before, with the passes that there are now."""
    names = forecasts.names(location)
    if not names:
        raise DataError(f"{location} has no forecasts to add days to. Give the command once without --nightly.")
    for name in names:
        check_same(location, name, config)
        table = forecasts.points(location, name)
        before = known_of(location, name, table["id"].to_numpy(str)).displacement
        title = str(forecasts.attributes(location, name)["title"])
        if config.run is not None:
            now = again(open_run(location), title, table, before, config)
        else:
            now = same_points(_table(config), before)
        yield Part(name, title, now, table)


def _table(config: ForecastConfig) -> Displacement:
    assert config.points is not None
    return read_points(config.points.path, units=config.points.units)
