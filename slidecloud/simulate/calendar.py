"""Acquisition dates of a simulation and the pairs formed from them by default."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32

FIRST_DATE = np.datetime64("2019-01-04T11:12:00", "s")
REVISIT = np.timedelta64(12, "D")


def acquisition_dates(dates: int | ArrayLike) -> NDArray[np.datetime64]:
    """Dates as datetime64[s]: those given, or a number of them every 12 days from January 2019.

    Raises
    ------
    ValueError
        If there are fewer than two, they do not increase, or one lies before 1970.
    """
    times = (
        FIRST_DATE + REVISIT * np.arange(dates)
        if isinstance(dates, int | np.integer)
        else np.asarray(dates, dtype="datetime64[s]")
    )
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"dates: found {times.size} in shape {times.shape}, expected a list of at least two")
    if np.any(np.isnat(times)) or np.any(np.diff(times) <= np.timedelta64(0, "s")):
        raise ValueError("dates: found unsorted, repeated or missing dates, expected increasing ones; sort them")
    if times[0] < np.datetime64(0, "s"):
        raise ValueError(f"dates: found {times[0]}, expected 1970 or later")
    return times


def days_between(dates: NDArray[np.datetime64]) -> Float32:
    """Days from the date before, float32 (date,), 0 for the first."""
    steps = np.diff(dates, prepend=dates[:1]) / np.timedelta64(1, "D")
    return steps.astype(np.float32)


def neighbours(dates: NDArray[np.datetime64], *, connections: int = 3, max_days: float = 36.0) -> list[tuple[int, int]]:
    """Index pairs of each date with its next `connections` dates no more than `max_days` later."""
    days = (dates - dates[0]) / np.timedelta64(1, "D")
    return [
        (i, j)
        for i in range(len(dates))
        for j in range(i + 1, min(i + 1 + connections, len(dates)))
        if days[j] - days[i] <= max_days + 0.5
    ]
