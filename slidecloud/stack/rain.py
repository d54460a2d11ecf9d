"""Daily rain from the table of a station or from a grid."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from slidecloud.stack import warped
from slidecloud.stack.daily_rain import DailyRain, Missing, daily
from slidecloud.stack.names import printable
from slidecloud.stack.quantities import RAIN
from slidecloud.stack.rain_grid import Gridded
from slidecloud.stack.rain_table import read_table
from slidecloud.types import DataError

_GRIDS: Final = (".nc", ".nc4", ".zarr")


class Rain(Protocol):
    """Rain anywhere."""

    def at(self, longitude: float, latitude: float) -> DailyRain:
        """Of the station, or of the nearest cell of a grid."""
        ...


@dataclass(frozen=True)
class Station:
    """One station, which stands for every place."""

    rain: DailyRain

    def at(self, longitude: float, latitude: float) -> DailyRain:  # noqa: ARG002 - the same everywhere
        """Its rain."""
        return self.rain


def open_rain(path: str, *, units: str = "mm", utc_offset: float = 0.0, missing: Missing = "refuse") -> Rain:
    """Rain from a file.

    A table has a line a reading: with a header, a column of times (``date``, ``time``, ...) and one of rain
    (``rain``, ``precipitation``, ...), separated by commas, semicolons or tabs; or without one, numbers: year, month,
    day, hour, minute, rain. A grid is NetCDF or Zarr with time, latitude and longitude. Readings within a day are added
    up to UTC days; a day with fewer than 95 % of its readings counts as missing, and one at the beginning or the end is
    left off. Readings of whole days keep the date they were given.

    Parameters
    ----------
    path
        The file, or folder or URL of a Zarr store.
    units
        Of a value: mm, cm, m or in. A grid that says its own units is taken at its word.
    utc_offset
        Hours by which the clock of the times is ahead of UTC, where they do not say.
    missing
        Days between the first and the last without a value: an error, NaN, or 0 mm.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it cannot be read as rain; names the line, what was found and what to do.
    """
    fingerprint(path)
    if path.rstrip("/").endswith(_GRIDS):
        return Gridded(path, units=units, utc_offset=utc_offset, missing=missing)
    times, values, aware = read_table(path)
    if aware and utc_offset:
        raise DataError(
            f"The times of {printable(path)} say their zone, and rain_utc_offset is {utc_offset}. Leave one of them "
            "out."
        )
    day, fallen = daily(
        times, values * RAIN.scale[units], source=printable(path), utc_offset=utc_offset, missing=missing
    )
    return Station(DailyRain(day, fallen, Path(path).stem))


def fingerprint(path: str) -> str:
    """Changes when the rain does (names, sizes, modification times); of a URL its name alone.

    Raises
    ------
    FileNotFoundError
        If there is nothing there.
    """
    folder = Path(path)
    if "://" in path or not folder.is_dir():
        try:
            return warped.fingerprint(path)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"There is no rain {printable(path)}; check the path of --rain or of classify.rain."
            ) from None
    parts = [(str(file.relative_to(folder)), file.stat()) for file in sorted(folder.rglob("*")) if file.is_file()]
    text = "\n".join(f"{name} {found.st_size} {found.st_mtime_ns}" for name, found in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
