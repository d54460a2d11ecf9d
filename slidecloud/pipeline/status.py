"""How far a run is, from its store alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slidecloud.pipeline import plan as planning
from slidecloud.pipeline import timeseries
from slidecloud.pipeline.summary import Quarantined
from slidecloud.pipeline.units import Unit
from slidecloud.store import open_run, records
from slidecloud.store.records import Key


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Units of one stage: done, all, set aside, and blocked because they need one that is set aside."""

    stage: str
    done: int
    total: int
    quarantined: int
    blocked: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """Progress of a run.

    Attributes
    ----------
    stages
        In the order of the data's way.
    quarantined
        Units and bursts set aside, with the reason.
    """

    stages: tuple[StageStatus, ...]
    quarantined: tuple[Quarantined, ...]

    @property
    def ended(self) -> bool:
        """True where every unit is done, set aside, or waits for one that is."""
        return all(s.done + s.quarantined + s.blocked == s.total for s in self.stages)

    def lines(self) -> list[str]:
        """The status as lines for people."""
        lines = [
            f"{s.stage:<12} {s.done:>6} of {s.total} units done, {s.quarantined} in quarantine"
            + (f", {s.blocked} wait for those" if s.blocked else "")
            for s in self.stages
        ]
        lines.extend(f"Quarantined ({q.kind}): {q.stage} {q.unit}: {q.reason}" for q in self.quarantined)
        return lines


def status(url: str, storage_options: Mapping[str, Any] | None = None) -> Status:
    """Count the units of a run that are done; a record counts only if its digest is the current one.

    Raises
    ------
    FileNotFoundError
        If there is no run, or its stacks are gone.
    """
    run = open_run(url, storage_options)
    plan = planning.make(run.config, with_templates=False)
    done = records.done(run.location)
    notes = records.quarantined(run.location)
    totals = Counter(unit.key.stage for unit in plan.units)
    finished = Counter(unit.key.stage for unit in plan.units if unit.key in done)
    aside = [unit.key for unit in plan.units if unit.key in notes and unit.key not in done]
    counts = Counter(key.stage for key in aside)
    blocked = Counter(unit.key.stage for unit in _blocked(plan.units, done, {(key.stage, key.unit) for key in aside}))
    stages = tuple(
        StageStatus(stage, finished[stage], totals[stage], counts[stage], blocked[stage]) for stage in totals
    )
    found = tuple(Quarantined(key.stage, key.unit, notes[key]["reason"], notes[key]["kind"]) for key in aside)
    return Status(stages, found + plan.refused)


def left_out(url: str, storage_options: Mapping[str, Any] | None = None) -> dict[str, tuple[str, ...]]:
    """Which pairs the patches of a run leave out, and why, in sentences, by burst and patch; see ``timeseries.edit``.

    Only what is done with the current configuration is told of; a patch that uses all pairs is left out.
    """
    run = open_run(url, storage_options)
    plan = planning.make(run.config, with_templates=False)
    done = records.done(run.location, stage=timeseries.STAGE)
    levels = [unit.key for unit in plan.units if unit.key in done and unit.key.unit.endswith("/levels")]
    found = {}
    for key in levels:
        record = records.read(run.location, key)
        facts = {} if record is None else record.facts
        words = [*facts.get("edited", ())]
        if facts.get("pairs_incoherent"):
            words.append(f"{facts['pairs_incoherent']} pairs of low coherence are left out, since no date needs them.")
        if words:
            found[key.unit.removesuffix("/levels")] = (*words, *facts["network"])
    return found


def follow(
    url: str, storage_options: Mapping[str, Any] | None = None, *, interval: float = 10.0
) -> Iterator[Status | None]:
    """The status again and again until the run has ended; None while there is no run yet.

    Only the store is read, so it goes on whatever becomes of the processes that run.

    Parameters
    ----------
    url, storage_options
        The run store.
    interval
        Seconds between two looks.
    """
    while True:
        try:
            found = status(url, storage_options)
        except FileNotFoundError:
            found = None
        yield found
        if found is not None and found.ended:
            return
        time.sleep(interval)


def _blocked(units: Sequence[Unit], done: Collection[Key], aside: Collection[tuple[str, str]]) -> list[Unit]:
    """Units that need, directly or not, one that is set aside; each unit comes after those it requires."""
    unreachable = set(aside)
    found = []
    for unit in units:
        if unit.name not in unreachable and unit.key not in done and unreachable.intersection(unit.requires):
            unreachable.add(unit.name)
            found.append(unit)
    return found
