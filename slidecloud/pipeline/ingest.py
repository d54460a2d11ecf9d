"""Ingest: pairs of a source into a burst stack, one unit per batch of pairs, resumable, growing by appends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import Executor, serial
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.pipeline.units import Unit
from slidecloud.stack import open_source
from slidecloud.stack.source import Source
from slidecloud.store import records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location, locate
from slidecloud.store.schema import PAIR_BATCH, SPATIAL_CHUNK
from slidecloud.store.stacks import INGEST, Stack, batch_records, stack_template
from slidecloud.types import DataError, Grid, Pair, PairBlock, SourcePair, StackHeader

STACK_CHUNKS = (PAIR_BATCH, *SPATIAL_CHUNK)
_BYTES = {"phase": 2, "coherence": 1, "unwrapped": 4}


def ingest_folder(
    path: str,
    stacks: str | Location,
    *,
    kind: Literal["auto", "gamma", "licsar"] = "auto",
    id: str | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> tuple[Location, Summary]:
    """Ingest a folder of source products; new pairs of a stack that exists are put on its grid.

    Returns
    -------
    Location, Summary
        Where the burst stack is, and what was done.
    """
    stacks = locate(stacks)
    source: Source = open_source(path, kind=kind, id=id)
    location = stacks / f"{source.header.id}.zarr"
    grid = _stored_grid(location)
    if grid is not None and grid != source.header.grid:
        source = open_source(path, kind=kind, id=id, grid=grid)
    return location, ingest(source, stacks, executor=executor, progress=progress)


def ingest(
    source: Source,
    stacks: str | Location,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    retries: int = 2,
    chunks: tuple[int, int, int] = STACK_CHUNKS,
) -> Summary:
    """Write the pairs of a source that are not stored yet.

    Parameters
    ----------
    source
        Where the pairs come from.
    stacks
        Folder or URL of the stacks; the stack is ``<stacks>/<id>.zarr``.
    executor
        Where batches are read and written; serial by default.
    retries
        Times a batch that raised is tried again.
    chunks
        Pairs, rows and columns of a chunk, for a new stack.

    Returns
    -------
    Summary
        Pairs that could not be used are in quarantine by name, with file and remedy.

    Raises
    ------
    DataError
        If the source has no usable pair, or does not fit the stack that exists.
    """
    location = locate(stacks) / f"{source.header.id}.zarr"
    stored = Stack(location) if location.read("zarr.json") is not None else None
    if stored is not None:
        _check_same(stored, source)
        chunks = stored.chunks
    header = source.header if stored is None else stored.header
    old = () if stored is None else stored.pairs
    known = {pair.key for pair in old}
    pairs = (*old, *(item.pair for item in source.pairs if item.pair.key not in known))
    if not pairs:
        raise DataError(_no_pairs(source))
    static = source.static() if stored is None else stored.static()
    templates.ensure(location, "stack", stack_template(header, pairs, static, chunks=chunks))
    units = _batch_units(source, location, header, pairs, chunks)
    runner: Executor = executor or serial()
    summary = drive(units, location=location, executor=runner, retries=retries, progress=progress, label="ingest")
    return summary + Summary(
        quarantined=_rejected(source, location, known), skipped=_batches(pairs, chunks) - len(units)
    )


@dataclass(frozen=True, slots=True)
class BatchWork:
    """Write one batch of pairs, band of rows by band of rows.

    Attributes
    ----------
    source, location
        Where pairs come from and go to.
    header
        Header of the stack.
    first
        Index of the batch's first pair.
    keys
        Keys of the pairs, in stored order.
    stored
        Digests of the pairs that are read back from the stack itself (an append rewrites the last, partial chunk).
    band
        Rows at a time.
    """

    source: Source
    location: Location
    header: StackHeader
    first: int
    keys: tuple[str, ...]
    stored: Mapping[str, str]
    band: int

    def __call__(self, writer: Writer) -> dict[str, Any]:
        offered = {item.pair.key: item for item in self.source.pairs}
        rejected: dict[str, dict[str, str]] = {}
        while True:
            digests = {key: _PairDigest() for key in self.keys if key not in rejected}
            try:
                for start in range(0, self.header.shape[0], self.band):
                    self._write_band(
                        writer, slice(start, min(start + self.band, self.header.shape[0])), offered, digests
                    )
                break
            except _PairError as error:
                # Start the batch again without the pair: what was written of it must not stay.
                item = offered.get(error.key)
                fingerprint = item.fingerprint if item is not None else ""
                rejected[error.key] = {"reason": str(error), "fingerprint": fingerprint}
        return {
            "keys": list(self.keys),
            "pairs": {key: value.result() for key, value in digests.items()},
            "rejected": rejected,
            "source": self.source.header.source,
        }

    def _write_band(
        self,
        writer: Writer,
        rows: slice,
        offered: Mapping[str, SourcePair],
        digests: Mapping[str, _PairDigest],
    ) -> None:
        shape = (len(self.keys), rows.stop - rows.start, self.header.shape[1])
        block = PairBlock(
            np.zeros(shape, np.int16),
            np.zeros(shape, np.uint8),
            np.full(shape, np.nan, np.float32) if self.header.has_unwrapped else None,
        )
        kept = Stack(self.location) if self.stored else None
        for number, key in enumerate(self.keys):
            if key not in digests:
                continue
            if kept is not None and key in self.stored:
                pair = kept.pair_rows(self.first + number, rows)
            else:
                pair = _read(self.source, offered, key, rows)
            for target, value in zip(block, pair, strict=True):
                if target is not None and value is not None:
                    target[number] = value
            digests[key].update(PairBlock(*(None if part is None else part[number] for part in block)))  # type: ignore[arg-type]
        for name, data in block._asdict().items():
            if data is not None:
                writer.write(name, data, (self.first, rows.start, 0))


class _PairDigest:
    """Digest of a pair's stored pixels that does not depend on how rows were cut into bands."""

    def __init__(self) -> None:
        self._parts = [hashlib.sha256() for _ in PairBlock._fields]

    def update(self, block: PairBlock) -> None:
        for part, data in zip(self._parts, block, strict=True):
            if data is not None:
                part.update(np.ascontiguousarray(data).tobytes())

    def result(self) -> str:
        return records.digest([part.hexdigest() for part in self._parts])


