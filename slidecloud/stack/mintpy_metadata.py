"""Attributes of MintPy's files: grid, wavelength, heading, looks, time of day. Values are texts."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from slidecloud.stack.geometry import flight_pass
from slidecloud.stack.grids import spacing
from slidecloud.stack.source import SourceWarning, WavelengthWarning
from slidecloud.types import SENTINEL1_WAVELENGTH, DataError, Grid, Pass, StackHeader

_REMEDY = "correct it, or load the data into MintPy again"


class Attributes:
    """The attributes of one file; errors name the file and the attribute."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name = name
        self._values = {key.upper(): str(value).strip() for key, value in values.items()}

    def __contains__(self, key: str) -> bool:
        return self._values.get(key, "").lower() not in ("", "none", "no", "auto")

    def text(self, key: str, default: str = "") -> str:
        """An attribute, or a default where it is missing or empty."""
        return self._values[key] if key in self else default

    def number(self, key: str, default: float | None = None) -> float:
        """A number, or a default where the attribute is missing.

        Raises
        ------
        DataError
            If it is missing without default, or no finite number.
        """
        if key not in self and default is not None:
            return default
        try:
            value = float(self._values[key])
        except (KeyError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise self.error(key, "a number")
        return value

    def error(self, key: str, expected: str) -> DataError:
        """An error about an attribute."""
        found = f"is {self._values[key]!r}" if key in self._values else "is missing"
        return DataError(f"{self._name}: the attribute {key} {found}, expected {expected}: {_REMEDY}")


def stack_header(
    stack_id: str, found: Attributes, name: str, middle: Mapping[str, float], *, has_unwrapped: bool
) -> StackHeader:
    """Header of a stack from its attributes and the middle of its geometry (degrees, metres), where that is known.

    Raises
    ------
    DataError
        If an attribute is missing or contradicts another.
    """
    grid = grid_of(found)
    incidence = math.radians(middle.get("incidenceAngle", found.number("CENTER_INCIDENCE_ANGLE", math.nan)))
    heading, pass_, look = flight_of(found, middle.get("azimuthAngle", math.nan))
    azimuth_looks, range_looks, looks = looks_of(found)
    slant_range = middle.get("slantRangeDistance", math.nan)
    if math.isnan(slant_range) and grid is None and "STARTING_RANGE" in found:
        slant_range = found.number("STARTING_RANGE") + found.number("RANGE_PIXEL_SIZE") * shape_of(found)[1] / 2
    return StackHeader(
        id=stack_id,
        geometry="radar" if grid is None else "map",
        shape=shape_of(found),
        spacing=spacing_of(found, grid, incidence),
        wavelength=wavelength_of(found, name),
        range_looks=range_looks,
        azimuth_looks=azimuth_looks,
        effective_looks=looks,
        heading=heading,
        look_direction=look,
        pass_=pass_,
        slant_range=slant_range,
        source="MintPy",
        processor=found.text("PROCESSOR", "unknown"),
        filtered="filt" in Path(found.text("FILE_PATH")).name,
        has_unwrapped=has_unwrapped,
        grid=grid,
    )


def shape_of(found: Attributes) -> tuple[int, int]:
    """Rows and columns.

    Raises
    ------
    DataError
        If LENGTH or WIDTH is missing or below 1.
    """
    rows, columns = (found.number(key) for key in ("LENGTH", "WIDTH"))
    for key, value in (("LENGTH", rows), ("WIDTH", columns)):
        if value < 1 or value != int(value):
            raise found.error(key, "a whole number above 0")
    return int(rows), int(columns)


def grid_of(found: Attributes) -> Grid | None:
    """The map grid, None in radar geometry. X_FIRST and Y_FIRST are the outer corner of the first pixel.

    Raises
    ------
    DataError
        If the steps are not eastward and southward, or the coordinate system cannot be told.
    """
    if "X_FIRST" not in found and "Y_FIRST" not in found:
        return None
    left, top, dx, dy = (found.number(key) for key in ("X_FIRST", "Y_FIRST", "X_STEP", "Y_STEP"))
    if not dx > 0:
        raise found.error("X_STEP", "a positive step: columns go east")
    if not dy < 0:
        raise found.error("Y_STEP", "a negative step: rows go south")
    return Grid(_crs(found), left, top, dx, dy, *shape_of(found))


def _crs(found: Attributes) -> str:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    if "EPSG" in found:
        code = found.text("EPSG").upper().removeprefix("EPSG:").removesuffix(".0")
        try:
            return f"EPSG:{CRS.from_epsg(int(code)).to_epsg()}"
        except (CRSError, ValueError):
            raise found.error("EPSG", "a code such as 4326 or 32611") from None
    if "UTM_ZONE" in found:
        match = re.fullmatch(r"(\d{1,2})\s*([NS])", found.text("UTM_ZONE").upper())
        if match is None or not 1 <= int(match[1]) <= 60:
            raise found.error("UTM_ZONE", "a zone such as 11N")
        return f"EPSG:{(32600 if match[2] == 'N' else 32700) + int(match[1])}"
    if found.text("X_UNIT", "degrees").lower().startswith("deg"):
        return "EPSG:4326"
    raise found.error("EPSG", "the code of the coordinate system, as X_UNIT is not degrees")


def wavelength_of(found: Attributes, name: str) -> float:
    """Metres; where the file has none that of Sentinel-1, with a warning."""
    if "WAVELENGTH" not in found:
        text = f"{name} names no WAVELENGTH: {SENTINEL1_WAVELENGTH} m of Sentinel-1 is assumed"
        warnings.warn(text, WavelengthWarning, stacklevel=4)
        return SENTINEL1_WAVELENGTH
    value = found.number("WAVELENGTH")
    if not 0.005 < value < 1.5:
        raise found.error("WAVELENGTH", "metres from 0.005 to 1.5")
    return value


def flight_of(found: Attributes, azimuth: float) -> tuple[float, Pass, Literal["right", "left"]]:
    """Heading in degrees clockwise from north, pass, and side of look.

    ``azimuth`` is the mean direction to the satellite, degrees anticlockwise from north, NaN if not known: it stands in
    where HEADING is missing.

    Raises
    ------
    DataError
        If there is no heading, or it contradicts ORBIT_DIRECTION.
    """
    look: Literal["right", "left"] = "left" if found.number("ANTENNA_SIDE", -1.0) > 0 else "right"
    if "HEADING" in found or math.isnan(azimuth):
        heading = found.number("HEADING")
    else:
        heading = (90.0 if look == "right" else -90.0) - azimuth
    pass_ = flight_pass(heading)
    said = found.text("ORBIT_DIRECTION", pass_).lower()
    if said[:1] != pass_[:1]:
        raise found.error("ORBIT_DIRECTION", f"{pass_}, as the heading is {heading:.2f} degrees")
    return (heading + 180) % 360 - 180, pass_, look


def spacing_of(found: Attributes, grid: Grid | None, incidence: float) -> tuple[float, float]:
    """Metres on the ground along (y, x); ``incidence`` in rad at the middle.

    AZIMUTH_PIXEL_SIZE is measured on the orbit, RANGE_PIXEL_SIZE along the line of sight.
    """
    if grid is not None:
        return spacing(grid)
    down, right = found.number("AZIMUTH_PIXEL_SIZE"), found.number("RANGE_PIXEL_SIZE")
    for key, value in (("AZIMUTH_PIXEL_SIZE", down), ("RANGE_PIXEL_SIZE", right)):
        if not 0 < value < 1e5:
            raise found.error(key, "metres above 0")
    if not 0.05 < incidence < 1.5:
        raise found.error("CENTER_INCIDENCE_ANGLE", "degrees, or incidenceAngle in geometryRadar.h5")
    radius, height = found.number("EARTH_RADIUS", 6_371_000.0), found.number("HEIGHT", 0.0)
    return down * radius / (radius + height), right / math.sin(incidence)


def looks_of(found: Attributes) -> tuple[int, int, float]:
    """Azimuth looks, range looks, independent looks: NCORRLOOKS, or half of the product."""
    azimuth, across = (max(1, round(found.number(key, 1.0))) for key in ("ALOOKS", "RLOOKS"))
    return azimuth, across, max(1.0, found.number("NCORRLOOKS", azimuth * across / 2))


def day_time_of(found: Attributes, name: str) -> np.timedelta64:
    """Time of day at the middle of the scene; midnight, with a warning, where the file has none."""
    if "CENTER_LINE_UTC" not in found:
        text = f"{name} has no CENTER_LINE_UTC: acquisitions are taken to be at midnight. Add it, in seconds of the day"
        warnings.warn(text, SourceWarning, stacklevel=4)
    seconds = found.number("CENTER_LINE_UTC", 0.0)
    if not 0 <= seconds < 86400:
        raise found.error("CENTER_LINE_UTC", "seconds of the day, 0 to 86400")
    return np.timedelta64(int(seconds), "s")
