"""Plain Zarr stores and NetCDF files by xarray, opened once in a process, and read by pair and rows."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_mapping import AxesMapping
from slidecloud.stack.files import state
from slidecloud.stack.hdf5 import LONGEST_SIDE, opened
from slidecloud.stack.names import printable
from slidecloud.stack.remote import RangedFile, RemotePath
from slidecloud.store.arrays import zarr_store
from slidecloud.store.location import Location
from slidecloud.types import DataError

if TYPE_CHECKING:
    import xarray as xr

_ROOTS = ("zarr.json", ".zgroup")
_LARGEST_CHUNK = 2**30
_MOST_KEPT = 2**28
_DAMAGE = (OSError, ValueError, TypeError, KeyError, RuntimeError, MemoryError, OverflowError, AttributeError)
_last = threading.local()


@dataclass(frozen=True)
class PlainData:
    """A Zarr store or NetCDF file whose rows may run either way; ``mark`` changes when it does.

    Attributes
    ----------
    axes
        Names of its dimensions.
    northward, westward
        True where y or x run against the rows and columns of a stack, which are turned round when read.
    """

    place: Location
    mark: str
    axes: AxesMapping
    northward: bool = False
    westward: bool = False

    @property
    def name(self) -> str:
        """Its path or URL, for messages."""
        return printable(self.place.url)

    def dataset(self) -> xr.Dataset:
        """The open dataset, lazy.

        Raises
        ------
        DataError
            If it cannot be opened.
        """
        return _open(self.place, self.mark)

    def variable(self, name: str, dims: tuple[str, ...], expected: str) -> xr.DataArray:
        """A variable over some of the axes ``pair``, ``y``, ``x`` in any order.

        Raises
        ------
        DataError
            If it is missing, or has other dimensions or an absurd shape.
        """
        data = self.dataset()
        if name not in data.variables:
            known = ", ".join(map(str, list(data.variables)[:12])) or "none"
            raise DataError(
                f"{self.name} has no variable {name!r}, expected {expected}; it has {known}: correct the mapping"
            )
        found = data[name]
        wanted = {str(getattr(self.axes, dim)) for dim in dims}
        if set(found.dims) != wanted or len(found.dims) != len(wanted):
            raise DataError(
                f"{self.name}: {name} has the dimensions {', '.join(map(str, found.dims)) or 'none'}, expected "
                f"{', '.join(sorted(wanted))}: correct the mapping, under axes"
            )
        if not all(0 < side <= LONGEST_SIDE for side in found.shape):
            raise DataError(
                f"{self.name}: {name} has the shape {found.shape}, expected 1 to {LONGEST_SIDE} along each axis: "
                "write it again"
            )
        return found

    def layer(self, name: str, start: int, stop: int, *, pair: int | None = None) -> NDArray[Any]:
        """Rows of the stack from a variable (y, x), or of one pair of a variable (pair, y, x).

        Where chunks hold several pairs, those of the last chunk stay in the memory of the thread: the next pair is
        there too.

        Raises
        ------
        DataError
            If they cannot be read; names the variable.
        """
        dims = ("y", "x") if pair is None else ("pair", "y", "x")
        found = self.variable(name, dims, "values")
        height = found.sizes[self.axes.y]
        rows = slice(height - stop, height - start) if self.northward else slice(start, stop)
        if pair is None:
            values = self._read(found.isel({self.axes.y: rows}), name, (self.axes.y, self.axes.x))
        else:
            values = self._pair(found, name, pair, rows)
        return values[:: -1 if self.northward else 1, :: -1 if self.westward else 1]

    def values(self, name: str, dim: str, expected: str) -> NDArray[Any]:
        """A whole variable along one axis."""
        return self._read(self.variable(name, (dim,), expected), name, (str(getattr(self.axes, dim)),))

    def _pair(self, found: xr.DataArray, name: str, pair: int, rows: slice) -> NDArray[Any]:
        sizes = dict(zip(found.dims, _chunks(found), strict=True))
        if math.prod(sizes.values()) * found.dtype.itemsize > _LARGEST_CHUNK:
            raise DataError(f"{self.name}: {name} has chunks of {sizes}, above 1 GiB each: write smaller ones")
        together = sizes[self.axes.pair]
        count = min(found.sizes[self.axes.pair], together)
        first = pair - pair % together
        if count * (rows.stop - rows.start) * found.sizes[self.axes.x] * found.dtype.itemsize > _MOST_KEPT:
            first, together = pair, 1
        key = (self.place, self.mark, name, first, together, rows.start, rows.stop)
        blocks: dict[str, tuple[Any, NDArray[Any]]] = _last.__dict__.setdefault("blocks", {})
        if name not in blocks or blocks[name][0] != key:
            part = found.isel({self.axes.pair: slice(first, first + together), self.axes.y: rows})
            blocks[name] = key, self._read(part, name, (self.axes.pair, self.axes.y, self.axes.x))
            while len(blocks) > 3:
                blocks.pop(next(iter(blocks)))
        layer: NDArray[Any] = blocks[name][1][pair - first]
        return layer

    def _read(self, found: xr.DataArray, name: str, order: tuple[str, ...]) -> NDArray[Any]:
        try:
            values: NDArray[Any] = np.asarray(found.transpose(*order).values)
        except DataError:
            raise
        except _DAMAGE as error:
            raise DataError(
                f"{self.name}: {name} cannot be read ({printable(str(error))[:300] or type(error).__name__}): "
                "fetch or write it again"
            ) from error
        return values


def open_plain(place: Location, axes: AxesMapping) -> PlainData:
    """Find out what lies at a place: a Zarr store, or a NetCDF file.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    DataError
        If it is neither.
    """
    if place.is_local and not Path(place.url).exists():
        raise FileNotFoundError(f"source {printable(place.url)} does not exist: give a Zarr store or a NetCDF file")
    return PlainData(place, _mark(place), axes)


def _mark(place: Location) -> str:
    """Of a file name, size and time; of a Zarr store the digest of its metadata."""
    if place.is_local and Path(place.url).is_file():
        found = Path(place.url).stat()
        text = f"{place.name}\0{found.st_size}\0{found.st_mtime_ns}".encode()
    else:
        parts = [place.read(name) or b"" for name in (*_ROOTS, ".zmetadata")] if _is_zarr(place) else []
        text = b"\0".join(parts) or state(_remote(place)).encode()
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _is_zarr(place: Location) -> bool:
    if place.is_local:
        return Path(place.url).is_dir()
    return not place.url.endswith((".nc", ".nc4", ".h5", ".cdf"))


@lru_cache(maxsize=4)
def _open(place: Location, mark: str) -> xr.Dataset:
    """The dataset of a place in a state, ``mark``, by which a changed one is opened again."""
    import xarray as xr

    del mark
    name = printable(place.url)
    try:
        found: xr.Dataset = (
            xr.open_zarr(zarr_store(place, read_only=True), chunks=None, consolidated=False)
            if _is_zarr(place)
            else xr.open_dataset(**_file(place))
        )
    except (FileNotFoundError, PermissionError, DataError):
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{name} is neither a Zarr store nor a NetCDF file that xarray reads "
            f"({printable(str(error))[:300]}): fetch or write it again"
        ) from error
    return found


def _file(place: Location) -> Mapping[str, Any]:
    """Arguments of xarray for a NetCDF file: version 4 is HDF5, version 3 is read by scipy."""
    path = Path(place.url) if place.is_local else _remote(place)
    with path.open("rb") as file:
        start = file.read(4)
    if start[:3] == b"CDF":
        if isinstance(path, RemotePath):
            raise DataError(f"{place} is NetCDF 3, which is read from disks only: convert it to NetCDF 4 (nccopy -k 4)")
        return {"filename_or_obj": place.url, "engine": "scipy"}
    with opened(path) as checked:
        checked.attributes()  # a damaged file is named here; h5netcdf leaves errors behind in its destructor
    source = RangedFile(path) if isinstance(path, RemotePath) else place.url
    return {"filename_or_obj": source, "engine": "h5netcdf", "decode_timedelta": False, "phony_dims": "sort"}


def _remote(place: Location) -> RemotePath:
    """A file in a bucket, as its folder lists it."""
    folder = Location(place.url.rpartition("/")[0], place.options)
    for entry in folder.entries():
        if entry.key == place.name:
            return RemotePath(folder, entry.key, entry.size, entry.version)
    raise FileNotFoundError(f"source {place} does not exist: give a Zarr store or a NetCDF file")


def _chunks(found: xr.DataArray) -> tuple[int, ...]:
    """Sizes of chunks along the dimensions; of data that is not chunked, one pair or row at a time."""
    chunks = found.encoding.get("chunks") or found.encoding.get("chunksizes")
    return tuple(chunks) if chunks else (1,) * found.ndim
