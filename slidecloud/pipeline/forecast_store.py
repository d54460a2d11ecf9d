"""What a store holds of forecasts that were made before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.units import Unit
from slidecloud.store import forecasts, records
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
