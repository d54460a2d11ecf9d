"""Bursts of a track levelled in their overlap: one unit a track, after all its displacement."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from slidecloud.pipeline import timeseries
from slidecloud.pipeline.seam_members import BAND, MOST_PIXELS, SEARCHED, member_of
from slidecloud.pipeline.seam_rows import rows_of
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.store import open_run, records, tables
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.seams import SEAMS, STAGE, slug, table_name
from slidecloud.store.velocity_maps import velocity_maps
from slidecloud.types import StackHeader, track_of

_PLACE_BYTES: Final = 100
"""Bytes of a pixel that is looked for."""


@dataclass(frozen=True, slots=True)
class SeamsWork:
    """Compare the maps of a track where they overlap, and write what is to be taken off each."""

    run: Location
    track: str
    bursts: tuple[str, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        run = open_run(self.run)
        known = [burst for burst in self.bursts if burst in run.bursts]
        members = [member_of(one) for burst in known for one in velocity_maps(self.run, run.header(burst))]
        rows, found = rows_of(self.track, members)
        columns = {spec.name: [row[spec.name] for row in rows] for spec in SEAMS}
        frame = tables.table(SEAMS, columns, [row["geometry"] for row in rows])
        writer.write_object(table_name(self.track), tables.encode(frame))
        joined = len({(row["burst"], row["patch"]) for row in rows})
        return {"overlaps": found, "levelled": joined, "without_overlap": len(members) - joined}


def plan(
    run: Location, units: Sequence[Unit], headers: Sequence[StackHeader], *, dates: int, pending: Sequence[str]
) -> list[Unit]:
    """The units that level the bursts of each track that has several; none while patches of one are not known.

    Parameters
    ----------
    run
        The run store.
    units
        All units so far.
    headers
        Of the bursts with displacement.
    dates
        Of the longest series.
    pending
        Bursts whose patches are not known yet.
    """
    made, series = [], [unit for unit in units if unit.key.stage == timeseries.STAGE]
    ordered = sorted(headers, key=lambda header: (track_of(header), header.id))
    for track, group in itertools.groupby(ordered, key=track_of):
        members = list(group)
        bursts = tuple(header.id for header in members)
        if len(bursts) < 2 or set(bursts) & set(pending):
            continue
        before = [unit for unit in series if unit.key.unit.split("/")[0] in bursts]
        if not before:
            continue
        keys = sorted([unit.key.unit, unit.key.digest] for unit in before)
        width = max(header.shape[1] for header in members)
        made.append(
            Unit(
                records.Key(STAGE, slug(track), records.digest(["seams/1", track, keys])),
                SeamsWork(run, track, bursts),
                after=tuple(unit.name for unit in before),
                peak_memory=BASE_MEMORY + dates * (4 * BAND * width + 16 * MOST_PIXELS) + _PLACE_BYTES * SEARCHED,
            )
        )
    return made
