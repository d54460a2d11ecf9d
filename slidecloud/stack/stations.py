"""Tables of rain or water level of one station, or of several with their places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.stack.names import printable
from slidecloud.stack.quantities import Quantity
from slidecloud.stack.rain_table import TIMES, ZONE, column, moment, read_table, value_of
from slidecloud.types import DataError, Float64

if TYPE_CHECKING:
    from pandas import DataFrame

_STATION: Final = ("station", "station_id", "station_name", "gauge", "site", "id", "name")
_PLACE: Final = {"longitude": ("longitude", "lon", "x"), "latitude": ("latitude", "lat", "y")}


class Readings(NamedTuple):
    """What a station has measured.

    ``name``; ``longitude`` and ``latitude`` in degrees, NaN where the table does not say; ``times`` datetime64[s] (n,)
    in the table's order; ``values`` (n,) in the table's units, NaN = none; ``aware``: whether times say their zone.
    """

    name: str
    longitude: float
    latitude: float
    times: NDArray[np.datetime64]
    values: Float64
    aware: bool


def read_stations(path: str, *, quantity: Quantity) -> list[Readings]:
    """Readings by station, in the order of their names.

    Parameters
    ----------
    path
        A table of text or Parquet. Beside columns of time and value it may have those of station, longitude and
        latitude, which are those of the station in every line; without, it is of one station.
    quantity
        Rain or a level.

    Raises
    ------
    DataError
        If it cannot be read, or a station has two places; names the line, what was found and what was expected.
    """
    if path.endswith((".parquet", ".pq")):
        frame = _parquet(path)
    else:
        readings = _alone(path, quantity)
        if readings is not None:
            return [readings]
        frame = _text(path)
    frame.columns = [str(name).strip().strip('"').lower() for name in frame.columns]
    names = list(frame.columns)
    station = next((name for name in _STATION if name in names), None)
    if station is None and any(_named(names, what) for what in _PLACE):
        place = [frame[name] for what in _PLACE if (name := _named(names, what))]
        frame["station"], station = place[0].str.cat(place[1:], sep=" "), "station"
    groups = [(Path(path).stem, frame)] if station is None else list(frame.groupby(station, sort=True))
    return [_readings(str(name), part, printable(path), quantity) for name, part in groups]


def _alone(path: str, quantity: Quantity) -> Readings | None:
    """The readings of a text that names neither stations nor places; None of one that does."""
    header = "" if "://" in path else _first_line(path)
    names = [word.strip().strip('"').lower() for word in header.replace(";", ",").replace("\t", ",").split(",")]
    if any(name in names for name in _STATION) or any(_named(names, what) for what in _PLACE):
        return None
    times, values, aware = read_table(path, quantity=quantity)
    return Readings(Path(path).stem, np.nan, np.nan, times, values, aware)


def _first_line(path: str) -> str:
    with Path(path).open(encoding="utf-8-sig", errors="replace") as file:
        return next((line for line in file if line.strip() and not line.startswith("#")), "")


def _text(path: str) -> DataFrame:
    import pandas

    header = _first_line(path)
    try:
        return pandas.read_csv(
            path, sep=max(",;\t", key=header.count), dtype=str, keep_default_na=False, comment="#", encoding="utf-8-sig"
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{printable(path)} cannot be read as a table ({error}); expected a line a reading.") from None


def _parquet(path: str) -> DataFrame:
    import pandas

    try:
        return pandas.read_parquet(path).astype(str)
    except (ValueError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise DataError(f"{printable(path)} cannot be read as Parquet ({error}); write it again.") from None


def _readings(name: str, frame: DataFrame, source: str, quantity: Quantity) -> Readings:
    names = list(frame.columns)
    when, what = column(names, TIMES, source, "time"), column(names, quantity.columns, source, quantity.name)
    # A header is the first line, and lines are counted from 1.
    numbers = frame.index.to_numpy() + 2
    texts = [text.strip() for text in frame.iloc[:, when]]
    zones = {len(text) > 10 and bool(ZONE.search(text)) for text in texts}
    if len(zones) > 1:
        raise DataError(
            f"{source} has times with a zone and times without; expected all alike, such as 2024-05-01T06:00Z."
        )
    times = [moment(text, source, number) for text, number in zip(texts, numbers, strict=True)]
    values = [
        value_of(text, source, number, quantity) for text, number in zip(frame.iloc[:, what], numbers, strict=True)
    ]
    longitude, latitude = (_degrees(frame, _named(names, which), name, source) for which in _PLACE)
    return Readings(name, longitude, latitude, np.array(times, "datetime64[s]"), np.array(values), zones == {True})


def _degrees(frame: DataFrame, wanted: str | None, station: str, source: str) -> float:
    """The one place of a station; NaN without such a column."""
    if wanted is None:
        return np.nan
    found = frame[wanted].unique()
    try:
        (degrees,) = (float(text) for text in found)
    except ValueError:
        raise DataError(
            f"{source}: station {station} has the {wanted} {', '.join(found[:3])}; expected one number of degrees"
        ) from None
    return degrees


def _named(names: list[str], what: str) -> str | None:
    return next((name for name in _PLACE[what] if name in names), None)
