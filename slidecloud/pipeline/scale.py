"""How long a run takes on so many workers, some of which may be taken away: a simulation of its units, event by event.

What is simulated: units that wait for others, a driver that keeps a bounded window of them in flight, a scheduler that
needs its time for each of them one by one, workers that start, work and are taken away and replaced, and a store whose
throughput they share. Times come from measurements (`slidecloud.pipeline.rates`), chance from a seed.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slidecloud.pipeline.drive import WINDOW, Name

if TYPE_CHECKING:
    from simpy import Environment, Process

Steps = Generator[Any, Any, None]

_HOPELESS = 1000
"""Times a unit may be begun before the run counts as endless."""
_SLICES = 16
"""Parts of what a unit reads, and of what it writes, each at the speed of its moment."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a unit takes on one core that has the store to itself.

    Attributes
    ----------
    name
        (stage, unit).
    seconds
        Computing, and what every unit takes besides.
    read, write
        MB (1e6 bytes) moved from and to the store.
    requires
        Units that must be done before.
    """

    name: Name
    seconds: float
    read: float = 0.0
    write: float = 0.0
    requires: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers, and what bounds them.

    Attributes
    ----------
    workers
        How many, each of one core.
    start
        Seconds from the command to the first unit, and from the last unit to the end.
    task
        Seconds the scheduler and the driver need for a unit, one after the other.
    read, write
        MB/s of one worker.
    read_limit, write_limit
        MB/s of all workers together.
    preemption
        Times per hour that a worker is taken away, on average.
    replacement
        Seconds until another has taken its place.
    """

    workers: int
    start: float = 0.0
    task: float = 0.0
    read: float = math.inf
    write: float = math.inf
    read_limit: float = math.inf
    write_limit: float = math.inf
    preemption: float = 0.0
    replacement: float = 120.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run takes on a crew.

    Attributes
    ----------
    workers
        How many.
    seconds
        Wall time from the command to its end.
    worker_seconds
        Time of all workers, for which they are paid: from the command to the end, replacements not counted.
    busy_seconds
        Part of it spent on units that ended, once each.
    lost_seconds
        Part of it spent on units whose worker was taken away.
    preemptions
        Workers taken away.
    """

    workers: int
    seconds: float
    worker_seconds: float
    busy_seconds: float
    lost_seconds: float
    preemptions: int

    @property
    def idle(self) -> float:
        """Share of the workers' time in which they did nothing."""
        return 1 - (self.busy_seconds + self.lost_seconds) / self.worker_seconds if self.worker_seconds else 0.0

    @property
    def lost(self) -> float:
        """Share of the workers' time spent on units whose worker was taken away."""
        return self.lost_seconds / self.worker_seconds if self.worker_seconds else 0.0


def forecast(costs: Sequence[Cost], crew: Crew, *, seed: int = 0) -> Forecast:
    """Simulate a run.

    Parameters
    ----------
    costs
        Its units, each after those it requires.
    crew
        Who does them.
    seed
        Of the moments at which workers are taken away.

    Raises
    ------
    ValueError
        If there are no workers, or a unit requires one that is not there.
    RuntimeError
        If workers are taken away so fast that no unit ever ends.
    """
    if crew.workers < 1:
        raise ValueError(f"workers are {crew.workers}; expected at least 1")
    return _Simulation(costs, crew, random.Random(seed)).run()


