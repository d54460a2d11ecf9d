"""Ingest: pairs of a source into a burst stack, one unit per batch of pairs, resumable, growing by appends."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from slidecloud.pipeline import noise
from slidecloud.pipeline.appends import check_same, filter_note
from slidecloud.pipeline.batches import BatchWork
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import Executor, serial
from slidecloud.pipeline.inputs import select
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.pipeline.units import Unit
from slidecloud.stack.source import Source
from slidecloud.store import lease, records, templates
from slidecloud.store.location import Location, locate
from slidecloud.store.schema import PAIR_BATCH, SPATIAL_CHUNK
from slidecloud.store.stacks import INGEST, Stack, batch_records, stack_template
from slidecloud.types import DataError, Pair, StackHeader

STACK_CHUNKS = (PAIR_BATCH, *SPATIAL_CHUNK)
_NOTES = "refused/"
_BYTES = {"phase": 2, "coherence": 1, "unwrapped": 4}


def ingest(
    source: Source,
    stacks: str | Location,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    memory: int | None = None,
    retries: int = 2,
    chunks: tuple[int, int, int] = STACK_CHUNKS,
    origin: str = "SOURCE",
    retry_quarantined: bool = False,
    takeover: bool = False,
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
    memory
        Bytes of one worker; threads of one process share it times their number.
    retries
        Times a batch that raised is tried again.
    chunks
        Pairs, rows and columns of a chunk, for a new stack.
    origin
        Folder of the source, kept for the message that says how to restore a damaged batch.
    retry_quarantined
        Read pairs again that could not be read before, although their files look the same.
    takeover
        Take the stack from a process that may still be writing it.

    Returns
    -------
    Summary
        Pairs that could not be used are in quarantine by name, with file and remedy.

    Raises
    ------
    DataError
        If the source has no usable pair, or does not fit the stack that exists.
    LeaseError
        If another process is writing the stack.
    """
    location = locate(stacks) / f"{source.header.id}.zarr"
    with lease.hold(location, takeover=takeover) as token:
        stored = readable_stack(location)
        if stored is not None:
            check_same(stored, source)
        chunks = _recorded_chunks(location) or chunks if stored is None else stored.chunks
        header = source.header if stored is None else stored.header
        old = _recorded_pairs(location, source, chunks[0]) if stored is None else stored.pairs
        known = {pair.key for pair in old}
        pairs = (*old, *(item.pair for item in source.pairs if item.pair.key not in known))
        if not pairs:
            raise DataError(_no_pairs(source))
        static = source.static() if stored is None else stored.static()
        templates.ensure(location, "stack", stack_template(header, pairs, static, chunks=chunks), keep_older=True)
        units = _batch_units(source, location, header, pairs, chunks, origin, retry=retry_quarantined)
        handed = _Handed(location, token, executor or serial(), progress)
        summary = drive(
            units, location=location, token=token, executor=handed.executor, memory=memory, retries=retries,
            retry_quarantined=True, progress=progress, label="ingest",
        )  # fmt: skip
        if not summary.quarantined:
            summary += _measure_noise(handed)
        aside = _rejected(source, location, known)
    skipped = _batches(pairs, chunks) - len(units)
    return summary + Summary(quarantined=aside, skipped=skipped, notes=filter_note(header, source))


class _Handed(NamedTuple):
    """What every drive of one ingest needs."""

    location: Location
    token: str
    executor: Executor
    progress: Progress | None


def _measure_noise(handed: _Handed) -> Summary:
    """Measure how far neighbour noise reaches, where there are pairs to measure it on."""
    location, token, executor, progress = handed
    stack = Stack(location)
    if not any(stack.pair_digests):
        return Summary()
    unit = noise.plan(select(stack))
    found = drive([unit], location=location, token=token, executor=executor, retry_quarantined=True, label="noise")
    reach = noise.known_reach(location)
    if progress is not None and found.done and any(reach):
        progress.message(f"{location.name}: noise of neighbouring pixels is correlated over {reach} pixels (y, x).")
    return Summary(quarantined=found.quarantined)


