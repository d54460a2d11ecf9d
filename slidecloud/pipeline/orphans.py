"""What lies in a store without a record: found, named, and removed on request under the store's lease."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slidecloud.pipeline import interferograms
from slidecloud.store import forecast_keys, forecasts, hazard_keys, lease, optical_keys, records
from slidecloud.store.clock import PROBES
from slidecloud.store.decomposition_specs import AREA, FOLDER
from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.inventory_specs import DENSITY_GROUP, INVENTORY, detections
from slidecloud.store.location import Location, locate
from slidecloud.store.optical_specs import OPTICAL
from slidecloud.store.patch_specs import NAME
from slidecloud.store.runs import REPORTS
from slidecloud.store.schema import GROUPS
from slidecloud.store.seams import FOLDER as SEAMS_FOLDER
from slidecloud.store.stability_specs import TABLES
from slidecloud.store.stacks import SLC_KIND, Stack, kind_of
from slidecloud.types import DataError

_PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial$")
_PROBE = re.compile(rf"{re.escape(PROBES)}/[0-9a-f]{{32}}$")
_REPORT = re.compile(rf"{re.escape(REPORTS)}/\d{{8}}T\d{{6}}Z\.html$")
_GRID = ("x", "y", "spatial_ref")
_PATCHES = rf"patches(?:/{NAME.pattern}(?:/(?:timeseries|unwrapped))?)?"
_RUN = (
    r"(?:bursts/[a-z0-9_]{1,64}/(?:"
    + "|".join([*sorted({*GROUPS, interferograms.STAGE}), _PATCHES])
    + rf")|{re.escape(DENSITY_GROUP)}|{re.escape(FOLDER)}(?:/{AREA.pattern})?)/"
)
_TABLES = [detections("[a-z0-9_]{1,64}"), rf"{SEAMS_FOLDER}/[a-z0-9_]+\.parquet", *map(re.escape, (INVENTORY, *TABLES))]
_OF_HAZARD = rf"{hazard_keys.ARRAY}|{hazard_keys.METADATA}"
_OF_OPTICAL = rf"{optical_keys.ARRAY}|{optical_keys.METADATA}"
_OF_FORECASTS = rf"{forecast_keys.ARRAY}|{forecast_keys.METADATA}"
_NOTHING = "(?!)"


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What slidecloud writes into a store: where groups lie, the objects of groups and arrays, and all else."""

    group: str
    arrays: str
    tables: str = _NOTHING


def _arrays(group: str) -> str:
    names = "|".join(sorted({*_GRID, *(spec.name for specs in GROUPS.values() for spec in specs)}))
    return rf"{group}(?:{names})/(?:zarr\.json|c(?:/\d+)*)|{group}zarr\.json"


