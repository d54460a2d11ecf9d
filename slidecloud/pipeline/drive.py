"""The driver: hands out units in a bounded window, in order of their needs, and never loses a result."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.pipeline.units import Outcome, Unit, perform
from slidecloud.store import records
from slidecloud.store.location import Location

WINDOW = 3
"""Units in flight per worker: enough to keep workers busy, few enough for a small driver."""

Name = tuple[str, str]


def drive(
    units: Sequence[Unit],
    *,
    location: Location,
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
    location
        Store they write to, which holds their records.
    executor
        Where they run; it is not closed.
    memory
        Bytes of one worker. No unit may need more, and threads of one process share it times their number.
    retries
        Times a unit that raised is tried again before it goes to quarantine as failed.
    retry_quarantined
        Try units again whose data was found bad before; failed ones are always tried again.

    Returns
    -------
    Summary
    """
    started = time.monotonic()
    _check_memory(units, memory)
    work = _Todo(units, location, retry_quarantined=retry_quarantined)
    progress = progress or Silent()
    todo = work.waiting
    progress.start(units=len(todo), bytes=sum(unit.bytes_read for unit in todo), label=label)
    budget = memory * executor.workers if memory is not None and executor.shares_memory else None
    flying: dict[int, Unit] = {}
    failures: dict[Name, int] = {}
    number = 0
    try:
        while True:
            while len(flying) < WINDOW * executor.workers and (unit := work.next(flying.values(), budget)):
                flying[number] = unit
                executor.submit(number, perform, location, unit)
                number += 1
            if not flying:
                break
            finished, result = executor.take()
            unit = flying.pop(finished)
            if isinstance(result, Outcome):
                work.settle(unit, result)
                progress.advance(unit=" ".join(unit.name), bytes=unit.bytes_read)
                continue
            failures[unit.name] = failures.get(unit.name, 0) + 1
            if failures[unit.name] <= retries:
                progress.message(f"{' '.join(unit.name)} failed, trying again: {_short(result)}")
                work.waiting.appendleft(unit)
            else:
                work.fail(unit, f"{_short(result)} (tried {failures[unit.name]} times)")
                progress.advance(unit=" ".join(unit.name), bytes=unit.bytes_read)
    finally:
        if flying:
            executor.close()
        progress.stop()
    return work.summary(time.monotonic() - started)


class _Todo:
    """Units by state: waiting, done, set aside, blocked."""

    def __init__(self, units: Sequence[Unit], location: Location, *, retry_quarantined: bool) -> None:
        self._location = location
        finished = records.done(location)
        notes = records.quarantined(location)
        self._wanted = {unit.name for unit in units}
        self._done = {unit.name for unit in units if unit.key in finished}
        self._skipped = len(self._done)
        self._aside: dict[Name, Quarantined] = {}
        self._computed: list[Unit] = []
        self._blocked: set[Name] = set()
        self.waiting: deque[Unit] = deque()
        for unit in units:
            note = notes.get(unit.key)
            if unit.name in self._done:
                continue
            if note is not None and note["kind"] == "data" and not retry_quarantined:
                self._aside[unit.name] = Quarantined(*unit.name, note["reason"], "data")
            elif self._is_blocked(unit):
                self._blocked.add(unit.name)
            else:
                self.waiting.append(unit)

    def next(self, flying: Iterable[Unit], budget: int | None) -> Unit | None:
        """The first waiting unit whose needs are met and whose memory is free."""
        flying = list(flying)
        used = sum(unit.peak_memory for unit in flying)
        for unit in list(self.waiting):
            if self._is_blocked(unit):
                self.waiting.remove(unit)
                self._blocked.add(unit.name)
                continue
            if any(name in self._wanted and name not in self._done for name in unit.requires):
                continue
            if budget is not None and flying and used + unit.peak_memory > budget:
                return None
            self.waiting.remove(unit)
            return unit
        return None

    def settle(self, unit: Unit, outcome: Outcome) -> None:
        """Note a unit that ended."""
        if outcome.reason is None:
            self._done.add(unit.name)
            self._computed.append(unit)
        else:
            self._aside[unit.name] = Quarantined(*unit.name, outcome.reason, "data")

    def fail(self, unit: Unit, reason: str) -> None:
        """Set a unit aside that failed too often; the next run tries it again."""
        records.quarantine(self._location, unit.key, reason, kind="failed")
        self._aside[unit.name] = Quarantined(*unit.name, reason, "failed")

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
        )

    def _is_blocked(self, unit: Unit) -> bool:
        return any(name in self._aside or name in self._blocked for name in unit.requires)


def _check_memory(units: Sequence[Unit], memory: int | None) -> None:
    if memory is None or not units:
        return
    largest = max(units, key=lambda unit: unit.peak_memory)
    if largest.peak_memory > memory:
        raise MemoryError(
            f"Unit {' '.join(largest.name)} needs {largest.peak_memory / 2**30:.2f} GiB and a worker has "
            f"{memory / 2**30:.2f} GiB. Raise resources.memory or choose a smaller resources.tile."
        )


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
