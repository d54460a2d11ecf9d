"""HDF5 files, here or in a bucket: datasets checked by name, shape and type, and read by rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.stack import archives
from slidecloud.stack.hdf5_remote import RemoteHdf5, raise_own, spans
from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.remote import RemotePath
from slidecloud.types import DataError

if TYPE_CHECKING:
    import h5py

LONGEST_SIDE = 200_000
"""Elements along one axis beyond which a shape is taken for damage."""
_LARGEST_CHUNK = 2**30
_KINDS = {
    "O": "text",
    "f": "floating point",
    "c": "complex",
    "i": "integers",
    "u": "integers",
    "b": "true or false",
    "S": "text",
}
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError)


class Hdf5:
    """An open HDF5 file whose errors name file and dataset; made by `opened`."""

    def __init__(self, name: str, file: h5py.File, remote: RemoteHdf5 | None) -> None:
        self.name = name
        self._file, self._remote = file, remote

    def __contains__(self, path: str) -> bool:
        with self._reading(path):
            return path in self._file

    def attributes(self, path: str = "/") -> dict[str, Any]:
        """Attributes of a group or dataset; text as str."""
        with self._reading(path):
            return {str(key): _plain(value) for key, value in self._file[path].attrs.items()}

    def dataset(self, path: str, *, kinds: str, ndim: int, expected: str) -> h5py.Dataset:
        """A dataset of some kinds (letters of NumPy) and number of axes.

        Raises
        ------
        DataError
            If it is missing, no dataset, or of another kind or shape; ``expected`` says what it should hold.
        """
        import h5py

        with self._reading(path):
            found = self._file.get(path)
            if found is None:
                raise self.error(path, f"is missing, expected {expected}: make or fetch the file again")
            if not isinstance(found, h5py.Dataset):
                raise self.error(path, f"is a group, expected a dataset with {expected}: make the file again")
            shape, dtype = tuple(found.shape or ()), _sample_dtype(found.dtype)
        if len(shape) != ndim or (ndim and not 0 < min(shape) <= max(shape) <= LONGEST_SIDE):
            raise self.error(
                path,
                f"has the shape {shape}, expected {ndim} axes of 1 to {LONGEST_SIDE} elements with {expected}: "
                "make the file again",
            )
        if dtype.kind not in kinds:
            wanted = " or ".join(dict.fromkeys(_KINDS[kind] for kind in kinds if kind in _KINDS))
            raise self.error(path, f"holds {dtype}, expected {wanted} with {expected}: make the file again")
        return found

    def values(self, path: str, *, kinds: str = "f", ndim: int = 1, expected: str) -> NDArray[Any]:
        """A whole small dataset; see `dataset`."""
        found = self.dataset(path, kinds=kinds, ndim=ndim, expected=expected)
        with self._reading(path):
            return np.asarray(found[()])

    def value(self, path: str) -> Any:
        """The scalar of a dataset, text as str; see `dataset`."""
        return _plain(self.values(path, kinds="biufSO", ndim=0, expected="one value")[()])

    def element(self, found: h5py.Dataset, place: int) -> float:
        """One element of a vector; the others are not read where it is not compressed."""
        with self._reading(str(found.name)):
            return float(found[place])

    def number(self, path: str, *, expected: str) -> float:
        """A scalar; see `dataset`.

        Raises
        ------
        DataError
            If it is missing, no number, or not finite.
        """
        value = float(self.values(path, kinds="fiu", ndim=0, expected=expected))
        if not math.isfinite(value):
            raise self.error(path, f"is {value}, expected {expected}: make or fetch the file again")
        return value

    def text(self, path: str, *, expected: str) -> str:
        """A scalar text; see `dataset`."""
        return str(_plain(self.values(path, kinds="SO", ndim=0, expected=expected)[()]))

    def rows(self, found: h5py.Dataset, start: int, stop: int, *, layer: int | None = None) -> NDArray[Any]:
        """Rows of a dataset (y, x), or of one layer of a dataset (layer, y, x), full width; others are not touched.

        Raises
        ------
        DataError
            If they cannot be read, as where the file was cut short or its compression is not known.
        """
        path = str(found.name)
        at = (slice(start, stop),) if layer is None else (layer, slice(start, stop))
        with self._reading(path):
            if found.chunks and math.prod(found.chunks) * found.dtype.itemsize > _LARGEST_CHUNK:
                raise self.error(
                    path, f"has chunks of shape {found.chunks}, above 1 GiB each: write it in smaller ones"
                )
            if self._remote is not None:
                self._remote.prefetch(spans(found, start, stop, layer))
            return np.asarray(found[at])

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except _DAMAGE as error:
            raise_own(error, self._remote)
            raise self.error(path, _cause(error)) from error

    def error(self, path: str, text: str) -> DataError:
        """An error that names this file and a dataset of it."""
        return DataError(f"{self.name}: {path} {text}")


@contextmanager
def opened(path: SourcePath) -> Iterator[Hdf5]:
    """Open a file for reading; in a bucket only what is asked for is fetched.

    Raises
    ------
    OSError
        If its store does not answer, or denies access.
    DataError
        If it is not there, may not be read, is no HDF5 file, was cut short, has changed since it was listed, or lies in
        a zip archive.
    """
    import h5py

    name = printable(path)
    remote = RemoteHdf5(path) if isinstance(path, RemotePath) else None
    if isinstance(path, Path) and archives.split(path) is not None:
        raise DataError(f"{name} lies in a zip archive, where HDF5 cannot be read: unpack it")
    try:
        if remote is not None and isinstance(path, RemotePath):
            remote.warm(path.size)  # outside of HDF5, which lets one thread in at a time
        file = h5py.File(str(path) if remote is None else remote, "r")
    except _DAMAGE as error:
        raise_own(error, remote)
        if isinstance(error, FileNotFoundError):
            raise DataError(f"{name} is no longer there: restore it and start again") from error
        if isinstance(error, PermissionError):
            raise DataError(f"{name} cannot be opened (permission denied): give read permission (chmod u+r)") from error
        raise DataError(f"{name} cannot be read as HDF5 ({_short(error)}): fetch or make it again") from error
    with file:
        yield Hdf5(name, file, remote)


def lay(target: NDArray[Any], file: Hdf5, found: h5py.Dataset, start: int, *, row: int, column: int) -> None:
    """Put a dataset (y, x), its first pixel at `row`, `column` of a stack, into the stack's rows from `start` on."""
    height, width = found.shape
    first, last = max(start, row), min(start + target.shape[0], row + height)
    left, right = max(0, column), min(target.shape[1], column + width)
    if first < last and left < right:
        values = file.rows(found, first - row, last - row)[:, left - column : right - column]
        target[first - start : last - start, left:right] = values if target.dtype.kind != "c" else as_complex(values)


def as_complex(values: NDArray[Any]) -> NDArray[np.complex64]:
    """complex64 of what HDF5 files hold for complex numbers: complex, or pairs ``r``, ``i`` of any floating point."""
    if values.dtype.names is None:
        return values.astype(np.complex64, copy=False)
    samples = np.empty(values.shape, np.complex64)
    samples.real, samples.imag = values["r"], values["i"]
    return samples


def _sample_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype, that of half-precision pairs ``r``, ``i`` as complex."""
    if dtype.names == ("r", "i") and all(dtype[part].kind == "f" for part in "ri"):
        return np.dtype(np.complex64)
    return dtype


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.item() if isinstance(value, np.generic) else value


def _cause(error: BaseException) -> str:
    if "required filter" in str(error):
        return (
            f"is compressed in a way that is not known here ({_short(error)}), expected gzip, lzf, szip or none: "
            "write the file again with gzip (h5repack -f GZIP=4)"
        )
    return f"cannot be read ({_short(error)}): fetch or make the file again"


def _short(error: BaseException) -> str:
    return printable(str(error))[:300] or type(error).__name__
