"""Text files of a LiCSAR frame: ``metadata.txt`` and ``baselines`` in its two forms."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slidecloud.stack.files import read_text
from slidecloud.stack.names import SourcePath, parse_day, printable
from slidecloud.stack.source import SourceWarning
from slidecloud.types import SENTINEL1_WAVELENGTH, DataError

SPEED_OF_LIGHT = 299792458.0
_MAX_BASELINE = 5000.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """What ``metadata.txt`` tells.

    Attributes
    ----------
    day_time
        Time of day of the acquisitions, UTC, timedelta64[s].
    wavelength
        Metres; that of Sentinel-1 unless ``radar_freq`` is given.
    heading
        Degrees clockwise from north; NaN if missing.
    slant_range
        Metres to the scene centre; NaN if missing.
    """

    day_time: np.timedelta64
    wavelength: float
    heading: float
    slant_range: float


def read_metadata(path: SourcePath) -> Metadata:
    """Read ``metadata.txt``: lines ``key=value`` (or ``key: value``).

    Raises
    ------
    DataError
        If it cannot be read, has no time of day, or an absurd value.
    """
    pairs = (re.match(r"\s*(\w+)\s*[=:]\s*(\S.*?)\s*$", line) for line in read_text(path).splitlines())
    fields = {match[1]: match[2] for match in pairs if match}
    frequency = _number(fields, "radar_freq", path)
    if frequency == frequency and not 2e8 < frequency < 4e10:
        raise DataError(f"{printable(path)}: radar_freq is {frequency:g} Hz, expected 0.2 to 40 GHz: correct the line")
    heading = _number(fields, "heading", path)
    if abs(heading) > 360:
        raise DataError(f"{printable(path)}: heading is {heading:g} degrees, expected -360 to 360: correct the line")
    return Metadata(
        day_time=_day_time(fields, path),
        wavelength=SENTINEL1_WAVELENGTH if math.isnan(frequency) else SPEED_OF_LIGHT / frequency,
        heading=heading,
        slant_range=_number(fields, "centre_range_m", path),
    )


@dataclass(frozen=True, slots=True)
class Baselines:
    """Perpendicular positions of dates, metres, each relative to the first date of its linked group."""

    position: Mapping[np.datetime64, float]
    group: Mapping[np.datetime64, int]

    def between(self, reference: np.datetime64, secondary: np.datetime64) -> float:
        """Perpendicular baseline of a pair, metres; NaN where the file does not link its dates."""
        if self.group.get(reference, -1) != self.group.get(secondary, -2):
            return math.nan
        return self.position[secondary] - self.position[reference]


def read_baselines(path: SourcePath) -> Baselines:
    """Read a ``baselines`` file.

    Both forms are known: ``primary secondary Bperp days``, and the old ``number date1 date2 Bperp days`` followed by
    the days and the perpendicular baselines of both dates relative to the frame's primary (nine columns).

    Raises
    ------
    DataError
        If the file cannot be read.

    Warns
    -----
    SourceWarning
        If lines cannot be used; dates named nowhere else then have no baseline.
    """
    links: list[tuple[np.datetime64, np.datetime64, float]] = []
    broken: list[str] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            links.append(_link(line.split()))
        except ValueError:
            broken.append(f"line {number} {printable(line[:40])!r}")
    if broken or not links:
        found = f"{len(broken)} unusable lines ({'; '.join(broken[:3])})" if broken else "no line"
        warnings.warn(
            f"{printable(path)} has {found}, expected 'primary secondary Bperp days' or nine columns: "
            "they are not used, repair or fetch the file again",
            SourceWarning,
            stacklevel=3,
        )
    return _positions(links)


def _link(words: list[str]) -> tuple[np.datetime64, np.datetime64, float]:
    """Two dates and the perpendicular baseline between them."""
    if len(words) == 4:
        first, second, baseline = words[0], words[1], float(words[2])
    elif len(words) == 9:
        first, second, baseline = words[1], words[2], float(words[3])
    else:
        raise ValueError("columns")
    if not re.fullmatch(r"\d{8}", first) or not re.fullmatch(r"\d{8}", second) or not abs(baseline) < _MAX_BASELINE:
        raise ValueError("dates or baseline")
    return parse_day(first), parse_day(second), baseline


def _positions(links: list[tuple[np.datetime64, np.datetime64, float]]) -> Baselines:
    """Walk the links from date to date, so that any two linked dates have a baseline."""
    neighbours: dict[np.datetime64, list[tuple[np.datetime64, float]]] = {}
    for first, second, baseline in links:
        neighbours.setdefault(first, []).append((second, baseline))
        neighbours.setdefault(second, []).append((first, -baseline))
    position: dict[np.datetime64, float] = {}
    group: dict[np.datetime64, int] = {}
    for number, start in enumerate(neighbours):
        if start in position:
            continue
        position[start], group[start] = 0.0, number
        todo = [start]
        while todo:
            here = todo.pop()
            for there, step in neighbours[here]:
                if there not in position:
                    position[there], group[there] = position[here] + step, number
                    todo.append(there)
    return Baselines(position, group)


def _day_time(fields: Mapping[str, str], path: SourcePath) -> np.timedelta64:
    match = re.fullmatch(r"(\d{1,2}):(\d{2}):(\d{2}(?:\.\d*)?)", fields.get("center_time", ""))
    if not match or int(match[1]) > 23 or int(match[2]) > 59 or float(match[3]) >= 60:
        raise DataError(
            f"{printable(path)}: center_time is {fields.get('center_time', 'missing')!r}, expected HH:MM:SS: "
            "fetch the file again or correct the line"
        )
    return np.timedelta64(int(match[1]) * 3600 + int(match[2]) * 60 + round(float(match[3])), "s")


def _number(fields: Mapping[str, str], key: str, path: SourcePath) -> float:
    try:
        return float(fields.get(key, "nan"))
    except ValueError as error:
        raise DataError(f"{printable(path)}: {key} is {fields[key]!r}, expected a number: correct the line") from error