def _batch_units(
    source: Source,
    location: Location,
    header: StackHeader,
    pairs: Sequence[Pair],
    chunks: tuple[int, int, int],
    origin: str,
    *,
    retry: bool,
) -> list[Unit]:
    older = {record.key.unit: record for record in batch_records(location)}
    prints = {item.pair.key: item.fingerprint for item in source.pairs}
    weights = {item.pair.key: item.size for item in source.pairs}
    names = ["phase", "coherence", *(["unwrapped"] if header.has_unwrapped else [])]
    pixel = sum(_BYTES[name] for name in names)
    units = []
    for first in range(0, len(pairs), chunks[0]):
        members = tuple(pairs[first : first + chunks[0]])
        keys = tuple(pair.key for pair in members)
        name = f"batch{first // chunks[0]:05d}"
        facts = older[name].facts if name in older else {"pairs": {}, "rejected": {}}
        again = _mended(facts["rejected"], prints) or (retry and any(key in prints for key in facts["rejected"]))
        if set(keys) == {*facts["pairs"], *facts["rejected"]} and not again:
            continue
        attempt = int(facts.get("attempt", 0)) + 1
        stored = _kept(members, facts)
        work = BatchWork(source, location, header, first, members, stored, facts["rejected"], chunks, origin, attempt)
        digest = records.digest(["ingest/1", keys, [prints.get(key, "") for key in keys], attempt])
        plain = header.shape[0] * header.shape[1] * pixel
        coming = sum(plain if key in stored else weights.get(key, 0) or plain for key in keys)
        size = len(keys) * plain
        band = len(keys) * min(chunks[1], header.shape[0]) * header.shape[1] * pixel
        key = records.Key(INGEST, name, digest)
        units.append(Unit(key, work, (), coming, size, 3 * band, keep_older=True))
    return units


def _kept(members: Sequence[Pair], facts: Mapping[str, Any]) -> dict[str, str]:
    """Digests of the pairs that the batch holds already at the places where they are wanted."""
    held = [Pair(np.datetime64(r), np.datetime64(s)).key for r, s, _ in facts.get("times", ())]
    places = zip((pair.key for pair in members), held, strict=False)
    return {key: facts["pairs"][key] for key, other in places if key == other and key in facts["pairs"]}


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
        key = records.Key(INGEST, _note_name(item.key), records.digest([item.reason, item.fingerprint]))
        records.quarantine(location, key, item.reason, kind="data")
        found.append(Quarantined(INGEST, item.key, item.reason, "data"))
    for record in batch_records(location):
        for pair, note in record.facts["rejected"].items():
            key = records.Key(INGEST, _note_name(pair), records.digest(note))
            records.quarantine(location, key, note["reason"], kind="data")
            found.append(Quarantined(INGEST, pair, note["reason"], "data"))
    wanted = {_note_name(item.unit) for item in found}
    for key in records.quarantined(location, stage=INGEST):
        if key.unit.startswith(_NOTES) and key.unit not in wanted:
            records.withdraw(location, key, folder=records.QUARANTINE)
    return tuple(found)


def _note_name(refused: str) -> str:
    """Name of the note on a refused pair or file; file names may hold anything, so not the name itself."""
    return f"{_NOTES}{records.digest(refused)[:12]}"


def readable_stack(location: Location) -> Stack | None:
    """The stack that exists, or None where there is none or its template is damaged or half written.

    ``verify --repair`` withdraws the record of a damaged template; it is then made again from the source and the
    records of the batches.
    """
    if not records.done(location, stage=templates.STAGE):
        return None
    try:
        stack = Stack(location)
    except FileNotFoundError:
        return None
    try:
        whole = len(stack.pairs) == stack.array("phase").shape[0]
    except (ValueError, KeyError, FileNotFoundError):
        return None
    return stack if whole else None


def _recorded_chunks(location: Location) -> tuple[int, int, int] | None:
    """Chunks of the batches that are finished."""
    for record in batch_records(location):
        pairs, rows, columns = record.facts["chunks"]
        return pairs, rows, columns
    return None


def _recorded_pairs(location: Location, source: Source, batch: int) -> tuple[Pair, ...]:
    """Pairs in the order in which finished batches hold them; batches between that are missing take the source's."""
    known: dict[int, list[Pair]] = {}
    for record in batch_records(location):
        number = int(record.key.unit.removeprefix("batch"))
        times = record.facts["times"]
        known[number] = [Pair(np.datetime64(r), np.datetime64(s), float(b)) for r, s, b in times]
    stored = {pair.key for pairs in known.values() for pair in pairs}
    others = iter([item.pair for item in source.pairs if item.pair.key not in stored])
    ordered: list[Pair] = []
    for number in range(max(known, default=-1) + 1):
        ordered += known[number] if number in known else list(itertools.islice(others, batch))
        if number < max(known) and len(ordered) != (number + 1) * batch:
            raise DataError(
                f"The source {source.header.source} lacks pairs that {location} once held in batch {number}. "
                "Put them back, or ingest into a new stack."
            )
    return tuple(ordered)


def _no_pairs(source: Source) -> str:
    reasons = "; ".join(item.reason for item in source.rejected[:3])
    return f"Source {source.header.source} has no usable pair" + (f": {reasons}" if reasons else ".")
