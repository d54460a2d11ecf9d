"""The store that forecasts are written into: a run's, or one of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.units import Unit
from slidecloud.store import forecasts, records, templates
from slidecloud.store.forecast_specs import FORECAST
from slidecloud.store.location import Location
from slidecloud.store.schema import SCHEMA_VERSION
from slidecloud.store.stacks import kind_of

ROOT: Final = "forecast_root"
"""Name of the template of a store of their own."""


def check_store(location: Location, config: ForecastConfig) -> None:
    """Refuse a store that holds something else.

    Raises
    ------
    FileNotFoundError
        If there is no run where one is named.
    ConfigError
        If the store is of another kind.
    """
    kind = kind_of(location)
    if config.run is not None and kind is None:
        raise FileNotFoundError(
            f"There is no run at {location}; make one with 'slidecloud run region.yaml', or give 'points' and 'store' "
            "in place of 'run'."
        )
    expected = "run" if config.run is not None else forecasts.KIND
    strange = kind is None and location.read("zarr.json") is not None
    if strange or kind not in (expected, None):
        key = "run" if config.run is not None else "store"
        raise ConfigError(f"{key} is {location}, which holds {kind or 'a Zarr store'}; expected a store of {expected}.")


def ensure_store(location: Location, config: ForecastConfig) -> None:
    """Write the metadata of the root, where the store is the forecasts' own, and of the group ``forecast``."""
    nothing: dict[str, Any] = {"coordinates": {}, "grid": None}
    if config.run is None:
        about = {"kind": forecasts.KIND, "schema_version": SCHEMA_VERSION, "software": templates.SOFTWARE}
        templates.ensure(location, ROOT, templates.group((), {}, path="", attributes=about, **nothing))
    templates.ensure(location, FORECAST, templates.group((), {}, path=FORECAST, attributes={}, **nothing))


def check_same(location: Location, name: str, config: ForecastConfig) -> None:
    """Raise ConfigError, naming the first difference, where a part was forecast with other settings."""
    before: Mapping[str, Any] = forecasts.attributes(location, name)["configuration"]
    after = config.science()
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            raise ConfigError(
                f"{key} was {before.get(key)!r} and is now {after.get(key)!r}, and --nightly adds days to forecasts of "
                "the same settings. Restore it, or give the command without --nightly, which forecasts anew."
            )


def records_of(location: Location, stage: str, name: str) -> dict[str, records.Record]:
    """Records of a part by unit; where an addition was cut short, the one with most days."""
    found: dict[str, records.Record] = {}
    for key in sorted(records.done(location, stage=stage), key=lambda key: (key.unit, key.digest)):
        record = records.read(location, key) if key.unit.startswith(f"{name}/") else None
        if record is None:
            continue
        other = found.get(key.unit)
        if other is None or str(record.facts.get("until", "")) >= str(other.facts.get("until", "")):
            found[key.unit] = record
    return found


def withdraw_stale(location: Location, stage: str, names: Sequence[str], units: Sequence[Unit]) -> None:
    """Withdraw records of parts that are not of this plan, with what they speak of.

    Forecasts of other settings would else stand at the days of these until they are written over.
    """
    wanted = {unit.key for unit in units}
    for folder in (records.DONE, records.QUARANTINE):
        for key in records.done(location, stage=stage, folder=folder) - wanted:
            if key.unit.split("/")[0] not in names:
                continue
            record = records.read(location, key) if folder == records.DONE else None
            records.withdraw(location, key, folder=folder)
            for name in () if record is None else record.objects:
                location.delete(name)
