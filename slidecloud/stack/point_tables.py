"""Points from tables of text: CSV with a column for each coordinate."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slidecloud.stack.map_files import find
from slidecloud.stack.names import printable
from slidecloud.stack.remote import RemotePath
from slidecloud.types import DataError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def read_points(
    path: str, *, coordinates: tuple[str, str], crs: str, options: Mapping[str, Any] | None = None
) -> GeoDataFrame:
    """All rows of a CSV file as points, with their columns.

    Parameters
    ----------
    path
        A file of this machine or a URL.
    coordinates
        Columns of x and y, in the order of the CRS's plane: easting or longitude first.
    crs
        Of these coordinates.
    options
        Storage options of a URL.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it cannot be read, lacks a column or holds a coordinate that is no number; names the row.
    """
    import geopandas
    import numpy as np
    import pandas

    source, name = find(path, options), printable(path)
    opened = io.BytesIO(source.read_bytes()) if isinstance(source, RemotePath) else source
    try:
        table = pandas.read_csv(opened, skipinitialspace=True)
    except ValueError as error:
        raise DataError(f"{name} cannot be read as CSV ({str(error).splitlines()[0]}): check the file") from None
    missing = [column for column in coordinates if column not in table]
    if missing:
        known = ", ".join(map(str, table.columns))
        raise DataError(f"{name} has no column {missing[0]!r}; it has {known}. Name those of x and y with coordinates.")
    x, y = (pandas.to_numeric(table[column], errors="coerce").to_numpy(np.float64) for column in coordinates)
    wrong = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if wrong.size or not len(table):
        found = f"row {wrong[0] + 1} has no place" if wrong.size else "it has no rows"
        raise DataError(f"{name}: {found}; expected a number in {' and '.join(coordinates)} of every row")
    return geopandas.GeoDataFrame(table, geometry=geopandas.points_from_xy(x, y), crs=crs)
