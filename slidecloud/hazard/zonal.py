"""What a factor is like in every unit: mean and standard deviation, or the class with most cells.

Each unit is taken whole, its cells in their order, so the figures do not depend on how the ground was cut into tiles.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.slope_units import sums
from slidecloud.types import Float32, Float64

_CANCELLED: Final = 1e-6
"""Length of a mean unit vector that is nothing but rounding of the angles."""


class Zonal(NamedTuple):
    """``mean``, ``std``: float64 (unit,), in the unit of the values; NaN where a unit has no value."""

    mean: Float64
    std: Float64


def continuous(unit: NDArray[np.int32], values: Float32, count: int) -> Zonal:
    """Mean and standard deviation (of all cells, not of a sample) of the values in each unit.

    Parameters
    ----------
    unit
        int32 (y, x), 0 to ``count - 1``; below 0 is none.
    values
        float32 (y, x), NaN = missing.
    count
        Number of units.
    """
    inside = np.where(np.isfinite(values), unit, -1)
    number = np.bincount(inside[inside >= 0], minlength=count).astype(np.float64)
    number[number == 0] = np.nan
    filled = np.where(inside >= 0, values, 0).astype(np.float64)
    mean = sums(inside, filled, count) / number
    # Deviations from the mean, not the mean of squares: a mean far from zero would eat the digits.
    rest = np.where(inside >= 0, filled - mean[np.maximum(inside, 0)], 0.0)
    return Zonal(mean, np.sqrt(sums(inside, rest * rest, count) / number))


def span(unit: NDArray[np.int32], values: Float32, count: int) -> Float32:
    """Highest less lowest value in each unit, float32 (unit,); NaN where it has none. Arguments as in `continuous`."""
    inside = (unit >= 0) & np.isfinite(values)
    highest, lowest = np.full(count, -np.inf, np.float32), np.full(count, np.inf, np.float32)
    np.maximum.at(highest, unit[inside], values[inside])
    np.minimum.at(lowest, unit[inside], values[inside])
    found: Float32 = np.where(highest >= lowest, highest - lowest, np.float32(np.nan))
    return found


def circular(unit: NDArray[np.int32], angle: Float32, count: int) -> Zonal:
    """Mean direction, in [0, 2 pi), and circular standard deviation, ``sqrt(-2 ln R)``, of angles in rad.

    R is the length of the mean unit vector. Arguments are those of `continuous`. The mean direction is NaN where the
    angles cancel.

    References
    ----------
    Mardia, K. V., Jupp, P. E. (2000), Directional Statistics, section 2.3.
    """
    inside = np.where(np.isfinite(angle), unit, -1)
    number = np.bincount(inside[inside >= 0], minlength=count).astype(np.float64)
    number[number == 0] = np.nan
    turned = np.where(inside >= 0, angle, 0).astype(np.float64)
    east, north = (sums(inside, part, count) / number for part in (np.sin(turned), np.cos(turned)))
    length = np.minimum(np.hypot(east, north), 1.0)
    with np.errstate(divide="ignore"):
        std = np.sqrt(-2.0 * np.log(length))
    mean = np.mod(np.arctan2(east, north), 2 * np.pi)
    return Zonal(np.where(length > _CANCELLED, mean, np.nan), std)


def majority(unit: NDArray[np.int32], category: NDArray[np.integer], count: int) -> NDArray[np.int16]:
    """The category with most cells in each unit, the smallest of equals; -1 where a unit has none.

    Parameters
    ----------
    unit, count
        As in `continuous`.
    category
        (y, x), -1 = missing.
    """
    inside = (unit >= 0) & (category >= 0)
    most = np.full(count, -1, np.int16)
    if not inside.any():
        return most
    pairs, cells = np.unique(np.stack([unit[inside], category[inside]]).astype(np.int64), axis=1, return_counts=True)
    # Within a unit the categories come in order, so the last that is written is the smallest of those with most cells.
    order = np.lexsort((-pairs[1], cells))
    most[pairs[0, order]] = pairs[1, order]
    return most