class _Simulation:
    def __init__(self, costs: Sequence[Cost], crew: Crew, chance: random.Random) -> None:
        import simpy

        self._simpy = simpy
        self._env: Environment = simpy.Environment()
        self._crew, self._chance = crew, chance
        self._queue: Any = simpy.Store(self._env)
        self._ended: Any = self._env.event()
        self._room: Any = self._env.event()
        self._flying = self._busy_workers = self._preemptions = 0
        self._busy = self._lost = self._gone = 0.0
        self._left = len(costs)
        self._begun: dict[Name, int] = {}
        self._needs = {cost.name: set(cost.requires) for cost in costs}
        if missing := {need for needs in self._needs.values() for need in needs} - set(self._needs):
            raise ValueError(f"unit {' '.join(min(missing))} is required and not among the {len(costs)} units")
        self._waiting = {cost.name: cost for cost in costs if cost.requires}
        self._needed_by: dict[Name, list[Name]] = {}
        for cost in costs:
            for name in cost.requires:
                self._needed_by.setdefault(name, []).append(cost.name)
        self._ready = deque(cost for cost in costs if not cost.requires)

    def run(self) -> Forecast:
        crew, env = self._crew, self._env
        if self._left:
            env.process(self._drive())
            for _ in range(crew.workers):
                worker = env.process(self._work())
                if crew.preemption > 0:
                    env.process(self._take_away(worker))
            env.run(until=self._ended)
        seconds = env.now + crew.start
        paid = crew.workers * seconds - self._gone
        return Forecast(crew.workers, seconds, paid, self._busy, self._lost, self._preemptions)

    def _drive(self) -> Steps:
        """Hand out what is ready, one by one, while there is room in the window."""
        while True:
            if self._ready and self._flying < WINDOW * self._crew.workers:
                self._flying += 1
                unit = self._ready.popleft()
                if self._crew.task:
                    yield self._env.timeout(self._crew.task)
                self._queue.put(unit)
            else:
                self._room = self._env.event()
                yield self._room

    def _work(self) -> Steps:
        while True:
            unit, began, asked = None, 0.0, self._queue.get()
            try:
                unit = yield asked
                began = self._env.now
                self._busy_workers += 1
                yield from self._do(unit)
                self._busy_workers -= 1
                self._busy += self._env.now - began
                self._settle(unit)
            except self._simpy.Interrupt:
                self._leave(asked, unit, began)
                yield self._env.timeout(self._crew.replacement)
                self._gone += self._crew.replacement

    def _leave(self, asked: Any, unit: Cost | None, began: float) -> None:
        """Hand back what a worker had when it was taken away."""
        if unit is not None:
            self._busy_workers -= 1
            self._lost += self._env.now - began
        elif asked.triggered:
            unit = asked.value
        else:
            asked.cancel()
        if unit is not None:
            self._queue.put(unit)

    def _take_away(self, worker: Process) -> Steps:
        while True:
            yield self._env.timeout(self._chance.expovariate(self._crew.preemption / 3600))
            self._preemptions += 1
            worker.interrupt()
            yield self._env.timeout(self._crew.replacement)

    def _do(self, unit: Cost) -> Steps:
        self._begun[unit.name] = self._begun.get(unit.name, 0) + 1
        if self._begun[unit.name] > _HOPELESS:
            raise RuntimeError(
                f"Unit {' '.join(unit.name)} takes {unit.seconds:.0f} s, and with {self._crew.preemption:g} "
                "preemptions per worker and hour no worker lives so long. Choose smaller tiles or other workers."
            )
        crew = self._crew
        yield from self._move(unit.read, crew.read, crew.read_limit)
        yield self._env.timeout(unit.seconds)
        yield from self._move(unit.write, crew.write, crew.write_limit)

    def _move(self, size: float, alone: float, together: float) -> Steps:
        """Read or write so many MB, slice by slice: the store is shared with those that are at work by then."""
        for _ in range(_SLICES if size else 0):
            yield self._env.timeout(size / _SLICES / min(alone, together / self._busy_workers))

    def _settle(self, unit: Cost) -> None:
        self._flying -= 1
        self._left -= 1
        for name in self._needed_by.get(unit.name, ()):
            self._needs[name].discard(unit.name)
            if not self._needs[name]:
                self._ready.append(self._waiting.pop(name))
        if not self._left:
            self._ended.succeed()
        elif not self._room.triggered:
            self._room.succeed()
