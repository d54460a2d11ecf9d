"""Done-records: what was written, from what, with which checksums. A unit is done when the record of its digest exists.

A record is written last, by put-if-absent, and is never overwritten. Before a unit writes other bytes over its objects
it withdraws its older records, so a record always tells the truth about what is stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slidecloud.store.location import Location
from slidecloud.store.objects import check_key

DONE = ".slidecloud/done"
QUARANTINE = ".slidecloud/quarantine"


@dataclass(frozen=True, slots=True)
class Key:
    """Name of a record: stage, unit (may hold slashes) and digest."""

    stage: str
    unit: str
    digest: str

    def path(self, folder: str = DONE) -> str:
        """Key of the record's object."""
        return f"{folder}/{self.stage}/{self.unit}/{self.digest}.json"


@dataclass(frozen=True, slots=True)
class Record:
    """One done-record.

    Attributes
    ----------
    key
        Stage, unit and digest.
    objects
        Checksum (SHA-256) of each object the unit wrote, by key in the store.
    software
        Name and version of what wrote it.
    facts
        A few JSON values that other units or people want: digests of the stored pairs, counts.
    """

    key: Key
    objects: Mapping[str, str]
    software: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The record as JSON with a checksum of itself."""
        body = {
            "stage": self.key.stage,
            "unit": self.key.unit,
            "digest": self.key.digest,
            "software": self.software,
            "objects": dict(sorted(self.objects.items())),
            "facts": dict(self.facts),
        }
        return _sealed("record", body)


class DamagedRecordError(ValueError):
    """A record whose text does not agree with its own checksum or its name."""


def checksum(data: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """A short digest of JSON values, the same on every machine: the first 32 hexadecimal digits of SHA-256."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return checksum(text.encode())[:32]


def done(location: Location, *, stage: str = "", folder: str = DONE) -> set[Key]:
    """Keys of all records of a store, or of one stage."""
    prefix = f"{folder}/{stage}" if stage else folder
    keys = (_parse(path, folder) for path in location.keys(prefix))
    return {key for key in keys if key is not None}


def read(location: Location, key: Key) -> Record | None:
    """A record, or None where there is none.

    Raises
    ------
    DamagedRecordError
        If its text was changed after it was written.
    """
    data = location.read(key.path())
    if data is None:
        return None
    body = _unsealed("record", data)
    if (
        body is None
        or [body["stage"], body["unit"], body["digest"]] != [key.stage, key.unit, key.digest]
        or not all(map(_stays_inside, body["objects"]))
    ):
        raise DamagedRecordError(
            f"The done-record {key.path()} of {location} does not agree with its checksum. "
            f"Run 'slidecloud verify {location} --repair' and then the run again; its unit alone is computed again."
        )
    return Record(key, body["objects"], body["software"], body["facts"])


def write(location: Location, record: Record) -> bool:
    """Put a record where there is none; False where another writer was first (it wrote the same bytes)."""
    return location.create(record.key.path(), record.encode())


def withdraw(location: Location, key: Key, *, folder: str = DONE) -> None:
    """Remove one record, so that its unit is computed again."""
    location.delete(key.path(folder))


def withdraw_others(location: Location, key: Key, *, folder: str = DONE) -> None:
    """Remove the records of the same unit with other digests, before its objects are overwritten."""
    for path in location.keys(f"{folder}/{key.stage}/{key.unit}"):
        found = _parse(path, folder)
        if found is not None and found.unit == key.unit and found.digest != key.digest:
            location.delete(path)


def quarantine(location: Location, key: Key, reason: str, *, kind: str) -> None:
    """Note why a unit was set aside; ``kind`` is ``data`` (bad input) or ``failed`` (an error after its retries)."""
    note = {"stage": key.stage, "unit": key.unit, "digest": key.digest, "kind": kind, "reason": reason}
    location.write(key.path(QUARANTINE), _sealed("note", note))


def quarantined(location: Location, *, stage: str = "") -> dict[Key, dict[str, Any]]:
    """Notes of all units set aside, by key; a damaged note counts as absent, which tries its unit again."""
    return {key: note for key, note in _notes(location, stage) if note is not None}


def damaged_notes(location: Location) -> list[Key]:
    """Notes that do not agree with their checksum."""
    return [key for key, note in _notes(location, "") if note is None]


def _notes(location: Location, stage: str) -> list[tuple[Key, dict[str, Any] | None]]:
    keys = sorted(done(location, stage=stage, folder=QUARANTINE), key=lambda k: (k.stage, k.unit, k.digest))
    return [(key, _unsealed("note", location.read(key.path(QUARANTINE)))) for key in keys]


def _sealed(name: str, body: dict[str, Any]) -> bytes:
    return json.dumps({name: body, "sha256": digest(body)}, indent=1).encode()


def _unsealed(name: str, data: bytes | None) -> dict[str, Any] | None:
    """The body of a sealed text, or None where it was changed."""
    try:
        content = json.loads(data or b"")
        body = content[name]
        return body if isinstance(body, dict) and digest(body) == content["sha256"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _stays_inside(name: str) -> bool:
    try:
        check_key(name)
    except ValueError:
        return False
    return True


def _parse(path: str, folder: str) -> Key | None:
    parts = path.removeprefix(f"{folder}/").split("/")
    if len(parts) < 3 or not parts[-1].endswith(".json"):
        return None
    return Key(parts[0], "/".join(parts[1:-1]), parts[-1].removesuffix(".json"))
