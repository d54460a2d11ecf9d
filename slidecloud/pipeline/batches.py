"""The work of ingest: one batch of pairs from a source into the chunks that hold it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.stack.source import Source
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.stacks import Stack
from slidecloud.types import DataError, Pair, PairBlock, SourcePair, StackHeader

TOGETHER = 8
"""Pairs of a batch that are read at the same time: they wait for a store, and decoding leaves Python alone."""


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
    members
        The pairs, in stored order.
    stored
        Digests of the pairs that are read back from the stack itself, the first of the batch (an append rewrites the
        last, partial chunk).
    refused
        Notes on pairs that could not be read before; they stand where the source does not offer the pair again.
    chunks
        Pairs, rows and columns of a chunk; rows are read a chunk at a time.
    origin
        Folder of the source, for the message that says how to restore the batch.
    attempt
        How many times the batch was written, this one included.
    """

    source: Source
    location: Location
    header: StackHeader
    first: int
    members: tuple[Pair, ...]
    stored: Mapping[str, str]
    refused: Mapping[str, Mapping[str, str]]
    chunks: tuple[int, int, int]
    origin: str
    attempt: int

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the pairs, in stored order."""
        return tuple(pair.key for pair in self.members)

    def __call__(self, writer: Writer) -> dict[str, Any]:
        offered = {item.pair.key: item for item in self.source.pairs}
        rejected = {key: note for key, note in self.refused.items() if key not in offered}
        while True:
            digests = {key: _PairDigest() for key in self.keys if key not in rejected}
            try:
                for start in range(0, self.header.shape[0], self.chunks[1]):
                    self._write_band(
                        writer, slice(start, min(start + self.chunks[1], self.header.shape[0])), offered, digests
                    )
                break
            except _PairError as error:
                # Start the batch again without the pair: what was written of it must not stay.
                item = offered.get(error.key)
                fingerprint = item.fingerprint if item is not None else ""
                rejected[error.key] = {"reason": str(error), "fingerprint": fingerprint}
        self._check_kept(digests)
        return {
            "attempt": self.attempt,
            "chunks": [*self.chunks],
            "times": [[str(pair.reference), str(pair.secondary), pair.perpendicular_baseline] for pair in self.members],
            "pairs": {key: value.result() for key, value in digests.items()},
            "rejected": rejected,
            "source": self.origin,
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
        count = max((number + 1 for number, key in enumerate(self.keys) if key in self.stored), default=0)
        kept = Stack(self.location).pair_rows(range(self.first, self.first + count), rows) if count else None

        def fill(number: int) -> None:
            key = self.keys[number]
            if kept is not None and key in self.stored:
                pair = _layer(kept, number)
            else:
                pair = _read(self.source, offered, key, rows)
            for target, value in zip(block, pair, strict=True):
                if target is not None and value is not None:
                    target[number] = value
            digests[key].update(_layer(block, number))

        _each(fill, [number for number, key in enumerate(self.keys) if key in digests])
        for name, data in block._asdict().items():
            if data is not None:
                writer.write(name, data, (self.first, rows.start, 0))

    def _check_kept(self, digests: Mapping[str, _PairDigest]) -> None:
        """What was read back from the stack must be what was once written there."""
        for key, expected in self.stored.items():
            if key in digests and digests[key].result() != expected:
                raise DataError(
                    f"Pair {key} of {self.location} is not what was stored. Run 'slidecloud verify {self.location} "
                    "--repair' and ingest again, from a source that has the pair."
                )


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


def _layer(block: PairBlock, number: int) -> PairBlock:
    """One pair of several."""
    phase, coherence, unwrapped = block
    return PairBlock(phase[number], coherence[number], None if unwrapped is None else unwrapped[number])


def _each(function: Callable[[int], None], numbers: Sequence[int]) -> None:
    """Call a function for numbers, some at the same time; of several that raise, the first one's error is raised."""
    with ThreadPoolExecutor(TOGETHER, thread_name_prefix="slidecloud-ingest") as pool:
        futures = [pool.submit(function, number) for number in numbers]
        try:
            for future in futures:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _read(source: Source, offered: Mapping[str, SourcePair], key: str, rows: slice) -> PairBlock:
    if key not in offered:
        raise _PairError(
            key, f"Pair {key} is in the stack but was not stored whole, and the source no longer has it. Put it back."
        )
    try:
        return source.read(offered[key], rows)
    except DataError as error:
        raise _PairError(key, str(error)) from error
