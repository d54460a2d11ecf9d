"""A file in a bucket read by ranges of bytes: what was announced at once, the rest in blocks that stay for a while."""

from __future__ import annotations

import io
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import fsspec

from slidecloud.store.location import Location
from slidecloud.types import DataError

BLOCK = 64 * 2**10
"""Bytes of a block: metadata of files lie here and there, and each piece is small."""
GAP = 2**16
"""Bytes between two ranges that are rather read than asked for apart."""
_LONGEST = 8 * 2**20
_KEPT = 256
_TAIL = 3 * BLOCK


class RemoteFile(io.RawIOBase):
    """A file of any file system that fsspec knows, for reading.

    Blocks of files are kept in memory for the whole process, 16 MiB together, so that opening a file again asks for
    nothing; ranges given to `fetch` are kept by this object alone.

    Raises
    ------
    FileNotFoundError, PermissionError
        If there is no such file, or it may not be read.
    DataError
        If the file system fails in other words.
    """

    def __init__(self, place: Location) -> None:
        super().__init__()
        self._name = str(place)
        with _named(self._name):
            self._files, self._path = fsspec.core.url_to_fs(place.url, **place.storage_options())
            found = self._files.info(self._path)
        self._size = int(found["size"])
        self._key = (self._name, *fingerprint_of(found))
        self._position = 0
        self._ranges: list[tuple[int, bytes]] = []

    @property
    def version(self) -> str:
        """Changes when the file does: name, size, version."""
        return "\0".join(self._key)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        stop = min(self._position + len(view), self._size)
        count = max(0, stop - self._position)
        if count:
            view[:count] = self._bytes(self._position, stop)
            self._position = stop
        return count

    def warm(self) -> None:
        """Read the beginning and the end at once: what writers add to a file last, such as metadata, lies there."""
        self._bytes(0, min(BLOCK, self._size))
        self._bytes(max(0, self._size - _TAIL), self._size)

    def fetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Read (first byte, number of bytes) ranges at once, neighbours together, and keep them until the next call."""
        joined = _joined(sorted(ranges))
        with _named(self._name):
            found = self._files.cat_ranges(
                [self._path] * len(joined), [start for start, _ in joined], [stop for _, stop in joined]
            )
        self._ranges = [(start, bytes(data)) for (start, _), data in zip(joined, found, strict=True)]

    def _bytes(self, start: int, stop: int) -> bytes:
        place = bisect_right(self._ranges, start, key=lambda item: item[0]) - 1
        if place >= 0:
            first, data = self._ranges[place]
            if stop <= first + len(data):
                return data[start - first : stop - first]
        blocks = range(start // BLOCK, -(-stop // BLOCK))
        found = b"".join(self._blocks(blocks))
        return found[start - blocks.start * BLOCK : stop - blocks.start * BLOCK]

    def _blocks(self, wanted: range) -> list[bytes]:
        known = {number: _kept.get((*self._key, number)) for number in wanted}
        missing = [number for number, data in known.items() if data is None]
        if missing:
            start, stop = missing[0] * BLOCK, min((missing[-1] + 1) * BLOCK, self._size)
            with _named(self._name):
                data = bytes(self._files.cat_file(self._path, start=start, end=stop))
            if len(data) != stop - start:
                raise DataError(
                    f"{self._name} gave {len(data)} bytes where {stop - start} were asked for: it changed while it was "
                    "read, or the connection broke. Try again"
                )
            for number in range(missing[0], missing[-1] + 1):
                known[number] = data[(number - missing[0]) * BLOCK : (number - missing[0] + 1) * BLOCK]
                _kept.put((*self._key, number), known[number] or b"")
        return [data or b"" for data in known.values()]


def fingerprint_of(info: dict[str, Any]) -> tuple[str, str]:
    """Size and version of a file as its file system tells them; change when the file does."""
    version = next((info[name] for name in ("ETag", "etag", "generation", "mtime", "created") if name in info), "")
    return str(info["size"]), str(version)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors of file systems as ours, with the name of the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name} does not exist: check the URL") from error
    except PermissionError as error:
        raise PermissionError(f"{name} may not be read ({error}): check profile and rights") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read ({error}): try again") from error


class _Kept:
    """Blocks read last, by file, version and number; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[Any, ...], data: bytes) -> None:
        with self._lock:
            self._found[key] = data
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)


_kept = _Kept()


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(first, end) of ranges sorted by their beginning; those with small gaps become one."""
    found: list[tuple[int, int]] = []
    for start, count in ranges:
        if found and start - found[-1][1] <= GAP and start + count - found[-1][0] <= _LONGEST:
            found[-1] = found[-1][0], max(found[-1][1], start + count)
        else:
            found.append((start, start + count))
    return found
