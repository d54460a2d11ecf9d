"""The driver: hands out units in a bounded window, in order of their needs, and never loses a result."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Literal

from slidecloud.pipeline.chronicle import Chronicle, short
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.pipeline.units import Outcome, Unit, perform
from slidecloud.store import lease, records
from slidecloud.store.location import Location

WINDOW = 3
"""Units in flight per worker: enough to keep workers busy, few enough for a small driver."""

Name = tuple[str, str]


def drive(
    units: Sequence[Unit],
    *,
    location: Location,
    token: str,
    executor: Executor,
    memory: int | None = None,
    retries: int = 2,
    retry_quarantined: bool = False,
    progress: Progress | None = None,
    label: str = "units",
) -> Summary:
    """Do all units that are not done yet.

    Parameters
    ----------
    units
        In an order in which each comes after those it requires.
    location, token
        Store they write to, which holds their records, and the token of its lease.
    executor
        Where they run; closed only if units are still in flight when an error ends the drive.
    memory
        Bytes of one worker. No unit may need more, and threads of one process share it times their number.
    retries
        Times a unit that raised is tried again before it goes to quarantine as failed.
    retry_quarantined
        Try units again whose data was found bad before; failed ones are always tried again, and so are those that
        wait for a unit which is done now.

    Returns
    -------
    Summary

    Raises
    ------
    LeaseError
        If another driver has taken the store.
    """
    started = time.monotonic()
    work = _Todo(units, location, retry_quarantined=retry_quarantined)
    check_memory(work.ahead, memory)
    chronicle = Chronicle(location, progress, label=label)
    chronicle.begin(work.ahead)
    budget = memory * executor.workers if memory is not None and executor.shares_memory else None
    flying: dict[int, Unit] = {}
    failures: dict[Name, int] = {}
    number = 0
    try:
        while True:
            while len(flying) < WINDOW * executor.workers and (unit := work.next(flying.values(), budget)):
                flying[number] = unit
                executor.submit(number, perform, location, unit, token, device=unit.device)
                number += 1
            if not flying:
                break
            finished, result = executor.take()
            unit = flying.pop(finished)
            if isinstance(result, lease.LeaseError):
                raise result  # the store is another driver's by now: nothing more is to be written, notes neither
            attempt = failures.get(unit.name, 0) + 1
            if isinstance(result, Outcome):
                work.settle(unit, result)
                (chronicle.done if result.reason is None else chronicle.refused)(unit, result, attempt=attempt)
                continue
            failures[unit.name] = attempt
            if attempt <= retries:
                chronicle.retried(unit, result, attempt=attempt)
                work.ready.appendleft(unit)
            else:
                work.fail(unit, f"{short(result)} (tried {attempt} times)")
                chronicle.failed(unit, result, attempt=attempt)
    finally:
        if flying:
            executor.close()
        chronicle.stop()
    summary = work.summary(time.monotonic() - started)
    chronicle.end(summary)
    return summary


class _Todo:
    """Units by state: ready, waiting for others, done, set aside, blocked by what is set aside.

    A unit that comes ``after`` others waits until each of them is done, set aside or blocked, and is never blocked by
    them. Its record speaks of those that were done when it was made: it goes when another of them is to be done now.
    """

    def __init__(self, units: Sequence[Unit], location: Location, *, retry_quarantined: bool) -> None:
        self._location = location
        finished = records.done(location)
        notes = {} if retry_quarantined else records.quarantined(location)
        bad = {key for key, note in notes.items() if note["kind"] == "data"}
        todo: dict[Name, Unit] = {}
        hopeless: set[Name] = set()
        for unit in units:
            if unit.key in finished:
                if not any(name in todo and name not in hopeless for name in unit.after):
                    continue
                records.withdraw(location, unit.key)
            if any(name in todo and name not in hopeless for name in unit.waits_for):
                bad.discard(unit.key)  # its note speaks of what is made anew now
            todo[unit.name] = unit
            if unit.key in bad or not hopeless.isdisjoint(unit.requires):
                hopeless.add(unit.name)
        self.ready: deque[Unit] = deque()
        self._skipped = len(units) - len(todo)
        self._computed: list[Unit] = []
        self._notes: list[str] = []
        self._aside: dict[Name, Quarantined] = {}
        self._blocked: set[Name] = set()
        self._waiting: dict[Name, tuple[Unit, set[Name]]] = {}
        self._needed_by: dict[Name, list[Name]] = {}
        for unit in todo.values():
            needs = {name for name in unit.waits_for if name in todo}
            self._waiting[unit.name] = (unit, needs)
            for name in needs:
                self._needed_by.setdefault(name, []).append(unit.name)
        for unit in reversed(todo.values()):  # so that none is released that has a note of its own
            if unit.key in bad:
                self._set_aside(unit.name, notes[unit.key]["reason"], "data")
        for name in list(self._waiting):
            self._release(name)
        self.ahead = (*self.ready, *(unit for unit, _ in self._waiting.values()))

    def next(self, flying: Collection[Unit], budget: int | None) -> Unit | None:
        """The next unit whose needs are met, unless its memory is not free."""
        if not self.ready:
            return None
        used = sum(unit.peak_memory for unit in flying)
        if budget is not None and flying and used + self.ready[0].peak_memory > budget:
            return None
        return self.ready.popleft()

    def settle(self, unit: Unit, outcome: Outcome) -> None:
        """Note a unit that ended, and release those that waited for it."""
        if outcome.reason is not None:
            self._set_aside(unit.name, outcome.reason, "data")
            return
        self._computed.append(unit)
        if "note" in outcome.facts:
            self._notes.append(outcome.facts["note"])
        for name in self._needed_by.pop(unit.name, ()):
            self._forget(name, unit.name)

    def fail(self, unit: Unit, reason: str) -> None:
        """Set a unit aside that failed too often; the next run tries it again."""
        records.quarantine(self._location, unit.key, reason, kind="failed")
        self._set_aside(unit.name, reason, "failed")

    def summary(self, seconds: float) -> Summary:
        """What happened."""
        return Summary(
            done=len(self._computed),
            skipped=self._skipped,
            quarantined=tuple(self._aside[name] for name in sorted(self._aside)),
            blocked=tuple(" ".join(name) for name in sorted(self._blocked)),
            seconds=seconds,
            bytes_read=sum(unit.bytes_read for unit in self._computed),
            bytes_written=sum(unit.bytes_written for unit in self._computed),
            notes=tuple(sorted(self._notes)),
        )

    def _release(self, name: Name) -> None:
        unit, needs = self._waiting[name]
        if not needs:
            del self._waiting[name]
            self.ready.append(unit)

    def _set_aside(self, name: Name, reason: str, kind: Literal["data", "failed"]) -> None:
        self._waiting.pop(name, None)
        self._aside[name] = Quarantined(*name, reason, kind)
        ended = deque([name])
        while ended:
            gone = ended.popleft()
            for other in self._needed_by.pop(gone, ()):
                if other in self._waiting and gone in self._waiting[other][0].after:
                    self._forget(other, gone)
                elif self._waiting.pop(other, None) is not None:
                    self._blocked.add(other)
                    ended.append(other)

    def _forget(self, name: Name, need: Name) -> None:
        """A unit need not wait for another any longer."""
        if name in self._waiting:
            self._waiting[name][1].discard(need)
            self._release(name)


def check_memory(units: Sequence[Unit], memory: int | None) -> None:
    """Raise MemoryError, naming the largest unit and what to do, if a unit needs more than a worker's bytes."""
    if memory is None or not units:
        return
    largest = max(units, key=lambda unit: unit.peak_memory)
    if largest.peak_memory > memory:
        raise MemoryError(
            f"Unit {' '.join(largest.name)} needs {largest.peak_memory / 2**30:.2f} GiB and a worker has "
            f"{memory / 2**30:.2f} GiB. Raise resources.memory; "
            "units of tiles, but not maps and levels, become smaller with resources.tile."
        )
