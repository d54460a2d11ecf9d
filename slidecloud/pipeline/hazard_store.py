"""The store that hazard writes: a run's, or one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.units import Unit
from slidecloud.store import records, templates
from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.location import Location
from slidecloud.store.schema import SCHEMA_VERSION
from slidecloud.store.stacks import kind_of

KIND: Final = "hazard"
ROOT: Final = "hazard_root"
"""Name of the template of a store of its own."""


def check_store(location: Location, config: HazardConfig) -> None:
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
            f"There is no run at {location}; make one with 'slidecloud run region.yaml', or give 'store' in place of "
            "'run' to work without one."
        )
    expected = "run" if config.run is not None else KIND
    strange = kind is None and location.read("zarr.json") is not None
    if strange or kind not in (expected, None):
        key = "run" if config.run is not None else "store"
        raise ConfigError(f"{key} is {location}, which holds {kind or 'a Zarr store'}; expected a store of {expected}.")


def ensure_store(location: Location, config: HazardConfig) -> None:
    """Write the metadata of the root, where the store is hazard's own, and of the group ``hazard``."""
    nothing: dict[str, Any] = {"coordinates": {}, "grid": None}
    if config.run is None:
        about = {"kind": KIND, "schema_version": SCHEMA_VERSION, "software": templates.SOFTWARE}
        templates.ensure(location, ROOT, templates.group((), {}, path="", attributes=about, **nothing))
    templates.ensure(location, HAZARD, templates.group((), {}, path=HAZARD, attributes={}, **nothing))


def withdraw_stale(
    location: Location, stage: str, units: Sequence[Unit], *, within: str = "", keep: str | None = None
) -> None:
    """Withdraw records of a stage that are not of this plan: their objects may be written over.

    Only units whose names begin with ``within`` are looked at; those that begin with ``keep`` are left for a later plan
    of the same stage.
    """
    wanted = {unit.key for unit in units}
    for folder in (records.DONE, records.QUARANTINE):
        for key in records.done(location, stage=stage, folder=folder) - wanted:
            if key.unit.startswith(within) and not (keep is not None and key.unit.startswith(keep)):
                records.withdraw(location, key, folder=folder)


def withdraw_report(location: Location, stage: str, units: Sequence[Unit], *, path: str) -> None:
    """Take a report away before units of a stage that are not done write over the maps that it speaks of."""
    if not {unit.key for unit in units} - records.done(location, stage=stage):
        return
    for key in records.done(location, stage=templates.STAGE):
        if key.unit == path:
            records.withdraw(location, key)
    location.delete(f"{path}/zarr.json")
