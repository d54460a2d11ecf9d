"""What a radar sees of slopes: the R-index, its classes, and how much of a downslope motion it measures."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.terrain import LookDirection, look_azimuth, los_vector
from slidecloud.types import Float32, Float64

UNKNOWN: Final = 0
GOOD: Final = 1
FORESHORTENED: Final = 2
LAYOVER: Final = 3
SHADOW: Final = 4
CLASSES: Final = {GOOD: "good", FORESHORTENED: "foreshortened", LAYOVER: "layover", SHADOW: "shadow"}
"""Names of the classes by their code; 0 is no data."""


class Visibility(NamedTuple):
    """``r_index``: float32 (y, x), NaN where slope, aspect or incidence is. ``kind``: uint8 (y, x), the codes of
    `CLASSES`, 0 where the index is NaN."""

    r_index: Float32
    kind: NDArray[np.uint8]


def visibility(
    slope: ArrayLike,
    aspect: ArrayLike,
    incidence: ArrayLike,
    *,
    heading: float,
    look_direction: LookDirection = "right",
    published: bool = False,
) -> Visibility:
    """R-index of every pixel, the sine of the angle between the line of sight and the ground in the plane of range.

    ``R = sin(theta - b)``, theta the incidence and b the slope towards the radar in the vertical plane of its view,
    ``tan b = tan(slope) sin A``, ``A = aspect - heading + 180 deg`` looking right: a slope that faces away along the
    look direction has sin A = -1. R is the share of the slant range's spacing that a metre of ground along range takes.
    Good is ``R > sin theta``; foreshortened ``0 < R <= sin theta``, flat ground among it; layover ``R <= 0``; shadow
    ``b < theta - 90 deg``, where the ground falls away from its ray. All of it is told from a pixel's own slope; for
    what other ground covers see `slidecloud.kernels.terrain.layover_shadow`.

    Parameters
    ----------
    slope
        (y, x), rad above horizontal, in [0, pi/2).
    aspect
        (y, x), compass direction of steepest descent, rad.
    incidence
        Rad in (0, pi/2), a number or (y, x).
    heading
        Flight direction, degrees clockwise from north.
    look_direction
        Side the antenna looks to.
    published
        The formula as printed in the source: ``R = sin(theta - slope sin A)`` with ``A = aspect + heading + 180 deg``
        for ascending passes and ``aspect - heading`` for descending ones, right-looking. It holds for the acute angle
        of the track: with headings, ascending passes lose slopes that face north for those that face south, and
        descending ones mistake front for back. The product ``slope sin A`` takes steep slopes askew to the view for
        flatter than they are (by 13 degrees at a slope of 70 and A of 45). For comparison with published lists only.

    Raises
    ------
    ValueError
        If an angle is out of its range, or the printed formula is asked for a radar that looks left.

    References
    ----------
    Notti, D., Herrera, G., Bianchini, S., Meisina, C., Garcia-Davalillo, J. C., Zucca, F. (2014), A methodology for
    improving landslide PSI data analysis, Int. J. Remote Sens. 35(6), 2186-2214; as used for Dexing, Appl. Sci. 2025,
    15, 12051.
    """
    steep, theta = _checked(slope, incidence)
    facing = np.asarray(aspect, np.float64)
    if published:
        if look_direction != "right":
            raise ValueError(f"look_direction: found {look_direction!r}, expected 'right': no other formula is printed")
        turn = math.radians(heading)
        towards = steep * np.sin(facing + turn + np.pi if math.cos(turn) > 0.0 else facing - turn)
    else:
        towards = np.arctan(np.tan(steep) * -np.cos(facing - look_azimuth(heading, look_direction)))
    r_index = np.sin(theta - towards).astype(np.float32)
    # Rounded alike, so that ground along the flight direction is not sorted by the last digits of a cosine.
    flat = np.broadcast_to(np.sin(theta).astype(np.float32), r_index.shape)
    kind = np.full(r_index.shape, FORESHORTENED, np.uint8)
    kind[r_index > flat] = GOOD
    kind[r_index <= 0.0] = LAYOVER
    kind[np.broadcast_to(towards < theta - 0.5 * np.pi, kind.shape)] = SHADOW
    kind[np.isnan(r_index)] = UNKNOWN
    return Visibility(r_index, kind)


def sensitivity(
    slope: ArrayLike,
    aspect: ArrayLike,
    incidence: ArrayLike,
    *,
    heading: float,
    look_direction: LookDirection = "right",
) -> Float32:
    """Motion along the line of sight per metre of motion straight down the slope, float32 (y, x), in [-1, 1].

    The cosine between the line of sight and the steepest descent: positive where the ground comes towards the satellite
    as it slides, near 0 where the radar is blind to it. NaN on level ground, which has no downslope direction, and
    where an argument is NaN. Arguments as in `visibility`.
    """
    steep, theta = _checked(slope, incidence)
    facing = np.asarray(aspect, np.float64)
    east, north, up = los_vector(theta, heading, look_direction)
    level = east * np.sin(facing) + north * np.cos(facing)
    cosine = level * np.cos(steep) - up * np.sin(steep)
    found: Float32 = np.where(steep > 0.0, cosine, np.nan).astype(np.float32)
    return found


def potential(
    kind: ArrayLike,
    slope: ArrayLike,
    velocity: ArrayLike,
    *,
    blocked: ArrayLike | None = None,
    least_slope: float = math.radians(5.0),
    least_speed: float = 0.025,
) -> NDArray[np.bool_]:
    """Potential landslide points: seen well, on a slope, moving fast either way, and on no ground that is left out.

    The published rule is ``R`` good, slope at least 5 degrees, ``|v|`` at least 25 mm/yr, outside water, buildings,
    dumps and tailings.

    Parameters
    ----------
    kind
        (y, x) codes of `visibility`.
    slope
        (y, x), rad.
    velocity
        (y, x), m/yr along the line of sight; NaN is no point.
    blocked
        (y, x) bool, ground that is left out.
    least_slope, least_speed
        Rad and m/yr.

    Returns
    -------
    bool (y, x).
    """
    steep, speed = np.asarray(slope), np.abs(np.asarray(velocity))
    # Thresholds take the precision of the data: 25 mm/yr in float32 is at least 25 mm/yr.
    enough = (steep >= np.asarray(least_slope, steep.dtype)) & (speed >= np.asarray(least_speed, speed.dtype))
    found: NDArray[np.bool_] = (np.asarray(kind) == GOOD) & enough
    return found if blocked is None else found & ~np.asarray(blocked, np.bool_)


def _checked(slope: ArrayLike, incidence: ArrayLike) -> tuple[Float64, Float64]:
    steep, theta = np.asarray(slope, np.float64), np.asarray(incidence, np.float64)
    for name, values, least in (("slope", steep, -1e-300), ("incidence", theta, 0.0)):
        if np.any((values <= least) | (values >= 0.5 * np.pi)):
            raise ValueError(
                f"{name}: found {np.nanmin(values):.4g} to {np.nanmax(values):.4g}, expected radians from 0 to below "
                "pi/2; convert degrees with numpy.radians"
            )
    return steep, theta
