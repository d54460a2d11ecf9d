"""Offsets between bursts, when displacement of some of them is written relative to another reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slidecloud.pipeline.moved import Moved
from slidecloud.store import records, tables
from slidecloud.store.arrays import Writer
from slidecloud.store.lease import Guard
from slidecloud.store.runs import Run
from slidecloud.store.seams import DISPLACEMENT, SAME_PASS, STAGE, read_table, slug, table_name
from slidecloud.types import Float64, track_of


def move_seams(run: Run, moved: Mapping[tuple[str, str], Moved], guard: Guard) -> None:
    """Change the offsets of all tracks by what was taken off their bursts and patches, less that of the one that stays.

    What is levelled is then as far from the one that stays as before: ``D' - o' = D - o - s`` with the shift s of that
    one, for ``D' = D - s_own`` and ``o' = o - s_own + s``. Velocities from gradients do not move with a reference.
    """
    for track in sorted({track_of(run.header(burst)) for burst, _ in moved}):
        table = read_table(run.location, track)
        if table is None or not len(table):
            continue
        keys = list(zip(table["burst"], table["patch"], strict=True))
        stays = table[(table["offset"] == 0) & (table["sigma"] == 0)]
        datum = {part: key for part, *key in zip(stays["part"], stays["burst"], stays["patch"], strict=True)}
        own = [_taken(moved.get(key), row) for key, (_, row) in zip(keys, table.iterrows(), strict=True)]
        common = [_taken(moved.get(tuple(datum[row["part"]])), row) for _, row in table.iterrows()]
        changed = table.assign(offset=table["offset"].to_numpy() - np.array(own) + np.array(common))
        _store(run, track, changed, guard)


def _taken(moved: Moved | None, row: Any) -> float:
    """What was taken off a burst or patch in the quantity and pass of a row."""
    if moved is None or moved.shift is None or row["quantity"] not in (DISPLACEMENT, "velocity"):
        return 0.0
    if row["quantity"] == "velocity":
        return moved.shift.velocity
    apart: Float64 = np.abs(moved.time.astype("datetime64[s]") - np.datetime64(int(row["time"]), "s"))
    nearest = int(apart.argmin())
    return float(moved.shift.displacement[nearest]) if apart[nearest] <= SAME_PASS else float("nan")


def _store(run: Run, track: str, table: Any, guard: Guard) -> None:
    """Write the table; its record goes before and comes back with the new checksum."""
    kept = [key for key in records.done(run.location, stage=STAGE) if key.unit == slug(track)]
    found = [record for key in kept if (record := records.read(run.location, key)) is not None]
    for key in kept:
        records.withdraw(run.location, key)
    writer = Writer(run.location, guard)
    writer.write_object(table_name(track), tables.encode(table))
    for record in found:
        objects = {name: writer.checksums.get(name, value) for name, value in record.objects.items()}
        records.write(run.location, records.Record(record.key, objects, record.software, record.facts))
