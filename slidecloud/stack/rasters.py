"""GeoTIFF files: a cheap check of their headers, and reading of rows onto the grid of a stack."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.windows import Window

from slidecloud.stack import files
from slidecloud.stack.names import printable
from slidecloud.types import DataError, Grid

FLOATS = ("float32", "float64")
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
    """What the header of a single-band GeoTIFF says."""

    path: Path
    grid: Grid
    dtype: str
    nodata: float | None
    tags: Mapping[str, str] = field(default_factory=dict)


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
    """

    path: str
    row: int
    column: int
    height: int
    width: int
    nodata: float | None

    def covers(self, other: Layer) -> bool:
        """Whether it reaches as far as another on every side."""
        return (
            self.row <= other.row
            and self.column <= other.column
            and self.row + self.height >= other.row + other.height
            and self.column + self.width >= other.column + other.width
        )


def open_header(path: Path, *, dtypes: tuple[str, ...] = FLOATS) -> RasterHeader:
    """Read and check the header of a GeoTIFF; no pixel is read.

    Raises
    ------
    DataError
        If the file is empty, truncated, no GeoTIFF, not north-up, without CRS, of several bands or another dtype.
    """
    try:
        size = files.size(path)
        if size == 0:
            raise DataError("is empty (0 bytes), expected a GeoTIFF: fetch or make it again")
        with warnings.catch_warnings():
            warnings.simplefilter("error", NotGeoreferencedWarning)
            with rasterio.open(files.gdal_name(path), driver="GTiff") as dataset:
                return _checked(path, dataset, size, dtypes)
    except NotGeoreferencedWarning as error:
        raise DataError(_NO_COORDINATES) from error
    except (RasterioError, OSError) as error:
        raise DataError(_unreadable(path, error)) from error


def _checked(path: Path, dataset: Any, size: int, dtypes: tuple[str, ...]) -> RasterHeader:
    if dataset.count != 1:
        raise DataError(f"has {dataset.count} bands, expected 1: write the wanted band to a file of its own")
    (dtype,) = dataset.dtypes
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
    _check_size(dataset, size)
    end = _end_of_last_block(dataset)
    if end > size:
        raise DataError(f"is truncated: {size} bytes of at least {end}. Fetch or make it again")
    epsg = dataset.crs.to_epsg()
    crs = f"EPSG:{epsg}" if epsg else dataset.crs.to_wkt()
    grid = Grid(crs, transform.c, transform.f, transform.a, transform.e, dataset.height, dataset.width)
    return RasterHeader(path, grid, dtype, dataset.nodata, dict(dataset.tags()))


def _check_size(dataset: Any, size: int) -> None:
    """A damaged header may claim any size, and reading would fill the memory with what is not there."""
    pixels = dataset.height * dataset.width
    claimed = pixels * np.dtype(dataset.dtypes[0]).itemsize
    if pixels > MAX_PIXELS or (pixels > _MANY_PIXELS and claimed > _MAX_RATIO * size):
        raise DataError(
            f"claims {dataset.height} x {dataset.width} pixels in {size} bytes, expected at most {MAX_PIXELS} pixels, "
            "and bytes for them: make or fetch it again"
        )


def _end_of_last_block(dataset: Any) -> int:
    """Byte where the block of the last pixel ends; 0 if it is not stored (a sparse file)."""
    rows, columns = dataset.block_shapes[0]
    block = f"{(dataset.width - 1) // columns}_{(dataset.height - 1) // rows}"
    offset = dataset.get_tag_item(f"BLOCK_OFFSET_{block}", "TIFF", bidx=1)
    length = dataset.get_tag_item(f"BLOCK_SIZE_{block}", "TIFF", bidx=1)
    return int(offset) + int(length) if offset and length else 0


def _dtype_remedy(dtype: str) -> str:
    if dtype.startswith("complex"):
        return "write its angle in radians as float32 (gdal_calc.py)"
    return "convert it (gdal_translate -ot)"


def _unreadable(path: Path, error: Exception) -> str:
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
    """
    first, last = max(start, layer.row), min(stop, layer.row + layer.height)
    left, right = max(0, layer.column), min(width, layer.column + layer.width)
    window = Window(left - layer.column, first - layer.row, max(0, right - left), max(0, last - first))
    try:
        with rasterio.open(files.gdal_name(layer.path), driver="GTiff") as dataset:
            byte = dataset.dtypes[0] == "uint8"
            rows = np.full((stop - start, width), 0 if byte else np.nan, np.uint8 if byte else np.float32)
            if window.width and window.height:
                values = dataset.read(1, window=window)
                rows[first - start : last - start, left:right] = _without_nodata(values, layer.nodata, zero_is_nodata)
    except (RasterioIOError, OSError) as error:
        raise DataError(f"{printable(layer.path)} {_unreadable(Path(layer.path), error)}") from error
    return rows


def _without_nodata(values: NDArray[Any], nodata: float | None, zero_is_nodata: bool) -> NDArray[Any]:
    missing = np.zeros(values.shape, bool)
    if nodata is not None and not math.isnan(nodata):
        missing |= values == nodata
    if values.dtype == np.uint8:
        return np.where(missing, 0, values)
    if zero_is_nodata:
        missing |= values == 0
    with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which the check of values names
        return np.where(missing, np.nan, values).astype(np.float32)
