"""Bursts of a track levelled in their overlap: one unit a track, after all its displacement."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import seams as kernel
from slidecloud.kernels.seams import Difference
from slidecloud.pipeline import timeseries
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.store import open_run, records, tables
from slidecloud.store.arrays import MissingChunkError, Writer
from slidecloud.store.location import Location
from slidecloud.store.seams import DISPLACEMENT, SAME_PASS, SEAMS, STAGE, VELOCITIES, slug, table_name
from slidecloud.store.velocity_maps import Pixels, VelocityMap, velocity_maps
from slidecloud.types import Float64, StackHeader, track_of

MOST_PIXELS: Final = 20_000
"""Pixels of an overlap, at most about so many, that are compared."""
_SEARCHED: Final = 500_000
"""Pixels of a map, at most about so many, that are looked for in another."""
_BAND: Final = 64
"""Rows that are read at once."""
_PLACE_BYTES: Final = 100
"""Bytes of a pixel that is looked for."""


class Overlap(NamedTuple):
    """Two maps, by number, that overlap, and the same places in both."""

    first: int
    second: int
    here: Pixels
    there: Pixels


@dataclass(frozen=True)
class _Member:
    """A velocity map of a track: a patch, or a whole burst."""

    map: VelocityMap

    @property
    def names(self) -> tuple[str, str]:
        """Burst and patch; the patch of a whole burst is empty."""
        return self.map.header.id, self.map.patch

    @cached_property
    def searched(self) -> tuple[Pixels, Float64, Float64]:
        """Pixels that are looked for in other maps, and their longitude and latitude."""
        height, width = self.map.shape
        step = max(1, int(np.ceil(np.sqrt(height * width / _SEARCHED))))
        rows, columns = (axis.ravel() for axis in np.mgrid[:height:step, :width:step])
        pixels = Pixels(rows.astype(np.intp), columns.astype(np.intp))
        return pixels, *self.map.place(pixels)

    @cached_property
    def velocities(self) -> dict[str, NDArray[np.float32]]:
        """The velocity maps that there are, by name."""
        found = {}
        for name in VELOCITIES:
            try:
                found[name] = self.map.map(name)
            except (KeyError, MissingChunkError):
                if name == VELOCITIES[0]:
                    raise
        return found

    def moved(self, pixels: Pixels) -> NDArray[np.float32]:
        """Displacement (time, pixel), a band of rows at a time."""
        found = np.full((len(self.map.time), pixels.rows.size), np.nan, np.float32)
        for band in np.unique(pixels.rows // _BAND):
            own = np.flatnonzero(pixels.rows // _BAND == band)
            found[:, own] = self.map.series(DISPLACEMENT, Pixels(pixels.rows[own], pixels.columns[own]))
        return found


@dataclass(frozen=True, slots=True)
class SeamsWork:
    """Compare the maps of a track where they overlap, and write what is to be taken off each."""

    run: Location
    track: str
    bursts: tuple[str, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        members, unfinished = self._members()
        found = list(overlaps(members))
        rows = _rows(self.track, members, found)
        columns = {spec.name: [row[spec.name] for row in rows] for spec in SEAMS}
        frame = tables.table(SEAMS, columns, [row["geometry"] for row in rows])
        writer.write_object(table_name(self.track), tables.encode(frame))
        joined = {number for one in found for number in (one.first, one.second)}
        return {
            "overlaps": len(found),
            "levelled": len(joined),
            "without_overlap": len(members) - len(joined),
            "unfinished": unfinished,
        }

    def _members(self) -> tuple[list[_Member], int]:
        """The maps that are finished, and the number of those that are not."""
        run, found, unfinished = open_run(self.run), [], 0
        for burst in self.bursts:
            for one in velocity_maps(self.run, run.header(burst)) if burst in run.bursts else ():
                member = _Member(one)
                try:
                    _ = member.velocities
                except MissingChunkError:
                    unfinished += 1
                    continue
                found.append(member)
        return found, unfinished


def overlaps(members: Sequence[_Member]) -> Iterator[Overlap]:
    """Maps of different bursts that have enough places in common."""
    import shapely

    if not members:
        return
    boxes = []
    for member in members:
        _, longitude, latitude = member.searched
        boxes.append(shapely.box(*(how(axis) for how in (np.nanmin, np.nanmax) for axis in (longitude, latitude))))
    tree = shapely.STRtree(boxes)
    first, second = tree.query(boxes)
    for one, other in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        if one < other and members[one].names[0] != members[other].names[0]:
            here, there = _common(members[one], members[other])
            if here.rows.size >= kernel.LEAST_PIXELS:
                yield Overlap(one, other, here, there)


def _common(one: _Member, other: _Member) -> tuple[Pixels, Pixels]:
    """Pixels of one map and those of another that hold their centres."""
    pixels, longitude, latitude = one.searched
    rows, columns, inside = other.map.pixel_of(longitude, latitude)
    places = np.flatnonzero(inside)
    places = places[:: max(1, -(-places.size // MOST_PIXELS))]
    return (
        Pixels(pixels.rows[places], pixels.columns[places]),
        Pixels(rows[places], columns[places]),
    )


def _rows(track: str, members: Sequence[_Member], found: Sequence[Overlap]) -> list[dict[str, Any]]:
    """Rows of the table: of each map that overlaps another its velocities, and its displacement pass by pass."""
    import shapely

    first, second = (np.array([one[end] for one in found], np.intp) for end in (0, 1))
    label = kernel.parts(first, second, maps=len(members))
    datum = _datum(label, members)
    passes = _passes([member.map.time for member in members])
    compared: dict[tuple[str, int], list[Difference]] = {(name, 0): [] for name in VELOCITIES}
    compared |= {(DISPLACEMENT, int(time)): [] for time in passes}
    for one in found:
        _compare(members, one, passes, compared)
    rows = []
    numbers = np.unique(np.concatenate([first, second]))
    for (name, time), differences in compared.items():
        offset, sigma, scatter, pixels = np.array(differences, np.float64).reshape(-1, 4).T
        levels = kernel.adjust(first, second, offset, sigma, datum=datum)
        for number in numbers:
            own = (first == number) | (second == number)
            known = own & np.isfinite(scatter)
            _, longitude, latitude = members[number].searched
            rows.append(
                {
                    "track": track,
                    "burst": members[number].names[0],
                    "patch": members[number].names[1],
                    "part": int(label[number]),
                    "quantity": name,
                    "time": time,
                    "offset": levels.offset[number],
                    "sigma": levels.sigma[number],
                    "scatter": float(np.median(scatter[known])) if known.any() else np.nan,
                    "pixels": int(pixels[own].sum()),
                    "geometry": shapely.Point(float(np.nanmean(longitude)), float(np.nanmean(latitude))),
                }
            )
    return rows


def _datum(label: NDArray[np.int64], members: Sequence[_Member]) -> NDArray[np.intp]:
    """The largest map of each part, which stays as it is; of equal ones the first."""
    sizes = np.array([member.map.shape[0] * member.map.shape[1] for member in members])
    datum = np.empty(label.size, np.intp)
    for part in np.unique(label):
        own = np.flatnonzero(label == part)
        datum[own] = own[np.argmax(sizes[own])]
    return datum


def _passes(times: Sequence[NDArray[np.datetime64]]) -> NDArray[np.int64]:
    """First time of each pass of the satellite, seconds since 1970: bursts of one pass follow within seconds."""
    ordered = np.unique(np.concatenate([*times, np.zeros(0, "datetime64[s]")])).astype("datetime64[s]")
    found: list[np.datetime64] = []
    for time in ordered:
        if not found or time - found[-1] > SAME_PASS:
            found.append(time)
    return np.array(found, "datetime64[s]").astype(np.int64)


def _compare(
    members: Sequence[_Member],
    one: Overlap,
    passes: NDArray[np.int64],
    compared: dict[tuple[str, int], list[Difference]],
) -> None:
    """Add the differences of an overlap, in every quantity and pass; NaN where one of the two lacks it."""
    pair = members[one.first], members[one.second]
    nothing = np.full(one.here.rows.size, np.nan)
    for name in VELOCITIES:
        here, there = (
            member.velocities[name][pixels] if name in member.velocities else nothing
            for member, pixels in zip(pair, (one.here, one.there), strict=True)
        )
        compared[name, 0].append(kernel.difference(here, there, *one.here))
    moved = [member.moved(pixels) for member, pixels in zip(pair, (one.here, one.there), strict=True)]
    dates = [np.searchsorted(passes, member.map.time.astype(np.int64), side="right") - 1 for member in pair]
    for number, time in enumerate(passes):
        own = [np.flatnonzero(when == number) for when in dates]
        here, there = (values[date[0]] if date.size else nothing for values, date in zip(moved, own, strict=True))
        compared[DISPLACEMENT, int(time)].append(kernel.difference(here, there, *one.here))


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
                peak_memory=BASE_MEMORY + dates * (4 * _BAND * width + 16 * MOST_PIXELS) + _PLACE_BYTES * _SEARCHED,
            )
        )
    return made
