"""Integrity of what is stored: every object against the checksum in the record of the unit that wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.side_store import ROOT
from slidecloud.store import open_run, records, templates
from slidecloud.store.guarantees import guarantees
from slidecloud.store.location import Location, locate
from slidecloud.store.stacks import INGEST, batch_records
from slidecloud.types import DataError

_TOGETHER = 32
_EXPECTED = "a run store, a burst stack, or a store of hazard, forecasts or optical images"


@dataclass(frozen=True, slots=True)
class Damage:
    """An object that is not what was written: its key, the unit that owns it, what is wrong, what to do."""

    key: str
    unit: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of a verification: objects and bytes read, what is damaged, and what the store promises to writers."""

    objects: int
    bytes: int
    damaged: tuple[Damage, ...]
    repaired: bool
    promises: tuple[str, ...]

    def lines(self) -> list[str]:
        """The result as lines for people."""
        lines = [f"{self.objects} objects read, {self.bytes / 1e6:,.1f} MB, {len(self.damaged)} damaged."]
        lines.extend(f"{d.key} ({d.unit}): {d.reason}. {d.remedy}" for d in self.damaged)
        if self.damaged and self.repaired:
            lines.append("The records of the damaged units were withdrawn; the command above computes them again.")
        return [*lines, *self.promises]


def verify(
    url: str,
    storage_options: Mapping[str, Any] | None = None,
    *,
    repair: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Read every recorded object of a store again and compare checksums.

    Parameters
    ----------
    url
        The store.
    repair
        Withdraw the records of damaged units, so that the next run or ingest does them again, and write damaged
        metadata anew from the schema where that needs no data.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    DataError
        If it holds no record of ours.
    """
    location = locate(url, storage_options)
    if not location.exists():
        raise FileNotFoundError(f"There is nothing at {location}; give {_EXPECTED}.")
    keys = _current(location)
    if not keys:
        raise DataError(f"{location} holds no records of slidecloud; give {_EXPECTED}.")
    remedy = _remedy(location, keys)
    progress = progress or Silent()
    progress.start(units=len(keys), bytes=0, label="verify")
    objects = size = 0
    damaged: list[Damage] = []
    broken: set[records.Key] = set()
    for key in keys:
        found, count, total = _check(location, key, _of_command(location, key) or remedy)
        objects, size = objects + count, size + total
        damaged += found
        progress.advance(unit=f"{key.stage} {key.unit}", bytes=total)
        if found:
            broken.add(key)
            if repair:
                records.withdraw(location, key)
                _make_way(location, key)
    damaged += _damaged_notes(location, remedy, repair=repair)
    progress.stop()
    if damaged and repair:
        _rewrite_templates(location, storage_options, broken)
    return Verification(objects, size, tuple(damaged), repair, _promises(location))


def _promises(location: Location) -> tuple[str, ...]:
    try:
        return tuple(guarantees(location).lines())
    except PermissionError:
        return ("Nothing may be written here, so it was not tried out how the store keeps writers apart.",)


def _current(location: Location) -> list[records.Key]:
    """Records that speak of what is stored now: an append that was cut short leaves an older one beside the newer."""
    keys = sorted(records.done(location), key=lambda key: (key.stage, key.unit, key.digest))
    try:
        newest = {record.key for record in batch_records(location)}
    except records.DamagedRecordError:
        newest = {key for key in keys if key.stage == INGEST}
    return [key for key in keys if key.stage != INGEST or key in newest]


def _check(location: Location, key: records.Key, remedy: str) -> tuple[list[Damage], int, int]:
    unit = f"{key.stage} {key.unit}"
    try:
        record = records.read(location, key)
    except records.DamagedRecordError:
        return [Damage(key.path(), unit, "the record does not agree with its own checksum", remedy)], 1, 0
    if record is None:
        return [], 0, 0
    damaged, size = [], 0
    for name, data in _read_in_parts(location, list(record.objects)):
        expected = record.objects[name]
        if data is None:
            damaged.append(Damage(name, unit, "the object is missing", remedy))
        elif records.checksum(data) != expected:
            damaged.append(Damage(name, unit, f"its {len(data)} bytes do not have the recorded checksum", remedy))
        size += len(data or b"")
    return damaged, len(record.objects) + 1, size


def _read_in_parts(location: Location, names: list[str]) -> Iterator[tuple[str, bytes | None]]:
    """Objects a few at a time, so that a large unit does not fill the memory."""
    for first in range(0, len(names), _TOGETHER):
        part = names[first : first + _TOGETHER]
        found = location.read_many(part)
        yield from ((name, found.get(name)) for name in part)


def _damaged_notes(location: Location, remedy: str, *, repair: bool) -> list[Damage]:
    damaged = []
    for key in sorted(records.damaged_notes(location), key=lambda key: key.path()):
        name = key.path(records.QUARANTINE)
        damaged.append(Damage(name, f"{key.stage} {key.unit}", "the note does not agree with its checksum", remedy))
        if repair:
            records.withdraw(location, key, folder=records.QUARANTINE)
    return damaged


def _remedy(location: Location, keys: list[records.Key]) -> str:
    if any(key.stage == INGEST for key in keys):
        source = _source(location)
        stacks = location.url.rsplit("/", 1)[0]
        return f"Run 'slidecloud verify {location} --repair' and then 'slidecloud ingest {source} {stacks}'"
    return f"Run 'slidecloud verify {location} --repair' and then 'slidecloud run' with the same configuration"


def _of_command(location: Location, key: records.Key) -> str:
    """What to do about a unit that a command of its own does; empty where a run or an ingest did it."""
    name = key.unit if key.stage == templates.STAGE else key.stage
    commands = {
        "hazard": "the commands of 'slidecloud hazard'",
        "forecast": "'slidecloud forecast'",
        "optical": "the commands of 'slidecloud optical'",
    }
    for begin, command in commands.items():
        if name.startswith(begin):
            return f"Run 'slidecloud verify {location} --repair' and then {command} again"
    return ""


def _source(location: Location) -> str:
    return next((str(r.facts["source"]) for r in _readable_batches(location) if r.facts.get("source")), "SOURCE")


def _readable_batches(location: Location) -> list[records.Record]:
    try:
        return batch_records(location)
    except records.DamagedRecordError:
        return []


def _make_way(location: Location, key: records.Key) -> None:
    """Remove the root of a store of its own that is damaged: what cannot be told is never written over by a command."""
    if key.stage == templates.STAGE and key.unit.endswith(ROOT):
        location.delete("zarr.json")


def _rewrite_templates(location: Location, storage_options: Mapping[str, Any] | None, broken: set[records.Key]) -> None:
    """Write damaged metadata of a run again, where it is what the schema makes of the stacks as they are now.

    Stacks that have grown since would give metadata of more dates than there are results for: the next run writes that.
    A burst stack's template, and a run whose root is damaged, are written again by the command in the remedy.
    """
    if not any(key.stage == templates.STAGE for key in broken):
        return
    try:
        plan = planning.make(open_run(location, storage_options).config)
    except (DataError, ConfigError, FileNotFoundError):
        return
    for unit, objects in plan.templates.items():
        if templates.key_of(unit, objects) in broken:
            templates.ensure(location, unit, objects)
