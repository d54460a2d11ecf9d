"""GeoTIFF files: a cheap check of their headers, and reading of rows onto the grid of a stack."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from slidecloud.stack import files
from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.raster_files import RasterFile, block_span, open_raster
from slidecloud.stack.remote import TOGETHER, RemotePath
from slidecloud.store.objects import ChangedError
from slidecloud.types import DataError, Grid

FLOATS = ("float32", "float64")
_TOGETHER_HERE = 8
MAX_PIXELS = 500_000_000
"""A Sentinel-1 frame at its full resolution of 20 m has a third of it."""

_MANY_PIXELS = 10_000_000
_MAX_RATIO = 2000
"""Bytes of pixels that a byte of a file can hold when packed by deflate or LZW, rounded up."""

_NO_COORDINATES = (
    "has no coordinates, expected a CRS and a geotransform: geocode it, or fetch it again if it should have them"
)


@dataclass(frozen=True, slots=True)
class RasterHeader:
    """What the header of a GeoTIFF says; `bands` are descriptions, empty where a band has none."""

    path: SourcePath
    grid: Grid
    dtype: str
    nodata: float | None
    tags: Mapping[str, str] = field(default_factory=dict)
    bands: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Layer:
    """A file and its place in the grid of a stack.

    Attributes
    ----------
    path
        The file.
    row, column
        Where its first pixel lies in the stack; may be negative.
    height, width
        Its own rows and columns.
    nodata
        The value that its header calls no data.
    remote
        Where the file is not one of this machine: how it is reached.
    """

    path: str
    row: int
    column: int
    height: int
    width: int
    nodata: float | None
    remote: RemotePath | None = None

    def covers(self, other: Layer) -> bool:
        """Whether it reaches as far as another on every side."""
        return (
            self.row <= other.row
            and self.column <= other.column
            and self.row + self.height >= other.row + other.height
            and self.column + self.width >= other.column + other.width
        )


def open_header(
    path: SourcePath, *, dtypes: tuple[str, ...] = FLOATS, several: bool = False, most: int | None = MAX_PIXELS
) -> RasterHeader:
    """Read and check the header of a GeoTIFF; no pixel is read.

    Parameters
    ----------
    path
        The file.
    dtypes
        Those that it may have.
    several
        Whether it may have several bands.
    most
        Pixels that it may have; None: as many as there are bytes for, where it is read a window at a time.

    Raises
    ------
    DataError
        If the file is empty, truncated, no GeoTIFF, not north-up, without CRS, of another dtype, or of several bands
        where these are not expected.
    ConnectionError
        If the store of a remote file does not answer.
    """
    (header,) = open_headers([(path, dtypes)], several=several, most=most)
    if isinstance(header, DataError):
        raise header
    return header


def open_headers(
    wanted: Sequence[tuple[SourcePath, tuple[str, ...]]], *, several: bool = False, most: int | None = MAX_PIXELS
) -> list[RasterHeader | DataError]:
    """Headers of several GeoTIFFs with the dtypes each may have, read at the same time; see `open_header`.

    A header that cannot be used is the error that says so.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # lack of coordinates is looked for below
        if len(wanted) == 1:
            return [_header(*wanted[0], several, most)]
        together = TOGETHER if any(isinstance(path, RemotePath) for path, _ in wanted) else _TOGETHER_HERE
        with ThreadPoolExecutor(together, thread_name_prefix="slidecloud-source") as pool:
            futures = [pool.submit(_header, *item, several, most) for item in wanted]
            try:
                return [future.result() for future in futures]
            finally:
                pool.shutdown(cancel_futures=True)


def _header(path: SourcePath, dtypes: tuple[str, ...], several: bool, most: int | None) -> RasterHeader | DataError:
    try:
        if files.size(path) == 0:
            return DataError("is empty (0 bytes), expected a GeoTIFF: fetch or make it again")
        with open_raster(path) as file:
            return _checked(path, file, dtypes, several, most)
    except DataError as error:
        return error
    except PermissionError as error:
        return DataError(_unreadable(path, error))
    except (RasterioError, OSError) as error:
        return _problem(path, error)


def _problem(path: SourcePath, error: Exception) -> DataError:
    """What is wrong with a file. That its store does not answer is no fault of the file: it is raised as it is."""
    of_the_file = isinstance(error, RasterioError | FileNotFoundError | ChangedError)
    if isinstance(path, RemotePath) and not of_the_file:
        raise error
    return DataError(_unreadable(path, error))