_KINDS = {
    "run": _Patterns(
        rf"{_RUN}|{hazard_keys.GROUP}|{forecast_keys.GROUP}|{optical_keys.GROUP}",
        rf"{_arrays(_RUN)}|{_OF_HAZARD}|{_OF_FORECASTS}|{_OF_OPTICAL}",
        "|".join([*_TABLES, hazard_keys.OBJECT, forecast_keys.OBJECT, optical_keys.OBJECT]),
    ),
    forecasts.KIND: _Patterns(rf"(?:{forecast_keys.GROUP})?", rf"{_OF_FORECASTS}|zarr\.json", forecast_keys.OBJECT),
    HAZARD: _Patterns(rf"(?:{hazard_keys.GROUP})?", rf"{_OF_HAZARD}|zarr\.json", hazard_keys.OBJECT),
    OPTICAL: _Patterns(rf"(?:{optical_keys.GROUP})?", rf"{_OF_OPTICAL}|zarr\.json", optical_keys.OBJECT),
    Stack.KIND: _Patterns("", _arrays("")),
    SLC_KIND: _Patterns("", _arrays("")),
}


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object that no record owns: its key, and how it came to be."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found without a record.

    Attributes
    ----------
    orphans
        Objects that slidecloud wrote and no record owns.
    foreign
        Keys of objects that it did not write; they are never removed.
    removed
        True where the orphans were removed.
    holder
        Who is writing the store now, or None.
    """

    orphans: tuple[Orphan, ...]
    foreign: tuple[str, ...]
    removed: bool
    holder: str | None = None

    def lines(self) -> list[str]:
        """The collection as lines for people."""
        lines = [f"{orphan.key}: {orphan.reason}" for orphan in self.orphans]
        lines.append(f"{len(self.orphans)} objects without a record{' were removed' if self.removed else ''}.")
        if self.foreign:
            lines.append(
                f"{len(self.foreign)} objects are not slidecloud's and are left alone, such as {self.foreign[0]}."
            )
        if self.holder is not None:
            lines.append(f"{self.holder} is writing this store: what its units have not finished is in the list.")
        return lines


def collect(url: str, storage_options: Mapping[str, Any] | None = None, *, remove: bool = False) -> Collection:
    """Find what no record owns in a store of a run, a stack, hazard, forecasts or images; remove it where asked to.

    Removing holds the store's lease, so that no unit is at work meanwhile.

    Raises
    ------
    DataError
        If it is no store of slidecloud, or one whose records or metadata have to be repaired first.
    LeaseError
        If it is to be removed and the store is being written.
    """
    location = locate(url, storage_options)
    kind = kind_of(location)
    if kind not in _KINDS:
        raise DataError(
            f"{location} holds {kind or 'no slidecloud store'}; expected a run store, a burst stack, an SLC stack, "
            "or a store of hazard, of forecasts or of optical images."
        )
    if not remove:
        return Collection(*_sort(location, kind), removed=False, holder=lease.holder(location))
    with lease.hold(location):
        orphans, foreign = _sort(location, kind)
        for orphan in orphans:
            location.delete(orphan.key)
    return Collection(orphans, foreign, removed=True)


def _sort(location: Location, kind: str) -> tuple[tuple[Orphan, ...], tuple[str, ...]]:
    """Objects without a record: ours, and those of others."""
    owned = _owned(location)
    mine = _KINDS[kind]
    group, arrays, tables = (re.compile(pattern) for pattern in (mine.group, mine.arrays, mine.tables))
    orphans: list[Orphan] = []
    foreign: list[str] = []
    for key in location.keys(""):
        if key in owned or _REPORT.match(key):
            continue
        if _PARTIAL.search(key):
            orphans.append(Orphan(key, "left by a write that was cut short"))
        elif _PROBE.match(key):
            orphans.append(Orphan(key, "left by a question to the store"))
        elif tables.fullmatch(key):
            orphans.append(Orphan(key, "no record owns it: its unit was stopped, or its record withdrawn"))
        elif arrays.fullmatch(key):
            _check_template(location, group, key, owned)
            orphans.append(Orphan(key, "no record owns it: its unit was stopped, or its record withdrawn"))
        else:
            foreign.append(key)
    return tuple(orphans), tuple(foreign)


def _owned(location: Location) -> set[str]:
    """Keys of the lease, of all records and notes, and of the objects that the records name."""
    owned = {lease.LEASE, *_objects(location)}
    for folder in (records.DONE, records.QUARANTINE):
        owned |= {key.path(folder) for key in records.done(location, folder=folder)}
    return owned


def _objects(location: Location) -> Iterator[str]:
    for key in records.done(location):
        record = records.read(location, key)
        if record is not None:
            yield from record.objects


def _check_template(location: Location, group: re.Pattern[str], key: str, owned: set[str]) -> None:
    """An object of a group that has results but no template record may be what makes the results readable."""
    found = group.match(key)
    prefix = "" if found is None else found[0]
    if f"{prefix}zarr.json" not in owned and any(other.startswith(prefix) and "/c" in other for other in owned):
        raise DataError(
            f"The metadata {prefix}zarr.json of {location} has no record, and results below it have. Run 'slidecloud "
            f"verify {location} --repair' and the run or ingest that made it first."
        )
