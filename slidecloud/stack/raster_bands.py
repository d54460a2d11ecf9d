"""Windows of the bands of a GeoTIFF, and windows that reach beyond their file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slidecloud.stack import files
from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.raster_files import open_raster
from slidecloud.stack.remote import RemotePath
from slidecloud.types import DataError, Float32, Grid


@dataclass(frozen=True)
class RasterBands:
    """Some bands of a GeoTIFF.

    Attributes
    ----------
    source
        The file.
    numbers
        Of the bands, from 1.
    names
        Of the bands.
    grid
        As the header says.
    nodata
        The value that the header calls no data.
    """

    source: SourcePath
    numbers: tuple[int, ...]
    names: tuple[str, ...]
    grid: Grid
    nodata: float | None

    @property
    def fingerprint(self) -> str:
        """Changes when the file does."""
        return files.fingerprint(self.source, self.numbers)

    def read(self, rows: slice, columns: slice) -> Float32:
        """A window (band, y, x), float32 with NaN.

        Raises
        ------
        DataError
            If it cannot be read; names the file.
        """
        window = Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        try:
            with open_raster(self.source) as file:
                values = file.read_bands(window, self.numbers)
        except (RasterioError, OSError) as error:
            if isinstance(self.source, RemotePath) and not isinstance(error, RasterioError | FileNotFoundError):
                raise
            raise DataError(
                f"{printable(self.source)} cannot be read ({printable(str(error))}): fetch or make it again"
            ) from error
        found: Float32 = values.astype(np.float32)
        if self.nodata is not None and not math.isnan(self.nodata):
            found[values == self.nodata] = np.nan
        return found


def filled(found: Float32, read: Callable[[slice, slice], Float32], top: int, left: int, grid: Grid) -> Float32:
    """A window (..., y, x) with what a file has of it.

    Parameters
    ----------
    found
        The window; what lies beyond the file stays as it is.
    read
        Gives rows and columns of the file.
    top, left
        Where the window begins in the file; may be negative.
    grid
        Of the file.
    """
    height, width = found.shape[-2:]
    rows = slice(max(top, 0), min(top + height, grid.height))
    columns = slice(max(left, 0), min(left + width, grid.width))
    if rows.start < rows.stop and columns.start < columns.stop:
        inside = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        found[..., *inside] = read(rows, columns)
    return found
