"""Maps read at places between their pixels, and the places found where a map's own coordinates are uneven."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.ndimage import map_coordinates

from slidecloud.types import Float32, Float64

_STEPS: Final = 12
_LONGEST: Final = 30.0
"""Pixels that one step of the search may go: slopes far from the place tell little about it."""
_CLOSE: Final = 0.1
"""Pixels from the place sought within which a search has found it."""


def at_places(values: ArrayLike, row: ArrayLike, column: ArrayLike, *, reach: tuple[int, int] = (1, 1)) -> Float32:
    """A map at places, float32 in their shape; NaN where less than half of a sample's weight lies on valid pixels.

    Samples are weighted means whose weights fall linearly to zero over ``reach`` pixels: bilinear at 1, an average over
    their surroundings beyond. Maps that change linearly stay exactly as they are.

    Parameters
    ----------
    values
        (y, x); NaN = no data.
    row, column
        Pixels from the outer corner of the first, so that a pixel's centre lies at half; NaN is nowhere.
    reach
        Pixels (y, x).
    """
    maps = np.ascontiguousarray(values, dtype=np.float32)
    rows, columns = (np.asarray(place, np.float64) for place in (row, column))
    found = np.empty(rows.size, np.float32)
    _fill(maps, rows.reshape(-1), columns.reshape(-1), *reach, found)
    return found.reshape(rows.shape)


def find_places(x: ArrayLike, y: ArrayLike, at_x: ArrayLike, at_y: ArrayLike) -> tuple[Float64, Float64]:
    """Where a map has given coordinates: row and column as `at_places` takes them, in the shape of ``at_x``.

    By Newton's method from the plane that fits the map's coordinates best; between pixel centres they are bilinear.

    Parameters
    ----------
    x, y
        (y, x) coordinates of the pixel centres, in one unit along both axes, such as metres.
    at_x, at_y
        Those of the places.

    Returns
    -------
    row, column
        float64; NaN beyond the outermost pixels, and where pixels fold over each other so that the search ends nowhere.
    """
    east, north = (np.asarray(axis, np.float64) for axis in (x, y))
    wanted = [np.asarray(axis, np.float64) for axis in (at_x, at_y)]
    known = np.isfinite(east) & np.isfinite(north)
    rows, columns = np.nonzero(known)
    plane = np.stack([np.ones(rows.size), rows, columns], 1)
    fitted = [np.linalg.lstsq(plane, axis[known], rcond=None)[0] for axis in (east, north)]
    matrix = np.array([[part[1], part[2]] for part in fitted])
    start = np.linalg.solve(matrix, np.stack([(w - part[0]).ravel() for w, part in zip(wanted, fitted, strict=True)]))
    place: Float64 = start.reshape(2, *wanted[0].shape)
    slopes: list[Float64] = [np.asarray(slope) for axis in (east, north) for slope in np.gradient(axis)]
    limits = np.array(east.shape, np.float64).reshape(2, *(1 for _ in wanted[0].shape)) - 1
    for _ in range(_STEPS):
        inside = np.clip(place, 0.0, limits)
        near = tuple(np.rint(axis).astype(np.intp) for axis in inside)
        x_row, x_column, y_row, y_column = (slope[near] for slope in slopes)
        off_x, off_y = _missing(east, north, inside, wanted)
        area = x_row * y_column - x_column * y_row
        area = np.where(np.abs(area) > 0, area, np.nan)
        step = np.stack([off_x * y_column - off_y * x_column, off_y * x_row - off_x * y_row]) / area
        place = inside + np.clip(np.where(np.isfinite(step), step, 0.0), -_LONGEST, _LONGEST)
    inside = np.clip(place, 0.0, limits)
    pixel = math.sqrt(abs(np.linalg.det(matrix)))
    away = np.hypot(*_missing(east, north, inside, wanted)) / pixel
    # Half a pixel around the outermost centres still belongs to the map.
    outside = np.abs(place - inside).max(axis=0) > 0.5
    good = np.where(np.isfinite(away), away, np.inf) < np.where((place == inside).all(axis=0), _CLOSE, 1.0)
    row, column = (np.where(good & ~outside, axis + 0.5, np.nan) for axis in place)
    return row, column


def _missing(east: Float64, north: Float64, place: Float64, wanted: list[Float64]) -> tuple[Float64, Float64]:
    """How far the coordinates at places are from those wanted."""
    x, y = (map_coordinates(axis, place, order=1, mode="nearest") for axis in (east, north))
    return wanted[0] - x, wanted[1] - y


@njit(nogil=True, cache=True)
def mean_around(values, row, column, reach_y, reach_x):  # type: ignore[no-untyped-def]
    """Mean with linearly falling weights around a place in pixels, over valid ones; NaN below half of the weight."""
    rows, columns = values.shape
    row, column = row - 0.5, column - 0.5
    top, left = math.floor(row) - reach_y + 1, math.floor(column) - reach_x + 1
    total = weight = 0.0
    if top + 2 * reach_y > 0 and left + 2 * reach_x > 0 and top < rows and left < columns:
        for k in range(max(top, 0), min(top + 2 * reach_y, rows)):
            share_y = 1.0 - abs(k - row) / reach_y
            for m in range(max(left, 0), min(left + 2 * reach_x, columns)):
                value = values[k, m]
                if not math.isnan(value):
                    share = share_y * (1.0 - abs(m - column) / reach_x)
                    total += share * value
                    weight += share
    # All weights together make reach_y * reach_x, wherever the sample lies between pixels.
    return total / weight if weight >= 0.5 * reach_y * reach_x - 1e-9 else math.nan


@njit(nogil=True, cache=True)
def _fill(values, row, column, reach_y, reach_x, found):  # type: ignore[no-untyped-def]
    for i in range(row.size):
        nowhere = math.isnan(row[i]) or math.isnan(column[i])
        found[i] = math.nan if nowhere else mean_around(values, row[i], column[i], reach_y, reach_x)
