"""Stacks whose metadata describe a large run, and a driver of that run whose units compute nothing.

``python large.py FOLDER ADDRESS PROCESS MARK...`` drives the run in a folder on the scheduler at an address, which is
that process, and prints as JSON how many MiB the driver and the scheduler hold after so many units.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from slidecloud import config
from slidecloud.cluster import connect
from slidecloud.pipeline import executors
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.progress import Silent
from slidecloud.pipeline.units import Unit, Work
from slidecloud.store import lease, locate, records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.stacks import INGEST, stack_template
from slidecloud.types import Pair, StackHeader

DATES = 145
NEIGHBOURS = 3
SHAPE = (1536, 3072)
UNITS = 398
"""Of one burst: sums of ten season bins in 36 tiles and the inversion in 36, levels, maps of the whole."""


def describe(folder: Path, bursts: int) -> None:
    """Stacks and configuration of a run on so many bursts of 429 pairs and 5 million pixels, without their pixels."""
    days = [np.datetime64("2018-01-05T11:22:33", "s") + np.timedelta64(12 * k, "D") for k in range(DATES)]
    pairs = [Pair(days[i], days[j], 10.0) for i in range(DATES) for j in range(i + 1, min(i + 1 + NEIGHBOURS, DATES))]
    facts = {"pairs": {pair.key: records.digest(pair.key) for pair in pairs}, "rejected": {}}
    for number in range(bursts):
        header = _header(f"t{number:03}_000001_iw2")
        location = locate(folder / f"stacks/{header.id}.zarr")
        templates.ensure(location, "stack", stack_template(header, pairs, {}, chunks=(32, 256, 512)))
        key = records.Key(INGEST, "00000", records.digest(header.id))
        records.write(location, records.Record(key, {}, templates.SOFTWARE, facts))
    (folder / "region.yaml").write_text(
        f"run: {folder}/run.zarr\nstacks: {folder}/stacks\nresources: {{memory: 4 GiB, tile: [256, 512]}}\n"
        "timeseries: {where: everywhere}\n"
        f"kubernetes: {{image: slidecloud, volume_claim: data, volume_path: {folder}}}\n"
    )


@dataclass(frozen=True, slots=True)
class Idle:
    """Takes the place of the work that it holds, and does nothing."""

    work: Work

    def __call__(self, writer: Writer) -> Mapping[str, Any]:
        return {}


class Watch(Silent):
    """Memory of processes after so many units, MiB."""

    def __init__(self, marks: Sequence[int], processes: Mapping[str, int]) -> None:
        self.found: dict[str, list[float]] = {name: [] for name in processes}
        self._marks = set(marks)
        self._processes = {name: psutil.Process(number) for name, number in processes.items()}
        self._units = 0

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:
        self._units += 1
        if self._units in self._marks:
            for name, process in self._processes.items():
                self.found[name].append(process.memory_info().rss / 2**20)


def watch(folder: Path, address: str, scheduler: int, marks: Sequence[int]) -> dict[str, Any]:
    """Drive the run from this process; memory by process, and how many units were done."""
    plan = planning.make(config.load(folder / "region.yaml"))
    for name, objects in plan.templates.items():
        templates.ensure(plan.location, name, objects)
    units: list[Unit] = [dataclasses.replace(unit, work=Idle(unit.work)) for unit in plan.units]
    watched = Watch(marks, {"driver": psutil.Process().pid, "scheduler": scheduler})
    with connect(address) as client, lease.hold(plan.location) as token:
        executor = executors.dask(client)
        done = drive(units, location=plan.location, token=token, executor=executor, progress=watched).done
    return {"done": done, "units": len(units), **watched.found}


def _header(burst: str) -> StackHeader:
    return StackHeader(
        burst, "radar", SHAPE, (14.0, 4.0), 0.05546576, 1, 1, 4.0, -10.0, "right", "ascending", 880_000.0,
        "metadata", "tests", False, True,
    )  # fmt: skip


if __name__ == "__main__":
    # Workers are to find what they are sent by the name of this file.
    import large

    told = large.watch(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), [int(mark) for mark in sys.argv[4:]])
    sys.stdout.write(json.dumps(told))