def _checked(
    path: SourcePath, file: RasterFile, dtypes: tuple[str, ...], several: bool, most: int | None
) -> RasterHeader:
    dataset, size = file.dataset, file.size
    if dataset.count != 1 and not several:
        raise DataError(f"has {dataset.count} bands, expected 1: write the wanted band to a file of its own")
    dtype = next((dtype for dtype in dataset.dtypes if dtype not in dtypes), dataset.dtypes[0])
    if dtype not in dtypes:
        raise DataError(f"holds {dtype}, expected {' or '.join(dtypes)}: {_dtype_remedy(dtype)}")
    transform = dataset.transform
    if dataset.crs is None or transform.is_identity:
        raise DataError(_NO_COORDINATES)
    if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        raise DataError(
            f"has the geotransform {tuple(transform)[:6]}, expected north up without rotation: warp it (gdalwarp)"
        )
    if not all(map(math.isfinite, tuple(transform)[:6])):
        raise DataError(f"has the geotransform {tuple(transform)[:6]}, expected finite numbers: geocode it again")
    _check_size(dataset, size, most)
    end = _end_of_last_block(dataset)
    if end > size:
        raise DataError(f"is truncated: {size} bytes of at least {end}. Fetch or make it again")
    epsg = dataset.crs.to_epsg()
    crs = f"EPSG:{epsg}" if epsg else dataset.crs.to_wkt()
    grid = Grid(crs, transform.c, transform.f, transform.a, transform.e, dataset.height, dataset.width)
    bands = tuple(text or "" for text in dataset.descriptions)
    return RasterHeader(path, grid, dtype, dataset.nodata, dict(dataset.tags()), bands)


def _check_size(dataset: Any, size: int, most: int | None) -> None:
    """A damaged header may claim any size, and reading would fill the memory with what is not there."""
    pixels = dataset.height * dataset.width
    claimed = pixels * np.dtype(dataset.dtypes[0]).itemsize
    if (most is not None and pixels > most) or (pixels > _MANY_PIXELS and claimed > _MAX_RATIO * size):
        limit = "" if most is None else f"at most {most} pixels, and "
        raise DataError(
            f"claims {dataset.height} x {dataset.width} pixels in {size} bytes, expected {limit}bytes for them: make "
            "or fetch it again"
        )


def _end_of_last_block(dataset: Any) -> int:
    """Byte where the block of the last pixel ends; 0 if it is not stored (a sparse file)."""
    rows, columns = dataset.block_shapes[0]
    span = block_span(dataset, (dataset.height - 1) // rows, (dataset.width - 1) // columns, dataset.count)
    return 0 if span is None else span[1]


def _dtype_remedy(dtype: str) -> str:
    if dtype.startswith("complex"):
        return "write its angle in radians as float32 (gdal_calc.py)"
    return "convert it (gdal_translate -ot)"


def _unreadable(path: SourcePath, error: Exception) -> str:
    if isinstance(error, ChangedError):
        return "has changed since it was listed: give the command again when it is whole"
    if isinstance(path, RemotePath) and isinstance(error, PermissionError):
        return f"cannot be read ({printable(str(error))})"
    if isinstance(error, PermissionError) or "Permission denied" in str(error):
        return "cannot be opened (permission denied): give read permission (chmod u+r)"
    if isinstance(error, FileNotFoundError) or not files.exists(path):
        return "is no longer there: restore it and start again"
    return f"cannot be read as a GeoTIFF ({printable(str(error))}): fetch or make it again"


def read_rows(layer: Layer, start: int, stop: int, width: int, *, zero_is_nodata: bool = True) -> NDArray[Any]:
    """Rows `start` to `stop` of the stack from one file, shape (stop - start, `width`).

    Floating point comes as float32 with NaN, uint8 as it is with 0, where the file has no data or does not reach.
    Zero counts as no data unless `zero_is_nodata` is False.

    Raises
    ------
    DataError
        If the pixels cannot be read; names file and remedy.
    OSError
        If the store of a remote file does not answer, or denies access.
    """
    path = layer.remote or Path(layer.path)
    first, last = max(start, layer.row), min(stop, layer.row + layer.height)
    left, right = max(0, layer.column), min(width, layer.column + layer.width)
    window = Window(left - layer.column, first - layer.row, max(0, right - left), max(0, last - first))
    try:
        with open_raster(path) as file:
            byte = file.dataset.dtypes[0] == "uint8"
            inside = window.width and window.height
            values = _without_nodata(file.read(window), layer.nodata, zero_is_nodata) if inside else None
    except (RasterioError, OSError) as error:
        raise DataError(f"{printable(layer.path)} {_problem(path, error)}") from error
    if values is not None and values.shape == (stop - start, width):
        return values
    rows = np.full((stop - start, width), 0 if byte else np.nan, np.uint8 if byte else np.float32)
    if values is not None:
        rows[first - start : last - start, left:right] = values
    return rows


def _without_nodata(values: NDArray[Any], nodata: float | None, zero_is_nodata: bool) -> NDArray[Any]:
    """The same pixels, as `read_rows` returns them; may write into `values`."""
    byte = values.dtype == np.uint8
    with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which the check of values names
        found = values if byte else values.astype(np.float32, copy=False)
    marks = {nodata} if nodata is not None and not math.isnan(nodata) else set()
    for mark in marks | ({0.0} if zero_is_nodata and not byte else set()):
        np.putmask(found, values == mark, 0 if byte else np.nan)
    return found
