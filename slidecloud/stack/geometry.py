"""Look vectors: from heading and incidence, and checks of those that come as maps."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from slidecloud.types import DataError, Float32, Pass

_UNIT_TOLERANCE = 0.02
_MAX_BROKEN = 0.02


def flight_pass(heading: float) -> Pass:
    """Ascending where the heading (degrees clockwise from north) points north, else descending."""
    return "ascending" if math.cos(math.radians(heading)) > 0 else "descending"


def look_vector(
    heading: float, incidence: float, *, look_direction: Literal["right", "left"] = "right"
) -> tuple[float, float, float]:
    """Unit vector (east, north, up) from ground to satellite.

    A right-looking radar stands a quarter turn counter-clockwise from its heading as seen from the ground, so
    ``east = -sin(incidence) cos(heading)``, ``north = sin(incidence) sin(heading)``, ``up = cos(incidence)``
    (Fialko et al. 2001, with the sign turned to point to the satellite).

    Parameters
    ----------
    heading
        Degrees clockwise from north.
    incidence
        Radians from the vertical.
    look_direction
        Side to which the radar looks.
    """
    turn = math.radians(heading)
    across = math.sin(incidence) * (1 if look_direction == "right" else -1)
    return -across * math.cos(turn), across * math.sin(turn), math.cos(incidence)


def heading_of(east: Float32, north: Float32) -> float:
    """Heading, degrees clockwise from north in (-180, 180], of a right-looking radar from its look vectors (y, x)."""
    return math.degrees(math.atan2(float(np.nanmean(north, dtype=float)), -float(np.nanmean(east, dtype=float))))


def checked_look_vectors(
    east: Float32,
    north: Float32,
    up: Float32,
    *,
    pass_: Pass,
    name: str,
    look_direction: Literal["right", "left"] = "right",
) -> dict[str, Float32]:
    """``los_east``, ``los_north``, ``los_up`` and ``incidence`` (rad) from maps (y, x).

    Pixels whose vector is not of unit length (edges of resampled maps) become NaN.

    Raises
    ------
    DataError
        If there is no data, if more than one pixel in fifty is not of unit length, if the vectors point down, or if
        they point to the wrong side for the pass (east of a right-looking radar is negative for ascending, positive for
        descending).
    """
    known = np.isfinite(east) & np.isfinite(north) & np.isfinite(up)
    if not known.any():
        raise DataError(f"{name} holds no look vector, expected three maps with data: fetch the files again")
    length = np.sqrt(np.square(east, dtype=float) + np.square(north, dtype=float) + np.square(up, dtype=float))
    unit = known & (np.abs(length - 1) <= _UNIT_TOLERANCE)
    if (known.sum() - unit.sum()) > _MAX_BROKEN * known.sum():
        found = float(np.median(length[known]))
        raise DataError(f"{name} holds vectors of median length {found:.3f}, expected 1: fetch the files again")
    if float(np.median(up[unit])) <= 0:
        raise DataError(f"{name} points down, expected ground to satellite (up positive): negate the three maps")
    middle = float(np.median(east[unit]))
    west = (pass_ == "ascending") == (look_direction == "right")
    if (middle < 0) != west:
        raise DataError(
            f"{name} points {'west' if middle < 0 else 'east'} (median {middle:.3f}), expected "
            f"{'west' if west else 'east'} for a {look_direction}-looking {pass_} pass: "
            "check the sign of the maps and the pass"
        )
    east, north, up = (np.where(unit, part, np.nan).astype(np.float32) for part in (east, north, up))
    incidence = np.arccos(np.clip(up.astype(float), -1, 1)).astype(np.float32)
    return {"los_east": east, "los_north": north, "los_up": up, "incidence": incidence}


def checked_elevation(metres: Float32, name: str) -> Float32:
    """Elevations (y, x), m, NaN = no data, float32.

    Raises
    ------
    DataError
        If one is below -500 or above 9000 m: a wrong unit, or a no-data value that is not marked.
    """
    known = metres[~np.isnan(metres)]
    if known.size and not (float(known.min()) > -500 and float(known.max()) < 9000):
        raise DataError(
            f"{name} holds elevations from {known.min():g} to {known.max():g} m, "
            "expected -500 to 9000: check its unit and no-data value"
        )
    return np.asarray(metres, dtype=np.float32)
