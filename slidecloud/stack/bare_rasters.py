"""GeoTIFFs without coordinates, as products in the geometry of the radar are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.raster_files import open_raster
from slidecloud.stack.rasters import MAX_PIXELS
from slidecloud.types import DataError, Float32

_opening = Lock()


def shape_of(path: SourcePath) -> tuple[int, int]:
    """Rows and columns.

    Raises
    ------
    DataError
        If it cannot be read; names the file.
    """
    with _opened(path) as dataset:
        return dataset.height, dataset.width


def read_bare(path: SourcePath, rows: slice | None, *, band: int = 1, bands: int = 1) -> Float32:
    """Rows of a raster without coordinates, float32, of complex numbers the angle; NaN where it is 0.

    Raises
    ------
    DataError
        If it cannot be read, or is not of so many bands of numbers; names the file.
    """
    with _opened(path) as dataset:
        height, width = dataset.height, dataset.width
        if dataset.count != bands or height * width > MAX_PIXELS:
            raise DataError(
                f"{printable(path)} has {dataset.count} bands of {height} x {width} pixels, expected {bands} of at "
                f"most {MAX_PIXELS} in all: fetch it again"
            )
        rows = rows or slice(0, height)
        values: NDArray[Any] = dataset.read(band, window=Window(0, rows.start, width, rows.stop - rows.start))
    if not np.issubdtype(values.dtype, np.inexact):
        raise DataError(f"{printable(path)} holds {values.dtype}, expected floating point or complex: fetch it again")
    numbers = np.angle(values) if np.iscomplexobj(values) else values
    return np.where(values == 0, np.nan, numbers).astype(np.float32)


@contextmanager
def _opened(path: SourcePath) -> Iterator[Any]:
    """A raster that needs no coordinates; errors of reading it name it."""
    with ExitStack() as stack:
        try:
            # One at a time, as Python's filters of warnings are those of all threads.
            with _opening, warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                file = stack.enter_context(open_raster(path))
            yield file.dataset
        except (RasterioError, OSError) as error:
            raise DataError(f"{printable(path)} cannot be read ({printable(str(error))}): fetch it again") from error
