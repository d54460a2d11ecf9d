"""Another reference, written: stored displacement is shifted date by date, and records speak of what is then there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slidecloud.pipeline.moved import Moved
from slidecloud.pipeline.seam_shifts import move_seams
from slidecloud.pipeline.timeseries import STAGE
from slidecloud.store import lease, open_run, records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.moved_models import MODELS, without
from slidecloud.store.referencing import SHIFTED, Reference, Shift, shift_to
from slidecloud.store.runs import Run
from slidecloud.types import DataError


def look(run: Run, reference: Reference) -> list[Moved]:
    """What a move to another reference would take off, by burst and patch.

    Raises
    ------
    DataError
        If nothing covers the reference, or it lies in a detection or has no data.
    """
    found = [
        Moved(group, name, shift_to(reference, header, series, name=name), series["time"].values)
        for group, name, header, series in run.series_groups()
    ]
    if all(one.shift is None for one in found):
        raise DataError(
            f"The {reference} lies in none of the {len(found)} bursts and patches with series of {run.location}. "
            "Choose a place that they cover, or the stable area."
        )
    return found


def write(url: str, reference: Reference, storage_options: Mapping[str, Any] | None = None) -> list[Moved]:
    """Shift what is stored to another reference.

    Records of a group go before its arrays are written and come back with the new checksums, so that a group of which
    the writing was cut short is computed again by the next run, whole and against the run's own reference.

    Raises
    ------
    DataError
        See `look`.
    LeaseError
        If the store is being written.
    """
    run = open_run(url, storage_options)
    with lease.hold(run.location) as token:
        found = look(run, reference)
        for one in found:
            if one.shift is not None:
                _write(run.location, one, one.shift, lease.Guard(run.location, token))
        move_seams(run, {one.place: one for one in found}, lease.Guard(run.location, token))
    return found


def _write(location: Location, moved: Moved, shift: Shift, guard: lease.Guard) -> None:
    names = (*SHIFTED, *MODELS, "velocity", "reference_displacement", "reference_closure_rms")
    prefixes = tuple(f"{moved.group}/{name}/c" for name in names)
    kept = []
    for key in sorted(records.done(location, stage=STAGE), key=lambda key: key.path()):
        record = records.read(location, key)
        if record is not None and any(name.startswith(prefixes) for name in record.objects):
            kept.append(record)
            records.withdraw(location, key)
    group, writer = reader(location, moved.group), Writer(location, guard)
    written = {name for record in kept for name in record.objects}
    for name in SHIFTED:
        # A series that was not made has its metadata all the same.
        if any(key.startswith(f"{moved.group}/{name}/c") for key in written):
            _shift(writer, f"{moved.group}/{name}", group[name], shift)
    _move_models(writer, moved, shift, group, written)
    velocity: Any = group["velocity"]
    writer.write(f"{moved.group}/velocity", read(velocity, (slice(None),) * 2) - np.float32(shift.velocity))
    series: Any = group["reference_displacement"]
    writer.write(f"{moved.group}/reference_displacement", read(series, (slice(None),)) + shift.displacement)
    writer.write(f"{moved.group}/reference_closure_rms", np.array(shift.closure_rms, np.float32))
    for record in kept:
        objects = {name: writer.checksums.get(name, value) for name, value in record.objects.items()}
        records.write(location, records.Record(record.key, objects, record.software, record.facts))


def _move_models(writer: Writer, moved: Moved, shift: Shift, group: Any, written: set[str]) -> None:
    """Take the model of a shift off the models of motion that were made."""
    made = [name for name in MODELS if any(key.startswith(f"{moved.group}/{name}/c") for key in written)]
    maps = {name: read(group[name], (slice(None),) * group[name].ndim) for name in made}
    steps = read(group["step"], (slice(None),)).astype("datetime64[s]") if "step_size" in made else None
    for name, values in without(maps, shift.displacement, moved.time, steps=steps).items():
        writer.write(f"{moved.group}/{name}", values.astype(np.float32))


def _shift(writer: Writer, path: str, array: Any, shift: Shift) -> None:
    """Shift a stored series (time, y, x), a band of rows at a time."""
    rows = array.chunks[1]
    for top in range(0, array.shape[1], rows):
        band = slice(top, min(top + rows, array.shape[1]))
        values = read(array, (slice(None), band, slice(None))) - shift.displacement[:, None, None]
        writer.write(path, values, (0, top, 0))
