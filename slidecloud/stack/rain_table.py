"""Tables of rain as stations give them: with a header, or lines of numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.stack.names import printable
from slidecloud.stack.quantities import RAIN, Quantity
from slidecloud.types import DataError, Float64

TIMES: Final = ("time", "date", "datetime", "timestamp", "day", "date_time", "valid_time")
_NOTHING: Final = frozenset({"", "na", "nan", "null", "none", "-", "m"})
ZONE: Final = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")

Table = tuple[NDArray[np.datetime64], Float64, bool]
"""Times, values, and whether the times say their zone (they are UTC then)."""


def read_table(path: str, *, quantity: Quantity = RAIN) -> Table:
    """Readings of a table, in its units and order; what is written for "no value" is NaN.

    Raises
    ------
    DataError
        If it cannot be read; names the line, what was found and what was expected.
    """
    if "://" in path:
        raise DataError(f"{printable(path)} is a table behind a URL; fetch it first, and give the file.")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{printable(path)} is not text; expected a table, or NetCDF (.nc) or Zarr (.zarr).") from None
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    if not rows:
        raise DataError(f"{printable(path)} is empty; expected a line a reading.")
    if re.fullmatch(r"[\d.\seE+-]+", rows[0][1]):
        return (*_plain(rows, printable(path), quantity), False)
    return _with_header(rows, printable(path), quantity)


def _plain(rows: Sequence[tuple[int, str]], source: str, quantity: Quantity) -> tuple[NDArray[np.datetime64], Float64]:
    """Lines of numbers: year, month, day, perhaps hour, minute and second, and rain."""
    times, values = [], []
    for number, line in rows:
        words = line.split()
        if not 4 <= len(words) <= 7:
            raise DataError(
                f"{source}, line {number}: found {len(words)} numbers, expected year, month, day, hour, minute, rain, "
                "or a header that names the columns"
            )
        year, month, day, *clock = words[:-1]
        hour, minute, second = (int(float(part)) for part in (*clock, "0", "0", "0")[:3])
        text = f"{int(year):04d}-{int(month):02d}-{int(day):02d}"
        # Midnight may be written as hour 24 of the day before.
        time = moment(text, source, number) + np.timedelta64(3600 * hour + 60 * minute + second, "s")
        times.append(time)
        values.append(value_of(words[-1], source, number, quantity))
    return np.array(times, "datetime64[s]"), np.array(values)


def _with_header(rows: Sequence[tuple[int, str]], source: str, quantity: Quantity) -> Table:
    head = rows[0][1]
    delimiter = max(",;\t", key=head.count)
    names = [name.strip().strip('"').lower() for name in head.split(delimiter)]
    when = column(names, TIMES, source, "time")
    what = 1 - when if len(names) == 2 else column(names, quantity.columns, source, quantity.name)
    times, values, zones = [], [], set()
    read = csv.reader((line for _, line in rows[1:]), delimiter=delimiter)
    for (number, _), words in zip(rows[1:], read, strict=True):
        if len(words) != len(names):
            raise DataError(
                f"{source}, line {number}: found {len(words)} columns, expected {len(names)} as in the header"
            )
        text = words[when].strip()
        zones.add(len(text) > 10 and bool(ZONE.search(text)))
        times.append(moment(text, source, number))
        values.append(value_of(words[what], source, number, quantity))
    if len(zones) > 1:
        raise DataError(
            f"{source} has times with a zone and times without; expected all alike, such as 2024-05-01T06:00Z."
        )
    return np.array(times, "datetime64[s]"), np.array(values), zones == {True}


def column(names: Sequence[str], known: Sequence[str], source: str, what: str) -> int:
    """Index of the one column of a known name."""
    found = [index for index, name in enumerate(names) if name in known or name.split(" ")[0] in known]
    if len(found) != 1:
        raise DataError(
            f"{source} has the columns {', '.join(names)}, {len(found)} of them for {what}; expected one named "
            f"{', '.join(known[:4])} or the like"
        )
    return found[0]


def moment(text: str, source: str, number: int) -> np.datetime64:
    """A time as written, in UTC where it says its zone."""
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise DataError(
            f"{source}, line {number}: found the time {text!r}, expected one such as 2024-05-01 or 2024-05-01T06:00"
        ) from None
    utc = found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(utc, "s")


def value_of(text: str, source: str, number: int, quantity: Quantity) -> float:
    """A value as written, NaN where it says that there is none."""
    word = text.strip().lower()
    if word in _NOTHING:
        return np.nan
    try:
        value = float(word)
    except ValueError:
        raise DataError(
            f"{source}, line {number}: found {text!r}, expected a number, or nothing where unknown"
        ) from None
    if value <= quantity.flag or not np.isfinite(value):
        return np.nan
    if value < 0 <= quantity.lowest:
        raise DataError(
            f"{source}, line {number}: found {value:g}, expected rain of at least 0, or -9999 where unknown"
        )
    return value
