"""HDF5 files in buckets: the bytes that rows need are asked for at once, and errors of stores stay what they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from slidecloud.stack.names import printable
from slidecloud.stack.remote import BLOCK, RangedFile
from slidecloud.store.objects import ChangedError
from slidecloud.types import DataError

if TYPE_CHECKING:
    import h5py

_LONGEST_READ = 8 * 2**20
_TAIL = 3 * BLOCK


class RemoteHdf5(RangedFile):
    """A remote file that remembers why it could not be read: HDF5 tells such errors in words of its own."""

    lack: OSError | None = None

    def readinto(self, buffer: Any, /) -> int:
        with self._remembering():
            return super().readinto(buffer)

    def prefetch(self, spans: Iterable[tuple[int, int]]) -> None:
        with self._remembering():
            super().prefetch(spans)

    def warm(self, size: int) -> None:
        """Keep the beginning and the end: what is written into a file last, such as metadata, lies there."""
        for number in {0, *range(max(0, size - _TAIL) // BLOCK, -(-size // BLOCK))}:
            self.seek(number * BLOCK)
            self.read(1)
        self.seek(0)

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.lack = error
            raise


def raise_own(error: BaseException, remote: RemoteHdf5 | None) -> None:
    """Raise what made a remote file fail: a store that does not answer is no fault of the file."""
    lack = None if remote is None else remote.lack
    if isinstance(lack, ChangedError | FileNotFoundError):
        raise DataError(printable(str(lack))) from error
    if lack is not None:
        raise lack from error


def spans(found: h5py.Dataset, start: int, stop: int, layer: int | None) -> list[tuple[int, int]]:
    """(first, end) bytes in the file of what holds rows of a dataset (y, x), or of a layer of one (layer, y, x)."""
    return _joined(sorted(_stored(found, start, stop, layer)))


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(first, end) of (first, count) ranges sorted by their beginning; those with small gaps become one."""
    found: list[tuple[int, int]] = []
    for start, count in ranges:
        if found and start - found[-1][1] <= BLOCK and start + count - found[-1][0] <= _LONGEST_READ:
            found[-1] = found[-1][0], max(found[-1][1], start + count)
        else:
            found.append((start, start + count))
    return found


def _stored(found: h5py.Dataset, start: int, stop: int, layer: int | None) -> Iterator[tuple[int, int]]:
    """(offset, bytes) in the file of what holds the rows; chunks that were never written have none."""
    if not found.chunks:
        offset = found.id.get_offset()
        if offset is not None:
            row = found.dtype.itemsize * found.shape[-1]
            yield offset + ((layer or 0) * found.shape[-2] + start) * row, (stop - start) * row
        return
    chunks = found.chunks
    rows = range(start - start % chunks[-2], stop, chunks[-2])
    columns = range(0, found.shape[-1], chunks[-1])
    leading = () if layer is None else (layer - layer % chunks[0],)
    for row, column in itertools.product(rows, columns):
        stored = found.id.get_chunk_info_by_coord((*leading, row, column))
        if stored.byte_offset is not None:
            yield stored.byte_offset, stored.size
