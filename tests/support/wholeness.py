"""What must hold of a run store once its run is finished, whatever happened on the way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from slidecloud.config import RunConfig
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.run import run
from slidecloud.pipeline.verify import verify
from slidecloud.store import locate, records, templates
from slidecloud.store.location import Location


@dataclass(frozen=True, slots=True)
class Whole:
    """What was counted in a store that is whole: its units, its objects, and the orphans that were removed."""

    units: int
    objects: int
    orphans: int


def objects(location: Location) -> dict[str, bytes]:
    """Digest of every stored object except records, by key."""
    keys = [key for key in location.keys("") if not key.startswith(".slidecloud/")]
    return {key: hashlib.sha256(data).digest() for key, data in location.read_many(keys).items()}


def check(settings: RunConfig, undisturbed: Mapping[str, bytes]) -> Whole:
    """Assert that a finished run is as if nothing had happened.

    Every unit has one record and none is in quarantine, no object disagrees with its record, what no record owns is
    listed, removed and then gone, another run does nothing, and every bit is that of the undisturbed run.

    Parameters
    ----------
    settings
        The configuration of the run.
    undisturbed
        `objects` of the same run in peace.
    """
    location = locate(settings.run, settings.storage_options)
    counted = Counter((key.stage, key.unit) for key in records.done(location) if key.stage != templates.STAGE)
    planned = [unit.name for unit in planning.make(settings).units]
    assert counted == dict.fromkeys(planned, 1)
    assert records.quarantined(location) == {}
    assert verify(settings.run, settings.storage_options).damaged == ()
    listed = collect(settings.run, settings.storage_options)
    assert listed.foreign == ()
    assert collect(settings.run, settings.storage_options, remove=True).orphans == listed.orphans
    assert collect(settings.run, settings.storage_options).orphans == ()
    again = run(settings, executor=serial())
    assert (again.done, again.skipped) == (0, len(planned))
    found = objects(location)
    assert found == undisturbed
    return Whole(len(planned), len(found), len(listed.orphans))
