"""Slope, aspect and radar viewing geometry of a digital elevation model.

Grids here are north up: rows run from north to south, columns from west to east. Headings are in degrees clockwise from
north, as stack headers keep them; every other angle is in radians.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32, Float64

LookDirection = Literal["right", "left"]


class SlopeAspect(NamedTuple):
    """``slope``: rad above horizontal, float32 (y, x). ``aspect``: compass direction of steepest descent, float32
    (y, x), rad clockwise from north in [0, 2 pi); 0 where the ground is flat."""

    slope: Float32
    aspect: Float32


class LineOfSight(NamedTuple):
    """Unit vector from the ground to the satellite; float64, in the shape of the incidence."""

    east: Float64
    north: Float64
    up: Float64


class LayoverShadow(NamedTuple):
    """``layover``: pixels that share their slant range with other ground, passive layover included. ``shadow``: pixels
    the radar cannot see. Both bool (y, x); False where the elevation is NaN."""

    layover: NDArray[np.bool_]
    shadow: NDArray[np.bool_]


def gradient(elevation: ArrayLike, *, spacing: tuple[ArrayLike, ArrayLike]) -> tuple[Float64, Float64]:
    """Rise of the ground along increasing row and along increasing column, by the 3 x 3 operator of Horn (1981).

    The outermost rows and columns use values extrapolated linearly, so planes are exact to the edge.

    Parameters
    ----------
    elevation
        (y, x), m. NaN makes its eight neighbours and itself NaN.
    spacing
        Metres per pixel along (y, x), positive; each a number or one value per row, as on geographic grids.

    Returns
    -------
    Two float64 (y, x) arrays, metres per metre.

    Raises
    ------
    ValueError
        If the elevation is not a 2-D array of at least 2 x 2 or a spacing is not positive.

    References
    ----------
    Horn, B. K. P. (1981), Hill shading and the reflectance map, Proc. IEEE 69(1), 14-47.
    """
    height = _checked_elevation(elevation)
    dy, dx = (_checked_spacing(step, name, height.shape[0]) for step, name in zip(spacing, ("dy", "dx"), strict=True))
    z = np.pad(height, 1)
    z[0], z[-1] = 2.0 * z[1] - z[2], 2.0 * z[-2] - z[-3]
    z[:, 0], z[:, -1] = 2.0 * z[:, 1] - z[:, 2], 2.0 * z[:, -2] - z[:, -3]
    across = z[:, :-2] + 2.0 * z[:, 1:-1] + z[:, 2:]
    along = z[:-2] + 2.0 * z[1:-1] + z[2:]
    hole = np.isnan(height)
    rise_y = (across[2:] - across[:-2]) / (8.0 * dy)
    rise_x = (along[:, 2:] - along[:, :-2]) / (8.0 * dx)
    rise_y[hole] = rise_x[hole] = np.nan
    return rise_y, rise_x


def slope_aspect(elevation: ArrayLike, *, spacing: tuple[ArrayLike, ArrayLike]) -> SlopeAspect:
    """Slope and downslope direction of every pixel, by Horn (1981); see `gradient` for the arguments and the edges.

    Returns
    -------
    SlopeAspect
        NaN wherever the 3 x 3 neighbourhood holds a NaN.
    """
    return falling(*gradient(elevation, spacing=spacing))


def falling(rise_y: Float64, rise_x: Float64) -> SlopeAspect:
    """Slope and downslope direction of ground that rises so much, as `gradient` returns it; NaN where that is."""
    slope = np.arctan(np.sqrt(rise_x * rise_x + rise_y * rise_y))
    # Rows run southward, so the ground falls towards the north where it rises along rows.
    aspect = np.mod(np.arctan2(-rise_x, rise_y), 2.0 * np.pi).astype(np.float32)
    undefined = np.isnan(slope)
    slope[undefined], aspect[undefined] = np.nan, np.nan
    aspect[(slope == 0.0) | (aspect >= np.float32(2.0 * np.pi))] = 0.0
    return SlopeAspect(slope.astype(np.float32), aspect)


def los_vector(incidence: ArrayLike, heading: float, look_direction: LookDirection = "right") -> LineOfSight:
    """Unit vector from the ground to the satellite.

    Parameters
    ----------
    incidence
        Angle between the line of sight and the vertical, rad, in [0, pi/2); any shape.
    heading
        Flight direction, degrees clockwise from north.
    look_direction
        Side the antenna looks to.

    Returns
    -------
    LineOfSight
        ``up`` = cos(incidence). Looking right, ``east`` is negative for ascending passes and positive for descending.

    Raises
    ------
    ValueError
        If an incidence lies outside [0, pi/2) or the look direction is unknown.
    """
    theta = _checked_incidence(incidence)
    to_satellite = look_azimuth(heading, look_direction) + math.pi
    horizontal = np.sin(theta)
    return LineOfSight(horizontal * math.sin(to_satellite), horizontal * math.cos(to_satellite), np.cos(theta))


def look_azimuth(heading: float, look_direction: LookDirection = "right") -> float:
    """Direction from the track to the ground it images, rad clockwise from north, for a heading in degrees."""
    if look_direction not in ("right", "left"):
        raise ValueError(f"look_direction: found {look_direction!r}, expected 'right' or 'left'")
    return math.radians(heading + (90.0 if look_direction == "right" else -90.0))


def layover_shadow(
    elevation: ArrayLike,
    *,
    spacing: tuple[float, float],
    incidence: ArrayLike,
    heading: float,
    look_direction: LookDirection = "right",
) -> LayoverShadow:
    """Layover and shadow by following the range direction from every pixel, for a plane wave at its incidence.

    Along a ground profile of distance d away from the radar and height h, the slant range changes as
    ``d sin(theta) - h cos(theta)``. Slant range grows without bound both ways, so a point shares its range with other
    ground exactly when nearer ground has a range as long, or farther ground one as short (active, near and far passive
    layover alike; Kropatsch and Strobl 1990). It is in shadow when nearer ground rises above its ray to the satellite.
    Shadowed ground is tested for layover like any other. Ground outside the grid is unknown and counts as none.

    Parameters
    ----------
    elevation
        (y, x), m. Rays pass over NaN.
    spacing
        Metres per pixel along (y, x).
    incidence
        Rad in (0, pi/2), a number or (y, x).
    heading, look_direction
        As in `los_vector`.

    Raises
    ------
    ValueError
        If an argument is out of its range or shapes differ.

    References
    ----------
    Kropatsch, W. G., Strobl, D. (1990), The generation of SAR layover and shadow maps from digital elevation models,
    IEEE Trans. Geosci. Remote Sens. 28(1), 98-107.
    """
    height = _checked_elevation(elevation)
    theta = _checked_incidence(incidence)
    if np.any(theta == 0.0):
        raise ValueError("incidence: found 0, expected more: straight down there is neither layover nor shadow")
    if theta.shape not in ((), height.shape):
        raise ValueError(
            f"incidence: found shape {theta.shape}, expected a number or the shape of the elevation {height.shape}"
        )
    dy, dx = (float(_checked_spacing(step, name, 1)) for step, name in zip(spacing, ("dy", "dx"), strict=True))
    azimuth = look_azimuth(heading, look_direction)
    row_step, column_step = -math.cos(azimuth) / dy, math.sin(azimuth) / dx
    layover, shadow = (np.zeros(height.shape, dtype=np.bool_) for _ in range(2))
    if np.all(np.isnan(height)):
        return LayoverShadow(layover, shadow)
    tangent = np.broadcast_to(np.tan(theta), height.shape)
    if abs(row_step) >= abs(column_step):
        drift, length = column_step / abs(row_step), 1.0 / abs(row_step)
        _trace(height, tangent, layover, shadow, row_step > 0.0, drift, length)
    else:
        drift, length = row_step / abs(column_step), 1.0 / abs(column_step)
        _trace(height.T, tangent.T, layover.T, shadow.T, column_step > 0.0, drift, length)
    return LayoverShadow(layover, shadow)


@njit(nogil=True, cache=True)
def _height_at(height, row, column):  # type: ignore[no-untyped-def]
    """Elevation at a whole row and a fractional column; NaN outside the grid."""
    rows, columns = height.shape
    left = math.floor(column)
    weight = column - left
    here = int(left)
    if row < 0 or row >= rows or here < 0 or here >= columns:
        return math.nan
    if weight == 0.0:
        return height[row, here]
    if here + 1 >= columns:
        return math.nan
    return (1.0 - weight) * height[row, here] + weight * height[row, here + 1]


@njit(nogil=True, cache=True)
def _trace(height, tangent, layover, shadow, forward, drift, length):  # type: ignore[no-untyped-def]
    """Mark layover and shadow along rays that cross one row, and `drift` columns, per step of `length` metres.

    `forward`: the far range lies at increasing rows.
    """
    rows, columns = height.shape
    lowest, highest = np.nanmin(height), np.nanmax(height)
    away = 1 if forward else -1
    for i in range(rows):
        for j in range(columns):
            here = height[i, j]
            if math.isnan(here):
                continue
            steep = tangent[i, j]
            drop, climb = length * steep, length / steep
            in_shadow = in_layover = False
            k = 1
            while True:  # nearer ground
                may_hide = not in_shadow and here + k * climb < highest
                may_overlay = not in_layover and here - k * drop >= lowest
                row = i - k * away
                if row < 0 or row >= rows or not (may_hide or may_overlay):
                    break
                other = _height_at(height, row, j - k * drift)
                in_shadow = in_shadow or other > here + k * climb
                in_layover = in_layover or other <= here - k * drop
                k += 1
            k = 1
            while not in_layover and here + k * drop <= highest:  # farther ground
                row = i + k * away
                if row < 0 or row >= rows:
                    break
                in_layover = _height_at(height, row, j + k * drift) >= here + k * drop
                k += 1
            layover[i, j] = in_layover
            shadow[i, j] = in_shadow


def _checked_elevation(elevation: ArrayLike) -> Float64:
    height = np.asarray(elevation, dtype=np.float64)
    if height.ndim != 2 or min(height.shape) < 2:
        raise ValueError(f"elevation: found shape {height.shape}, expected (y, x) of at least (2, 2)")
    return height


def _checked_spacing(step: ArrayLike, name: str, rows: int) -> Float64:
    metres = np.asarray(step, dtype=np.float64)
    if metres.shape not in ((), (rows,)):
        raise ValueError(
            f"spacing {name}: found shape {metres.shape}, expected a number or one value per row, ({rows},)"
        )
    if not (np.all(np.isfinite(metres)) and np.all(metres > 0.0)):
        raise ValueError(
            f"spacing {name}: found {metres.min():.6g}, expected positive metres; drop the sign of a map's dy"
        )
    return metres.reshape(-1, 1) if metres.ndim else metres


def _checked_incidence(incidence: ArrayLike) -> Float64:
    theta = np.asarray(incidence, dtype=np.float64)
    if np.any((theta < 0.0) | (theta >= np.pi / 2.0)):
        raise ValueError(
            f"incidence: found up to {np.nanmax(np.abs(theta)):.4g}, expected radians in [0, pi/2); "
            "convert degrees with numpy.radians"
        )
    return theta
