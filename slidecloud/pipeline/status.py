"""How far a run is, from its store alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.summary import Quarantined
from slidecloud.store import open_run, records


@dataclass(frozen=True, slots=True)
class StageStatus:
    """Units of one stage: done, all, set aside."""

    stage: str
    done: int
    total: int
    quarantined: int


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

    def lines(self) -> list[str]:
        """The status as lines for people."""
        lines = [
            f"{s.stage:<12} {s.done:>6} of {s.total} units done, {s.quarantined} in quarantine" for s in self.stages
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
    plan = planning.make(run.config)
    done = records.done(run.location)
    notes = records.quarantined(run.location)
    totals = Counter(unit.key.stage for unit in plan.units)
    finished = Counter(unit.key.stage for unit in plan.units if unit.key in done)
    aside = [unit.key for unit in plan.units if unit.key in notes and unit.key not in done]
    counts = Counter(key.stage for key in aside)
    stages = tuple(StageStatus(stage, finished[stage], totals[stage], counts[stage]) for stage in totals)
    found = tuple(Quarantined(key.stage, key.unit, notes[key]["reason"], notes[key]["kind"]) for key in aside)
    return Status(stages, found + plan.refused)
