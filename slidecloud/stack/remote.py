"""Files of a source in a bucket or on a web server, with the part of pathlib's interface that readers use.

Bytes come by range requests, never more than asked for. Small pieces (headers, tables of a TIFF, text files) are kept
by the process in blocks, up to a bound, as they are wanted again for every band of rows; pixels are not.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import total_ordering
from pathlib import PurePosixPath
from threading import Lock
from typing import IO, TYPE_CHECKING, cast

from slidecloud.store.location import Location

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 16
"""Bytes of a block that is kept."""
_KEPT_BLOCKS = 1024
TOGETHER = 32
"""Requests at the same time for small pieces, which wait for an answer rather than for bytes."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class RemotePath:
    """An object below a URL, or the URL itself.

    Attributes
    ----------
    location
        What was listed.
    key
        Place below it, parts separated by slashes; empty for the location itself.
    size
        Bytes, by the listing.
    version
        What the store called this version when it was listed; no other is read.
    """

    location: Location
    key: str = ""
    size: int = 0
    version: str = ""

    def __str__(self) -> str:
        return f"{self.location.url}/{self.key}" if self.key else self.location.url

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and str(self) == str(other)

    def __lt__(self, other: RemotePath) -> bool:
        return str(self).split("/") < str(other).split("/")

    @property
    def name(self) -> str:
        """Last part of the URL."""
        return self.parts[-1]

    @property
    def stem(self) -> str:
        """Name without ending."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Ending of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of the URL."""
        return tuple(str(self).split("/"))

    @property
    def parent(self) -> RemotePath:
        """The folder that holds it, the location at most."""
        return RemotePath(self.location, self.key.rpartition("/")[0])

    def as_posix(self) -> str:
        """The URL."""
        return str(self)

    def open(self, mode: str = "rb") -> IO[bytes]:
        """The object as a file that any library can read and seek in.

        Raises
        ------
        ValueError
            If another mode than ``rb`` is asked for.
        """
        if mode != "rb":
            raise ValueError(f"{self} was to be opened with mode {mode!r}: expected 'rb', as sources are only read")
        return cast(IO[bytes], io.BufferedReader(RangedFile(self), BLOCK))

    def read_bytes(self) -> bytes:
        """All of it; see `fetch` for errors."""
        with self.open() as file:
            return file.read()

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """All of it as text; see `fetch` for errors."""
        return self.read_bytes().decode(encoding, errors)

    def fetch(self, start: int, stop: int) -> bytes:
        """Some of its bytes by one request.

        Raises
        ------
        FileNotFoundError, PermissionError, ConnectionError
            If it is gone, or cannot be read.
        ChangedError
            If it is another version by now.
        """
        return self.location.read_range(self.key, start, stop, self.version)


class _Kept:
    """Blocks of this process; those not wanted for longest make room."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()

    def block(self, path: RemotePath, number: int) -> bytes:
        """Bytes of a block, fetched where they are not kept."""
        name = (str(path), path.version, number)
        with self._lock:
            if name in self._blocks:
                self._blocks.move_to_end(name)
                return self._blocks[name]
        data = path.fetch(number * BLOCK, min((number + 1) * BLOCK, path.size))
        with self._lock:
            self._blocks[name] = data
            while len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return data


_kept = _Kept()


class RangedFile(io.RawIOBase):
    """Reads an object by range requests: small pieces by kept blocks, others as they are asked for."""

    def __init__(self, path: RemotePath) -> None:
        self._path = path
        self._position = 0
        self._spans: list[tuple[int, bytes]] = []

    def prefetch(self, spans: Iterable[tuple[int, int]]) -> None:
        """Hold these (start, stop) bytes, and no others that were held so before; of a file of one block none."""
        self._spans.clear()
        for start, stop in spans if self._path.size > BLOCK else ():
            self._spans.append((start, self._path.fetch(start, min(stop, self._path.size))))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._path.size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        done = 0
        while done < len(target) and self._position < self._path.size:
            piece = self._piece(self._position, len(target) - done)
            target[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return done

    def _piece(self, start: int, count: int) -> memoryview:
        """At least one of the bytes from `start`, at most `count`."""
        for first, data in self._spans:
            if first <= start < first + len(data):
                return memoryview(data)[start - first : start - first + count]
        if count > BLOCK:
            return memoryview(self._path.fetch(start, min(start + count, self._path.size)))
        block = _kept.block(self._path, start // BLOCK)
        return memoryview(block)[start % BLOCK : start % BLOCK + count]


def prefetch(paths: Sequence[object]) -> None:
    """Keep the first block of each remote file of several, fetched at the same time, for reading them one by one.

    What cannot be fetched is left to that reading, which names it; files of this machine are left alone.
    """
    remote = [path for path in paths if isinstance(path, RemotePath) and path.size][:_KEPT_BLOCKS]

    def keep(path: RemotePath) -> None:
        with suppress(OSError):
            _kept.block(path, 0)

    if remote:
        with ThreadPoolExecutor(min(TOGETHER, len(remote)), thread_name_prefix="slidecloud-source") as pool:
            list(pool.map(keep, remote))
