"""Maps of any CRS as files: GeoTIFF or Zarr, on this machine or behind a URL, read a window at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from slidecloud.stack import files
from slidecloud.stack.map_stores import StoredMap, open_stored
from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.raster_bands import RasterBands, filled
from slidecloud.stack.rasters import open_header
from slidecloud.stack.remote import RemotePath
from slidecloud.store.location import Location, locate
from slidecloud.types import DataError, Float32, Grid

DTYPES: Final = ("float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32")


@dataclass(frozen=True)
class MapFile:
    """A map with its grid.

    Attributes
    ----------
    name
        Path or URL, for messages.
    grid
        As the file says.
    fingerprint
        Changes when the file does.
    """

    name: str
    grid: Grid
    fingerprint: str
    _source: RasterBands | StoredMap = field(repr=False)

    def read(self, top: int, left: int, height: int, width: int) -> Float32:
        """Rows and columns from a place on, float32 (height, width); NaN without data and beyond the border.

        Raises
        ------
        DataError
            If it cannot be read; names the file.
        """
        return filled(np.full((height, width), np.nan, np.float32), self._known, top, left, self.grid)

    def _known(self, rows: slice, columns: slice) -> Float32:
        found = self._source.read(rows, columns)
        return found if isinstance(self._source, StoredMap) else found[0]


def open_map(path: str, *, variable: str | None = None, options: Mapping[str, Any] | None = None) -> MapFile:
    """Open a map; its header alone is read.

    Parameters
    ----------
    path
        GeoTIFF, or a folder that ends in ``.zarr``; a file of this machine or a URL.
    variable
        Array of a Zarr store; None takes its only map.
    options
        Storage options of a URL.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    DataError
        If it is no map: of several bands, without CRS, not north up.
    ConnectionError
        If a store does not answer.
    """
    if path.rstrip("/").endswith(".zarr"):
        stored = open_stored(locate(path, options), variable)
        return MapFile(printable(path), stored.grid, stored.fingerprint, stored)
    source = find(path, options)
    try:
        header = open_header(source, dtypes=DTYPES, most=None)
    except DataError as error:
        raise DataError(f"{printable(path)} {error}") from None
    band = RasterBands(source, (1,), ("",), header.grid, header.nodata)
    return MapFile(printable(path), header.grid, files.fingerprint(source), band)


def find(path: str, options: Mapping[str, Any] | None = None) -> SourcePath:
    """A file of this machine, or the object of a URL with its size and version.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if "://" not in path:
        file = Path(path)
        if not file.is_file():
            raise FileNotFoundError(f"There is no file {printable(path)}; check the path in the configuration.")
        return file
    folder, _, name = path.rpartition("/")
    location: Location = locate(folder, options)
    for entry in location.entries():
        if entry.key == name:
            return RemotePath(location, name, entry.size, entry.version)
    raise FileNotFoundError(f"There is no object {printable(path)}; check the URL in the configuration.")
