"""Windows of days on rain and level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.series import DAY, Drivers
from slidecloud.types import Float64


def daily(
    drivers: Drivers, given: Float64, point: NDArray[np.intp], target: NDArray[np.datetime64], days: int
) -> Float64:
    """(n, days) of a driver, newest first; NaN before its first day and after its last."""
    place = ((target - drivers.days[0]) / DAY).astype(np.intp)[:, None] - np.arange(days)
    inside = (place >= 0) & (place < len(drivers.days))
    row = np.zeros_like(point) if len(given) == 1 else point
    return np.where(inside, given[row[:, None], np.where(inside, place, 0)], np.nan)
