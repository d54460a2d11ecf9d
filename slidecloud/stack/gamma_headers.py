"""Text headers of the GAMMA software: image parameters (``.par``), baselines (``_base.par``, ``_bperp.par``)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slidecloud.stack.files import read_text
from slidecloud.stack.names import SourcePath, printable
from slidecloud.types import DataError, Float64

SPEED_OF_LIGHT = 299792458.0
_TABLE_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One radar image as its ISP header describes it.

    Attributes
    ----------
    path
        The header.
    time
        Centre of the image, UTC, datetime64[s].
    sentinel1
        True if the sensor is Sentinel-1.
    wavelength
        Metres; NaN where the header has no radar frequency.
    heading
        Degrees clockwise from north.
    incidence
        Radians from the vertical, at the scene centre.
    look_angle
        Radians from the nadir at the satellite to the scene centre; NaN where the header lacks the Earth radii.
    effective_looks
        Looks times the share of bandwidth in sampling rate, in range and azimuth: oversampled pixels are correlated.
    slant_range
        Metres to the scene centre; NaN where missing.
    """

    path: SourcePath
    time: np.datetime64
    sentinel1: bool
    wavelength: float
    heading: float
    incidence: float
    look_angle: float
    look_direction: Literal["right", "left"]
    range_looks: int
    azimuth_looks: int
    effective_looks: float
    slant_range: float


def read_fields(path: SourcePath) -> dict[str, str]:
    """``key: value`` lines of a GAMMA header.

    Raises
    ------
    DataError
        If the file cannot be read or has no such line.
    """
    parts = (line.partition(":") for line in read_text(path).splitlines())
    fields = {key.strip(): value.strip() for key, colon, value in parts if colon and value.strip()}
    if not fields:
        raise DataError(f"{printable(path)} has no 'key: value' line, expected a GAMMA header: copy it again")
    return fields


def read_acquisition(path: SourcePath) -> Acquisition:
    """Read an ISP image header (``.mli.par``, ``.slc.par``).

    Raises
    ------
    DataError
        If a needed value is missing or absurd; names file, key and remedy.
    """
    fields = read_fields(path)
    incidence = _number(fields, "incidence_angle", path, low=5, high=80, unit="degrees")
    looks = [int(_number(fields, f"{axis}_looks", path, low=1, high=1000)) for axis in ("range", "azimuth")]
    bandwidths = (("chirp_bandwidth", "adc_sampling_rate"), ("azimuth_proc_bandwidth", "prf"))
    shares = [_ratio(fields, band, rate, path) for band, rate in bandwidths]
    share = math.prod(min(1.0, value) for value in shares if value > 0)
    frequency = _optional(fields, "radar_frequency", path)
    if frequency == frequency and not 2e8 < frequency < 4e10:
        raise DataError(
            f"{printable(path)}: radar_frequency is {frequency:g} Hz, expected 0.2 to 40 GHz: correct the header"
        )
    radii = _ratio(fields, "earth_radius_below_sensor", "sar_to_earth_center", path)
    sine = math.sin(math.radians(incidence)) * radii
    return Acquisition(
        path=path,
        time=_time(fields, path),
        sentinel1=fields.get("sensor", "").upper().startswith("S1"),
        wavelength=SPEED_OF_LIGHT / frequency,
        heading=_number(fields, "heading", path, low=-360, high=360, unit="degrees"),
        incidence=math.radians(incidence),
        look_angle=math.asin(sine) if 0 < sine < 1 else math.nan,
        look_direction="left" if _optional(fields, "azimuth_angle", path) < 0 else "right",
        range_looks=looks[0],
        azimuth_looks=looks[1],
        effective_looks=looks[0] * looks[1] * share,
        slant_range=_optional(fields, "center_range_slc", path),
    )


