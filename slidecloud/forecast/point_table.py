"""Displacement of points from a table: a line a value, or a line a point with a column a date."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.forecast.series import Displacement
from slidecloud.stack.names import printable
from slidecloud.types import DataError, Float64

Units = Literal["mm", "cm", "m"]
_MILLIMETRES: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
_NAMES: Final = {
    "id": ("id", "pid", "point", "point_id", "code", "name"),
    "date": ("date", "time", "day", "datetime"),
    "displacement": ("displacement", "value", "los", "los_displacement", "displacement_mm", "mm"),
    "sigma": ("sigma", "std", "displacement_sigma", "error"),
    "longitude": ("longitude", "lon", "x"),
    "latitude": ("latitude", "lat", "y"),
}
_DATE: Final = re.compile(r"D?(\d{4})[-_]?(\d{2})[-_]?(\d{2})", re.IGNORECASE)


def read_points(path: str, *, units: Units = "mm") -> Displacement:
    """Points of a table, in the order of their ids, with all dates that any of them has.

    Parameters
    ----------
    path
        CSV or Parquet. Either the columns ``id``, ``date`` and ``displacement`` (positive towards the satellite), and
        ``sigma`` where it is known, a line a value in any order; or ``id`` and a column a date (``20240131``,
        ``D20240131`` or ``2024-01-31``), a line a point. In both ``longitude`` and ``latitude`` in degrees, and numbers
        that do not change at a point, which are its features; anything else is passed over.
    units
        Of displacement and sigma.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If columns are missing, a point has two values on a date, a date or a number cannot be read, or a place changes.
    """
    frame, source = _opened(path), printable(path)
    dated = {name: day for name in frame.columns if (day := _day(name)) is not None}
    given = {what: name for what in _NAMES if (name := _column(frame, what)) is not None}
    needed = ["id"] if dated else ["id", "date", "displacement"]
    missing = [what for what in needed if what not in given]
    if missing:
        raise DataError(
            f"{source} has the columns {', '.join(frame.columns[:12])}, and none for {' and '.join(missing)}; expected "
            "id, date and displacement, or id and a column a date such as 20240131."
        )
    if not len(frame):
        raise DataError(f"{source} has no lines beside its header; expected displacement of points.")
    ids = frame[given["id"]].astype(str)
    names, row = np.unique(ids.to_numpy(str), return_inverse=True)
    if dated:
        dates, values = _wide(frame, dated, row, source)
        sigma = None
    else:
        dates, values, sigma = _long(frame, given, names, row, source)
    scale, used = _MILLIMETRES[units], {*given.values(), *dated}
    x, y = (_place(frame, given.get(what), names, row, source) for what in ("longitude", "latitude"))
    others = [name for name in frame.columns if name not in used]
    features = {name: found for name in others if (found := _feature(frame[name], row)) is not None}
    return Displacement(
        dates,
        values * scale,
        None if sigma is None else sigma * scale,
        names,
        x,
        y,
        np.stack(list(features.values()), axis=1) if features else np.zeros((len(names), 0)),
        tuple(features),
    )


def _opened(path: str) -> pd.DataFrame:
    try:
        if path.endswith((".parquet", ".pq")):
            frame = pd.read_parquet(path)
        else:
            with Path(path).open(encoding="utf-8-sig") as file:
                header = file.readline()
            separator = max(",;\t", key=header.count)
            words = [name for name in header.strip().split(separator) if name.strip().lower() in _NAMES["id"]]
            frame = pd.read_csv(path, sep=separator, dtype=dict.fromkeys(words, str), encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no table of points {printable(path)}; check the path.") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{printable(path)} cannot be read as CSV or Parquet ({error}); write it again.") from None
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame


def _column(frame: pd.DataFrame, what: str) -> str | None:
    lower = {name.lower(): name for name in reversed(frame.columns)}
    return next((lower[name] for name in _NAMES[what] if name in lower), None)


def _day(name: str) -> np.datetime64 | None:
    found = _DATE.fullmatch(name)
    try:
        return np.datetime64("-".join(found.groups()), "D") if found else None
    except ValueError:
        return None


def _wide(
    frame: pd.DataFrame, dated: dict[str, np.datetime64], row: NDArray[np.intp], source: str
) -> tuple[NDArray[np.datetime64], Float64]:
    columns = sorted(dated, key=lambda name: dated[name])
    dates = np.array([dated[name] for name in columns], "datetime64[D]")
    again = np.flatnonzero(np.bincount(row) > 1)
    if len(again) or len(np.unique(dates)) < len(dates):
        raise DataError(f"{source} has a point or a date more than once; expected a line a point and a column a date.")
    values = np.full((len(frame), len(dates)), np.nan)
    values[row] = np.stack([_numbers(frame[name], source) for name in columns], axis=1)
    return dates, values


def _long(
    frame: pd.DataFrame, given: dict[str, str], names: NDArray[np.str_], row: NDArray[np.intp], source: str
) -> tuple[NDArray[np.datetime64], Float64, Float64 | None]:
    try:
        days = pd.to_datetime(frame[given["date"]].astype(str), format="ISO8601", utc=True)
    except ValueError as error:
        raise DataError(f"{source}: {str(error).partition(', at')[0]}; expected dates such as 2024-01-31.") from None
    dates, column = np.unique(days.dt.tz_localize(None).to_numpy().astype("datetime64[D]"), return_inverse=True)
    values = _laid(frame, given["displacement"], names, row, dates, column, source)
    sigma = _laid(frame, given["sigma"], names, row, dates, column, source) if "sigma" in given else None
    return dates, values, sigma


def _laid(
    frame: pd.DataFrame,
    name: str,
    names: NDArray[np.str_],
    row: NDArray[np.intp],
    dates: NDArray[np.datetime64],
    column: NDArray[np.intp],
    source: str,
) -> Float64:
    """Values of lines as (points, date); a line that says nothing takes nothing away."""
    numbers = _numbers(frame[name], source)
    known = np.isfinite(numbers)
    laid = np.full((len(names), len(dates)), np.nan)
    laid[row[known], column[known]] = numbers[known]
    wrong = np.flatnonzero(known & (laid[row, column] != numbers))
    if len(wrong):
        one = wrong[0]
        raise DataError(
            f"{source}: point {names[row[one]]} has two values of {name} on {dates[column[one]]}, {numbers[one]:g} and "
            f"{laid[row[one], column[one]]:g}; expected one. Take out the wrong one."
        )
    return laid


def _numbers(column: Any, source: str) -> Float64:
    try:
        return np.asarray(pd.to_numeric(column), np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{source}, column {column.name}: {error}; expected numbers, or nothing where missing."
        ) from None


def _place(
    frame: pd.DataFrame, name: str | None, names: NDArray[np.str_], row: NDArray[np.intp], source: str
) -> Float64 | None:
    """A coordinate of each point; None without such a column."""
    if name is None:
        return None
    found = _constant(_numbers(frame[name], source), row)
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        raise DataError(f"{source}: point {names[wrong[0]]} has no one {name}; expected the same number in its lines.")
    return found


def _feature(column: Any, row: NDArray[np.intp]) -> Float64 | None:
    """Numbers that are the same in all lines of a point, NaN where unknown; None of other columns."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return None
    numbers = np.asarray(column, np.float64)
    found = _constant(numbers, row)
    known = np.isfinite(numbers)
    return None if np.isnan(found[row[known]]).any() or not known.any() else found


def _constant(numbers: Float64, row: NDArray[np.intp]) -> Float64:
    """The one value of each point; NaN where it has none, or several."""
    found = np.full(int(row.max()) + 1, np.nan)
    known = np.flatnonzero(np.isfinite(numbers))
    found[row[known]] = numbers[known]
    found[row[known][found[row[known]] != numbers[known]]] = np.nan
    return found
