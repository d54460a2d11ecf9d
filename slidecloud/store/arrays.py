"""Zarr regions: reading that misses no chunk, aligned writing that remembers checksums."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from slidecloud.store.lease import Guard
from slidecloud.store.location import Location
from slidecloud.store.records import checksum
from slidecloud.types import DataError


class MissingChunkError(DataError):
    """A chunk that the template promises is not in the store."""


class _Strict(WrapperStore[Store]):
    """A store in which a chunk that is not there is an error, not a block of fill values."""

    def __str__(self) -> str:
        return str(self._store)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        found = await super().get(key, prototype, byte_range)
        if found is None and _is_chunk(key):
            raise MissingChunkError(
                f"The chunk {key} is missing from {self._store}: expected one object for every chunk. "
                "Run 'slidecloud verify' on this store, and then the command that it names."
            )
        return found


class Tracked(WrapperStore[Store]):
    """A store that remembers the SHA-256 of every object written through it, in ``checksums``.

    Before each write it asks ``guard``, which raises where nothing may be written any more.
    """

    checksums: dict[str, str]

    def __init__(self, store: Store, guard: Guard | None = None) -> None:
        super().__init__(store)
        self.checksums = {}
        self._guard = guard

    def _with_store(self, store: Store) -> Self:
        other = super()._with_store(store)
        other.checksums, other._guard = self.checksums, self._guard
        return other

    async def set(self, key: str, value: Buffer) -> None:
        if self._guard is not None and self._guard.is_due:
            await asyncio.to_thread(self._guard)
        self.checksums[key] = checksum(value.to_bytes())
        await super().set(key, value)


class Located(WrapperStore[Store]):
    """A store that travels to other processes as its location: without a client, and without the secrets of one."""

    def __init__(self, location: Location, *, read_only: bool) -> None:
        super().__init__(location.objects.zarr_store(read_only=read_only))
        self._location = location

    def __reduce__(self) -> tuple[Any, ...]:
        return _located, (self._location, self.read_only)

    def __str__(self) -> str:
        return str(self._location)

    def __repr__(self) -> str:
        return f"Located({self._location})"

    def with_read_only(self, read_only: bool = False) -> Located:
        return Located(self._location, read_only=read_only)


def _located(location: Location, read_only: bool) -> Located:
    return Located(location, read_only=read_only)


def zarr_store(location: Location, *, read_only: bool) -> Store:
    """The Zarr store at a location."""
    return Located(location, read_only=read_only)


def reader(location: Location, group: str = "", *, consolidated: bool = True) -> zarr.Group:
    """A group for reading, in which missing chunks are errors.

    The metadata of its arrays come with it in one request, where each array by itself would wait for an answer, and are
    those of this moment. Without ``consolidated`` each is asked for when it is wanted: for the root of a run, which
    repeats those of all bursts.
    """
    store = _Strict(zarr_store(location, read_only=True))
    return zarr.open_group(
        store, path=group or None, mode="r", zarr_format=3, use_consolidated=None if consolidated else False
    )


class Writer:
    """Writes aligned regions of existing arrays and remembers their checksums.

    Parameters
    ----------
    location
        Root of the store.
    guard
        Asked before each write; raises where the lease of this writer's driver is lost.
    """

    def __init__(self, location: Location, guard: Guard | None = None) -> None:
        self._tracked = Tracked(zarr_store(location, read_only=False), guard)
        self._location, self._guard = location, guard
        self._groups: dict[str, zarr.Group] = {}

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 by object key of all that was written so far."""
        return dict(self._tracked.checksums)

    def write(self, path: str, data: NDArray[Any], start: Sequence[int] = ()) -> None:
        """Write ``data`` into the array at ``path`` with its first element at index ``start``.

        Raises
        ------
        ValueError
            If the region does not begin and end on chunk borders (or the array's end): a neighbour's chunk would be
            rewritten, and two writers of one chunk lose data without notice.
        """
        array = self._array(path)
        start = tuple(start) or (0,) * data.ndim
        region = tuple(slice(first, first + size) for first, size in zip(start, data.shape, strict=True))
        for dimension, (part, chunk, size) in enumerate(zip(region, array.chunks, array.shape, strict=True)):
            if part.start % chunk or (part.stop % chunk and part.stop != size) or part.stop > size:
                raise ValueError(
                    f"Write to {path} covers {part.start}:{part.stop} of dimension {dimension} (length {size}); "
                    f"expected whole chunks of {chunk}. Choose tiles that are multiples of the chunks."
                )
        # All-fill chunks are stored too: an object that is absent must mean damage, never "no data".
        whole = array.with_config({"write_empty_chunks": True})
        whole[region or ...] = np.asarray(data, order="C")

    def write_object(self, key: str, data: bytes) -> None:
        """Write a whole object beside the arrays, such as a table, and remember its checksum."""
        if self._guard is not None and self._guard.is_due:
            self._guard()
        self._tracked.checksums[key] = checksum(data)
        self._location.write(key, data)

    def _array(self, path: str) -> zarr.Array[Any]:
        """An array of the store; the metadata of a group's arrays are asked for once."""
        group, _, name = path.rpartition("/")
        if group not in self._groups:
            self._groups[group] = zarr.open_group(self._tracked, path=group or None, mode="r+", zarr_format=3)
        found = self._groups[group][name]
        if not isinstance(found, zarr.Array):
            raise TypeError(f"{path} is a group; expected an array.")
        return found


def read(array: zarr.Array[Any], region: tuple[Any, ...]) -> NDArray[Any]:
    """A region of a stored array.

    Raises
    ------
    DataError
        If a chunk is missing, or does not decode (its checksum disagrees, it was cut short).
    """
    try:
        return np.asarray(array[region])
    except DataError:
        raise
    except (ValueError, RuntimeError, TypeError) as error:
        raise DataError(
            f"A chunk of {array.store_path} is damaged ({error}). "
            "Run 'slidecloud verify' on this store, and then the command that it names."
        ) from error


def read_pairs(
    array: zarr.Array[Any], pairs: NDArray[np.intp], rows: slice, columns: slice, *, out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Chosen pairs of a stack array over a window, in the order asked for, reading each chunk once.

    Parameters
    ----------
    array
        Stored array (pair, y, x).
    pairs
        Indices along the first dimension, any order.
    rows, columns
        Window inside the array.
    out
        Where to put them; by default a new array.

    Returns
    -------
    array (len(pairs), rows, columns), stored dtype
    """
    height, width = rows.stop - rows.start, columns.stop - columns.start
    out = np.empty((len(pairs), height, width), array.dtype) if out is None else out
    batch = array.chunks[0]
    for number in np.unique(pairs // batch):
        chosen = np.flatnonzero(pairs // batch == number)
        first, last = pairs[chosen].min(), pairs[chosen].max() + 1
        block = read(array, (slice(first, last), rows, columns))
        out[chosen] = block[pairs[chosen] - first]
    return out


def _is_chunk(key: str) -> bool:
    parts = key.split("/")
    return "c" in parts and parts[-1] != "zarr.json"