def read_perpendicular_table(path: SourcePath) -> float:
    """Perpendicular baseline, metres, at the scene centre from a ``base_perp`` table.

    The table is interpolated linearly along range, then along azimuth, to the middle of what it covers. It begins
    after a line of asterisks alone and ends at the first empty line.

    Raises
    ------
    DataError
        If the file holds no table, or a broken line in it.
    """
    lines = read_text(path).splitlines()
    begin = next((i for i, line in enumerate(lines) if line and set(line.strip()) == {"*"}), len(lines)) + 1
    rows: list[list[float]] = []
    for number, line in enumerate(lines[begin:], start=begin + 1):
        if not line.strip():
            break
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            row = []
        if len(row) != _TABLE_COLUMNS or not all(map(math.isfinite, row)):
            raise DataError(
                f"{printable(path)}, line {number}: found {printable(line[:60])!r}, expected {_TABLE_COLUMNS} numbers: "
                "make the table again (base_perp)"
            )
        rows.append(row)
    if not rows:
        raise DataError(
            f"{printable(path)} has no table of baselines, expected nine columns: make it again (base_perp)"
        )
    return _centre(np.array(rows))


def _centre(table: Float64) -> float:
    lines = np.unique(table[:, 0])
    middle = (table[:, 1].min() + table[:, 1].max()) / 2
    along = [np.interp(middle, table[table[:, 0] == line, 1], table[table[:, 0] == line, 7]) for line in lines]
    return float(np.interp((lines[0] + lines[-1]) / 2, lines, along))


def read_perpendicular_baseline(path: SourcePath, look_angle: float) -> float:
    """Perpendicular baseline, metres, at the scene centre from a ``_base.par`` file.

    With the baseline in track, cross-track and normal components (T, C, N) and the look angle theta,
    ``B_perp = C cos(theta) - N sin(theta)``, as in the tables of the same software. The precision baseline is used
    unless it is all zero (not estimated); else the initial one from the orbits.

    Raises
    ------
    DataError
        If the file has neither, or the look angle is unknown (NaN).
    """
    fields = read_fields(path)
    if math.isnan(look_angle):
        raise DataError(
            f"{printable(path)}: the look angle is unknown, expected earth_radius_below_sensor and "
            "sar_to_earth_center in the image header: add them or supply the _bperp.par table"
        )
    for name in ("precision_baseline(TCN)", "initial_baseline(TCN)"):
        try:
            components = [float(word) for word in fields.get(name, "0 0 0").split()[:3]]
        except ValueError as error:
            raise DataError(
                f"{printable(path)}: {name} is {fields[name]!r}, expected three numbers: make the file again"
            ) from error
        if len(components) == 3 and any(components):
            return components[1] * math.cos(look_angle) - components[2] * math.sin(look_angle)
    raise DataError(f"{printable(path)} has no baseline, expected precision_baseline(TCN): make the file again")


def _time(fields: dict[str, str], path: SourcePath) -> np.datetime64:
    words = fields.get("date", "").split()
    seconds = _number(fields, "center_time", path, low=0, high=2 * 86400, unit="seconds of the day")
    try:
        day = np.datetime64(f"{int(words[0]):04d}-{int(words[1]):02d}-{int(words[2]):02d}", "D")
    except (ValueError, IndexError) as error:
        raise DataError(
            f"{printable(path)}: date is {fields.get('date')!r}, expected 'YYYY MM DD': correct the header"
        ) from error
    time: np.datetime64 = day.astype("datetime64[s]") + np.timedelta64(round(seconds), "s")
    return time


def _number(fields: dict[str, str], key: str, path: SourcePath, *, low: float, high: float, unit: str = "") -> float:
    """A needed number, checked against absurd values."""
    value = _optional(fields, key, path)
    if not low <= value <= high:
        found = fields.get(key, "missing")
        raise DataError(
            f"{printable(path)}: {key} is {found}, expected {low:g} to {high:g} {unit}".rstrip()
            + ": correct the header"
        )
    return value


def _optional(fields: dict[str, str], key: str, path: SourcePath) -> float:
    """A number, NaN if its key is missing."""
    words = fields.get(key, "nan").split()
    try:
        return float(words[0])
    except ValueError as error:
        raise DataError(
            f"{printable(path)}: {key} is {printable(fields[key][:40])!r}, expected a number: correct the header"
        ) from error


def _ratio(fields: dict[str, str], above: str, below: str, path: SourcePath) -> float:
    """Quotient of two optional numbers, NaN if one is missing or the divisor is zero."""
    divisor = _optional(fields, below, path)
    return _optional(fields, above, path) / divisor if divisor else math.nan
