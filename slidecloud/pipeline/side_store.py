"""The store that hazard, forecasts and optical images are written into: a run's, or one of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline.units import Unit
from slidecloud.store import records, templates
from slidecloud.store.location import Location
from slidecloud.store.schema import SCHEMA_VERSION
from slidecloud.store.stacks import kind_of

ROOT = "_root"
"""What ends the name of the template of a store of its own."""
_INSTEAD = "'store' in place of 'run' to work without one"


def check_store(location: Location, group: str, *, in_run: bool, instead: str = _INSTEAD) -> None:
    """Refuse a store that holds something else.

    Parameters
    ----------
    location
        The store.
    group
        What is written into it, such as ``hazard``: its group, and the kind of a store of its own.
    in_run
        Whether the configuration names a run.
    instead
        What else it could give.

    Raises
    ------
    FileNotFoundError
        If there is no run where one is named.
    ConfigError
        If the store is of another kind.
    """
    kind = kind_of(location)
    if in_run and kind is None:
        raise FileNotFoundError(
            f"There is no run at {location}; make one with 'slidecloud run region.yaml', or give {instead}."
        )
    expected = "run" if in_run else group
    strange = kind is None and location.read("zarr.json") is not None
    if strange or kind not in (expected, None):
        key = "run" if in_run else "store"
        raise ConfigError(f"{key} is {location}, which holds {kind or 'a Zarr store'}; expected a store of {expected}.")


def ensure_store(location: Location, group: str, *, in_run: bool) -> None:
    """Write the metadata of a group, and of the root where the store is its own."""
    nothing: dict[str, Any] = {"coordinates": {}, "grid": None}
    if not in_run:
        about = {"kind": group, "schema_version": SCHEMA_VERSION, "software": templates.SOFTWARE}
        templates.ensure(location, f"{group}{ROOT}", templates.group((), {}, path="", attributes=about, **nothing))
    templates.ensure(location, group, templates.group((), {}, path=group, attributes={}, **nothing))


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
