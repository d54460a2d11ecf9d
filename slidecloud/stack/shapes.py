"""Points, lines and polygons from GeoPackage, GeoParquet and GeoJSON, on this machine or behind a URL."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from slidecloud.stack import files
from slidecloud.stack.map_files import find
from slidecloud.stack.names import SourcePath, printable
from slidecloud.stack.remote import RemotePath
from slidecloud.types import DataError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True)
class ShapeFile:
    """A table of geometries; ``fingerprint`` changes when the file does, and ``may_be_empty`` tells one without rows
    from one that lacks what it should hold."""

    name: str
    fingerprint: str
    layer: str | None
    _source: SourcePath = field(repr=False)
    may_be_empty: bool = False

    def read(self) -> GeoDataFrame:
        """All rows, in the CRS of the file; a process keeps the tables it read last.

        Raises
        ------
        DataError
            If the file cannot be read, has no geometries or no CRS; names what to do.
        """
        return _read(self)


def open_shapes(
    path: str, *, layer: str | None = None, options: Mapping[str, Any] | None = None, may_be_empty: bool = False
) -> ShapeFile:
    """A file of geometries, one at least unless it may be empty; it is read when its rows are asked for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    source = find(path, options)
    return ShapeFile(printable(path), files.fingerprint(source), layer, source, may_be_empty)


@lru_cache(maxsize=2)
def _read(shapes: ShapeFile) -> GeoDataFrame:
    import geopandas

    source = shapes._source
    opened = io.BytesIO(source.read_bytes()) if isinstance(source, RemotePath) else source
    try:
        if source.suffix.lower() in (".parquet", ".geoparquet"):
            frame = geopandas.read_parquet(opened)
        else:
            frame = geopandas.read_file(opened, **({} if shapes.layer is None else {"layer": shapes.layer}))
    except (ValueError, RuntimeError, ImportError, OSError) as error:
        if isinstance(error, ConnectionError):
            raise
        raise DataError(
            f"{shapes.name} cannot be read as GeoPackage, GeoParquet or GeoJSON ({printable(str(error))}): check the "
            "path and the layer, or make it again"
        ) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.crs is None:
        raise DataError(f"{shapes.name} has no geometries with a CRS; expected points, lines or polygons in one")
    kept = frame[~(frame.geometry.is_empty | frame.geometry.isna())].reset_index(drop=True)
    if not len(kept) and not shapes.may_be_empty:
        raise DataError(f"{shapes.name} has no geometries; expected at least one, or leave the factor out")
    return kept
