"""GeoTIFFs as open files, wherever they lie: of a remote one only the blocks of the rows asked for are fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import rasterio
from numpy.typing import NDArray
from rasterio.abc import FileContainer
from rasterio.windows import Window

from slidecloud.stack import files
from slidecloud.stack.names import SourcePath
from slidecloud.stack.remote import RangedFile, RemotePath

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NAME = "source/raster.tif"
"""What GDAL calls a remote file: without scheme, as rasterio makes a session of its own for URLs that it knows."""
_GAP = 1 << 16
"""Bytes between two blocks that are fetched along rather than asked for apart."""


class RasterFile:
    """An open GeoTIFF.

    Attributes
    ----------
    dataset
        As rasterio opened it.
    size
        Bytes of the file.
    """

    def __init__(self, dataset: Any, size: int, bytes_: RangedFile | None = None) -> None:
        self.dataset, self.size = dataset, size
        self._bytes = bytes_

    def read(self, window: Window) -> NDArray[Any]:
        """Pixels of the first band."""
        values: NDArray[Any] = self.read_bands(window, (1,))[0]
        return values

    def read_bands(self, window: Window, bands: Sequence[int]) -> NDArray[Any]:
        """Pixels (band, y, x) of bands counted from 1."""
        if self._bytes is not None:
            self._bytes.prefetch(_joined([span for band in bands for span in self._blocks(window, band)]))
        values: NDArray[Any] = self.dataset.read(list(bands), window=window)
        return values

    def _blocks(self, window: Window, band: int) -> list[tuple[int, int]]:
        """(start, stop) bytes of the stored blocks that a window touches."""
        height, width = self.dataset.block_shapes[0]
        rows = range(window.row_off // height, -(-(window.row_off + window.height) // height))
        columns = range(window.col_off // width, -(-(window.col_off + window.width) // width))
        found = [block_span(self.dataset, row, column, band) for row in rows for column in columns]
        return [span for span in found if span is not None]


def block_span(dataset: Any, row: int, column: int, band: int = 1) -> tuple[int, int] | None:
    """(start, stop) bytes of a block of a band; None where it is not stored (a sparse file)."""
    offset, length = (
        dataset.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=band) for what in ("OFFSET", "SIZE")
    )
    return (int(offset), int(offset) + int(length)) if offset and length else None


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those with small gaps between them made one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start - joined[-1][1] <= _GAP:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


@contextmanager
def open_raster(path: SourcePath) -> Iterator[RasterFile]:
    """Open a GeoTIFF for reading.

    Raises
    ------
    RasterioError, OSError
        If it cannot be read; of a remote one the error of the store.
    """
    if not isinstance(path, RemotePath):
        with rasterio.open(files.gdal_name(path), driver="GTiff") as dataset:
            yield RasterFile(dataset, files.size(path))
        return
    file = _Silent(path)
    try:
        with rasterio.open(_NAME, driver="GTiff", opener=_Alone(path, file)) as dataset:
            yield RasterFile(dataset, path.size, file)
    except Exception:
        if file.error is None:
            raise
    # What GDAL could not read it takes for the end of the file, and often goes on: without tags, or with no data.
    if file.error is not None:
        raise file.error


class _Silent(RangedFile):
    """Holds the error of a read back, as GDAL cannot pass it on, and reads nothing any more."""

    error: OSError | None = None

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if self.error is not None:
            return 0
        try:
            return super().readinto(buffer)
        except OSError as error:
            self.error = error
            return 0


class _Alone(FileContainer):  # type: ignore[misc]
    """A folder that holds one file and no companions, which GDAL would ask for one by one."""

    def __init__(self, path: RemotePath, file: _Silent) -> None:
        self._path, self._file = path, file

    def open(self, *_: Any, **__: Any) -> IO[bytes] | RangedFile:
        return self._file

    def isfile(self, path: str) -> bool:
        return path.endswith(_NAME)

    def isdir(self, _path: str) -> bool:
        return False

    def ls(self, _path: str) -> list[str]:
        return [_NAME.rpartition("/")[2]]

    def mtime(self, _path: str) -> int:
        return 0

    def rm(self, _path: str) -> None:
        raise PermissionError(f"{self._path} was to be removed: sources are only read")

    def size(self, _path: str) -> int:
        return self._path.size
