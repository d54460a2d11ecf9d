"""What a store holds of forecasts that were made before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.side_store import withdraw_group
from slidecloud.store import forecasts, records
from slidecloud.store.forecast_specs import forecast_group
from slidecloud.store.location import Location


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
    """Records of a part by unit; where an addition was cut short, the one with most days and forecasts."""
    found: dict[str, records.Record] = {}
    for key in sorted(records.done(location, stage=stage), key=lambda key: (key.unit, key.digest)):
        record = records.read(location, key) if key.unit.startswith(f"{name}/") else None
        if record is None:
            continue
        other = found.get(key.unit)
        if other is None or _reach(record) >= _reach(other):
            found[key.unit] = record
    return found


def _reach(record: records.Record) -> tuple[str, int]:
    """Last day and number of forecasts that a record speaks of."""
    return str(record.facts.get("until", "")), int(record.facts.get("forecasts", 0))


def withdraw_gone(location: Location, names: Collection[str]) -> list[str]:
    """Take away the groups of parts that have no points any more; returns a sentence for each."""
    gone = [name for name in forecasts.names(location) if name not in names]
    told = [str(forecasts.attributes(location, name)["title"]) for name in gone]
    for name in gone:
        withdraw_group(location, forecast_group(name))
    return [f"{title}: it has no points any more, and its forecasts are taken away." for title in told]
