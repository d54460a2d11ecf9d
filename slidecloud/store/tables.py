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


def decode(data: bytes, *, name: str) -> GeoDataFrame:
    """A table from GeoParquet.

    Raises
    ------
    DataError
        If the bytes are no GeoParquet; names ``name``.
    """
    import geopandas
    import pyarrow

    try:
        return geopandas.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        raise DataError(
            f"{name} is not a GeoParquet table ({str(error).splitlines()[0]}). Find what is damaged with 'slidecloud "
            "verify', and mend it with --repair and another 'slidecloud run'."
        ) from None