class _PairError(DataError):
    """One pair that cannot be read."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _read(source: Source, offered: Mapping[str, SourcePair], key: str, rows: slice) -> PairBlock:
    if key not in offered:
        raise _PairError(
            key, f"Pair {key} is in the stack but was not stored whole, and the source no longer has it. Put it back."
        )
    try:
        return source.read(offered[key], rows)
    except DataError as error:
        raise _PairError(key, str(error)) from error


def _batch_units(
    source: Source, location: Location, header: StackHeader, pairs: Sequence[Pair], chunks: tuple[int, int, int]
) -> list[Unit]:
    older = {record.key.unit: record for record in batch_records(location)}
    prints = {item.pair.key: item.fingerprint for item in source.pairs}
    names = ["phase", "coherence", *(["unwrapped"] if header.has_unwrapped else [])]
    pixel = sum(_BYTES[name] for name in names)
    units = []
    for first in range(0, len(pairs), chunks[0]):
        keys = tuple(pair.key for pair in pairs[first : first + chunks[0]])
        name = f"batch{first // chunks[0]:05d}"
        facts = older[name].facts if name in older else {"pairs": {}, "rejected": {}}
        if set(keys) == {*facts["pairs"], *facts["rejected"]} and not _mended(facts["rejected"], prints):
            continue
        work = BatchWork(source, location, header, first, keys, facts["pairs"], chunks[1])
        digest = records.digest(["ingest/1", keys, [prints.get(key, "") for key in keys]])
        size = len(keys) * header.shape[0] * header.shape[1] * pixel
        band = len(keys) * min(chunks[1], header.shape[0]) * header.shape[1] * pixel
        key = records.Key(INGEST, name, digest)
        units.append(Unit(key, work, (), size, size, 3 * band, keep_older=True))
    return units


def _mended(rejected: Mapping[str, Mapping[str, str]], prints: Mapping[str, str]) -> bool:
    return any(key in prints and prints[key] != note["fingerprint"] for key, note in rejected.items())


def _batches(pairs: Sequence[Pair], chunks: tuple[int, int, int]) -> int:
    return -(-len(pairs) // chunks[0])


def _rejected(source: Source, location: Location, stored: set[str]) -> tuple[Quarantined, ...]:
    """Pairs refused at the header check or while they were read, noted in the store and for the summary."""
    found: list[Quarantined] = []
    for item in source.rejected:
        if item.key in stored:
            continue  # a good copy of the pair is stored; a bad one beside it changes nothing
        key = records.Key(INGEST, f"pair/{item.key or 'unnamed'}", records.digest([item.reason, item.fingerprint]))
        records.quarantine(location, key, item.reason, kind="data")
        found.append(Quarantined(INGEST, item.key, item.reason, "data"))
    for record in batch_records(location):
        for pair, note in record.facts["rejected"].items():
            key = records.Key(INGEST, f"pair/{pair}", records.digest(note))
            records.quarantine(location, key, note["reason"], kind="data")
            found.append(Quarantined(INGEST, pair, note["reason"], "data"))
    wanted = {item.unit for item in found}
    for key in records.quarantined(location, stage=INGEST):
        if key.unit.startswith("pair/") and key.unit.removeprefix("pair/") not in wanted:
            records.withdraw(location, key, folder=records.QUARANTINE)
    return tuple(found)


def _check_same(stored: Stack, source: Source) -> None:
    """A source may add pairs to a stack only if it images the same pixels with the same radar."""
    ours, theirs = stored.header, source.header
    for name in ("geometry", "shape", "grid", "wavelength", "look_direction", "pass_", "range_looks", "azimuth_looks"):
        here, there = getattr(ours, name), getattr(theirs, name)
        same = np.isclose(here, there, rtol=1e-4) if name == "wavelength" else here == there
        if not same:
            raise DataError(
                f"Source {theirs.source} cannot be added to {stored.location}: its {name.rstrip('_')} is {there}, the "
                f"stack's is {here}. Ingest it under another id."
            )


def _stored_grid(location: Location) -> Grid | None:
    return Stack(location).header.grid if location.read("zarr.json") is not None else None


def _no_pairs(source: Source) -> str:
    reasons = "; ".join(item.reason for item in source.rejected[:3])
    return f"Source {source.header.source} has no usable pair" + (f": {reasons}" if reasons else ".")
