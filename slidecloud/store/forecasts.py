"""Forecasts as a store has them: names of their parts, their arrays and their points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import xarray as xr

from slidecloud.store import tables
from slidecloud.store.arrays import reader
from slidecloud.store.forecast_specs import FORECAST, NAME, forecast_group, points_table
from slidecloud.store.location import Location, locate
from slidecloud.store.stacks import kind_of, open_dataset
from slidecloud.types import DataError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

KIND: Final = "forecast"
"""Of a store of forecasts alone."""


def names(location: Location) -> tuple[str, ...]:
    """Names of the parts: one a track of a run, or ``points`` for those of a table."""
    found = [name for name in (location / FORECAST).folders() if NAME.fullmatch(name)]
    # A folder alone may be what is left of a group that was withdrawn.
    there = location.read_many(f"{forecast_group(name)}/zarr.json" for name in found)
    return tuple(sorted(key.split("/")[1] for key in there))


def dataset(location: Location, name: str) -> xr.Dataset:
    """The forecasts of a part, dims (time, point), with what was known of its points and the ids of these."""
    table = points(location, name)
    found = open_dataset(location / forecast_group(name))
    places = [axis for axis in ("longitude", "latitude") if axis in found]
    ids = {"point": table["id"].to_numpy(object), "landslide_id": ("point", table["landslide"].to_numpy(object))}
    return found.set_coords(places).assign_coords(ids)


def points(location: Location, name: str) -> GeoDataFrame:
    """The points of a part, in order of the dimension ``point``."""
    _check(location, name)
    data = location.read(points_table(name))
    if data is None:
        raise KeyError(f"{location} has no {points_table(name)}; run 'slidecloud forecast' again to write it.")
    return tables.decode((f"{location}/{points_table(name)}", data))


def attributes(location: Location, name: str) -> dict[str, Any]:
    """Attributes of a part: method, settings, thresholds, landslides."""
    _check(location, name)
    return dict(reader(location, forecast_group(name)).attrs)


def open_forecast(
    url: str | Location, name: str = "points", storage_options: Mapping[str, Any] | None = None
) -> xr.Dataset:
    """Open the forecasts of a table of points, or of a track of a run.

    Parameters
    ----------
    url
        Folder or URL of the store.
    name
        Of the part: the track's in a run, such as ``ascending_026``.
    storage_options
        Options of the object store.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    DataError
        If it holds something else.
    KeyError
        If it has no such part.
    """
    location = locate(url, storage_options)
    kind = kind_of(location)
    if kind is None:
        raise FileNotFoundError(f"There is no store at {location}; make one with 'slidecloud forecast forecast.yaml'.")
    if kind not in (KIND, "run"):
        raise DataError(f"{location} holds a {kind}; expected a run or a store of forecasts. Check the path.")
    return dataset(location, name)


def _check(location: Location, name: str) -> None:
    known = names(location)
    if name not in known:
        raise KeyError(
            f"{location} has no forecasts of {name!r}; it has those of {', '.join(known) or 'nothing'}. Make them with "
            "'slidecloud forecast'."
        )
