"""Tables of a store as GeoParquet: their columns, and bytes that depend on nothing but what is in them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.types import DataError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CRS: Final = "EPSG:4326"
_REMEDY: Final = (
    "Find what is damaged with 'slidecloud verify', and mend it with --repair and another 'slidecloud run'."
)


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a table; ``dtype`` is a NumPy type, or ``text``."""

    name: str
    dtype: str
    units: str
    meaning: str


def table(specs: Sequence[ColumnSpec], columns: Mapping[str, Any], geometry: Sequence[Any]) -> GeoDataFrame:
    """A table with exactly the columns of its specification, in their order and types, also where it is empty.

    Parameters
    ----------
    specs
        The columns.
    columns
        Values by name.
    geometry
        Shapely geometries in longitude and latitude.

    Raises
    ------
    KeyError
        If a column is missing or not in the specification.
    """
    import geopandas
    import pandas

    names = [spec.name for spec in specs]
    if set(names) != set(columns):
        raise KeyError(f"columns: found {sorted(columns)}, expected {sorted(names)}")
    series = {
        spec.name: pandas.Series(
            np.asarray(columns[spec.name], dtype=object if spec.dtype == "text" else spec.dtype),
            dtype="str" if spec.dtype == "text" else spec.dtype,
        )
        for spec in specs
    }
    shapes = np.empty(len(geometry), dtype=object)
    shapes[:] = list(geometry)
    return geopandas.GeoDataFrame(series, geometry=geopandas.GeoSeries(shapes, crs=CRS))


def encode(frame: GeoDataFrame) -> bytes:
    """A table as GeoParquet; the same table gives the same bytes, with the same versions of the libraries."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd", schema_version="1.0.0")
    return buffer.getvalue()


def decode(*stored: tuple[str, bytes]) -> GeoDataFrame:
    """The rows of tables of one specification, one after the other.

    Parameters
    ----------
    stored
        Name and bytes of each, at least one.

    Raises
    ------
    DataError
        If the bytes are no table of ours; names it.
    """
    import geopandas
    import pyarrow
    import shapely

    # All as one, and then once to geometries: GeoPandas takes ten times as long for many small files.
    frame = pyarrow.concat_tables([_arrow(name, data) for name, data in stored]).to_pandas()
    frame["geometry"] = shapely.from_wkb(frame["geometry"].to_numpy())
    return geopandas.GeoDataFrame(frame, geometry="geometry", crs=CRS)


def _arrow(name: str, data: bytes) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        found = parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} is not a GeoParquet table ({str(error).splitlines()[0]}). {_REMEDY}") from None
    if "geometry" not in found.column_names:
        raise DataError(f"{name} has no column geometry, expected a GeoParquet table of slidecloud. {_REMEDY}")
    return found
