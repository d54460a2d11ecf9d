"""Work units: one region of one stage, with its digest, its size and its peak memory known before it starts."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from slidecloud.config_resources import Device
from slidecloud.pipeline.snapshots import Snapshot
from slidecloud.store import lease, records
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.records import Key
from slidecloud.store.templates import SOFTWARE
from slidecloud.types import DataError

_log = logging.getLogger("slidecloud.worker")
Kernel = Literal["gradients", "maps", "levels", "sbas", "robust", "net", "blobs", "unwrap"]


class Work(Protocol):
    """What a unit does: a picklable callable that writes through ``writer`` and returns facts for the record."""

    def __call__(self, writer: Writer, /) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work.

    Attributes
    ----------
    key
        Stage, unit name and digest of configuration and inputs.
    work
        What to do.
    requires
        (stage, unit) names that must be done before.
    bytes_read, bytes_written
        Uncompressed bytes, from the schema; of an ingest that reads files, theirs.
    peak_memory
        Bytes of memory the unit needs at most.
    kernel, samples
        The kernel that does the work, and the pair-pixels (for maps, bin-pixels) it goes through; None where reading
        and writing is the work.
    keep_older
        True where the unit's older record stays true until the new one is written (appending pairs to a batch).
    inputs
        The stack it reads, as it was when the unit was planned.
    device
        Where it computes: gpu is sent to workers that offer one.
    after
        (stage, unit) names that must have ended before, done or not: the unit works with what there is. It is done
        again when one of them is.
    """

    key: Key
    work: Work
    requires: tuple[tuple[str, str], ...] = ()
    bytes_read: int = 0
    bytes_written: int = 0
    peak_memory: int = 0
    kernel: Kernel | None = None
    samples: int = 0
    keep_older: bool = False
    inputs: Snapshot | None = None
    device: Device = "cpu"
    after: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """(stage, unit)."""
        return self.key.stage, self.key.unit

    @property
    def waits_for(self) -> tuple[tuple[str, str], ...]:
        """Names of all units that must have ended before."""
        return self.requires + self.after


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a unit ended: done with the facts of its record, or set aside for the reason given.

    ``seconds`` is how long it took, and ``worker`` the host and process that did it.
    """

    facts: Mapping[str, Any]
    reason: str | None = None
    seconds: float = 0.0
    worker: str = ""


def perform(location: Location, unit: Unit, token: str) -> Outcome:
    """Do one unit and write its record last; bad data is noted in quarantine instead.

    ``token`` is that of the driver: before it writes and before the record the unit makes sure that its driver still
    holds the store's lease, and before the record also that what it read is what its digest speaks of. Any other error
    goes to the caller, who may try again: units are deterministic and idempotent.
    """
    began, worker = time.monotonic(), f"{socket.gethostname()}:{os.getpid()}"
    about = {"run": str(location), "stage": unit.key.stage, "unit": unit.key.unit, "worker": worker}
    _log.debug("%s %s begins", *unit.name, extra=about)
    facts, reason = _perform(location, unit, token)
    seconds = time.monotonic() - began
    _log.debug("%s %s ends", *unit.name, extra={**about, "seconds": seconds, "reason": reason})
    return Outcome(facts, reason, seconds, worker)


def _perform(location: Location, unit: Unit, token: str) -> tuple[Mapping[str, Any], str | None]:
    """Facts of the record, and the reason why there is none."""
    lease.check(location, token)
    if not unit.keep_older:
        records.withdraw_others(location, unit.key)
    writer = Writer(location, lease.Guard(location, token))
    try:
        facts = unit.work(writer)
        if unit.inputs is not None:
            unit.inputs.check()
    except DataError as error:
        lease.check(location, token)
        records.quarantine(location, unit.key, str(error), kind="data")
        return {}, str(error)
    lease.check(location, token)
    records.write(location, records.Record(unit.key, writer.checksums, SOFTWARE, facts))
    records.withdraw_others(location, unit.key)
    records.withdraw_others(location, unit.key, folder=records.QUARANTINE)
    records.withdraw(location, unit.key, folder=records.QUARANTINE)
    return facts, None
