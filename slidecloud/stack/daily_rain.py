"""Readings of rain or of a water level as days, checked: units, days that are missing or come twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.stack.quantities import RAIN, Quantity
from slidecloud.types import DataError, Float64

Missing = Literal["refuse", "unknown", "dry"]
_ENOUGH: Final = 0.95
"""Share of a day's readings that makes a sum or a mean of it."""


@dataclass(frozen=True)
class DailyRain:
    """Rain of successive days.

    Attributes
    ----------
    day
        datetime64[D] (day,), without gaps.
    millimetres
        float64 (day,); NaN where it is not known.
    name
        Where it comes from, for titles.
    """

    day: NDArray[np.datetime64]
    millimetres: Float64
    name: str


def daily(
    times: NDArray[np.datetime64],
    values: Float64,
    *,
    source: str,
    utc_offset: float,
    missing: Missing,
    quantity: Quantity = RAIN,
    key: str = "rain_",
) -> tuple[NDArray[np.datetime64], Float64]:
    """Readings added up to days, or averaged; see `slidecloud.stack.rain.open_rain`.

    Parameters
    ----------
    times
        datetime64[s] (n,), in any order.
    values
        (n,), in the unit of the quantity; NaN = no value.
    source
        Name for messages.
    quantity
        Rain or a level.
    key
        What stands before ``missing`` and ``units`` where users give them, for messages.
    """
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    times, values = _once(times, values, source, quantity)
    if len(times) < 2:
        raise DataError(f"{source} has {len(times)} readings; expected at least two days of {quantity.name}.")
    step = np.median(np.diff(times) / np.timedelta64(1, "s"))
    whole_days = step > 43_200
    shifted = times if whole_days else times - np.timedelta64(round(utc_offset * 3600), "s")
    date = shifted.astype("datetime64[D]")
    day = np.arange(date[0], date[-1] + 1)
    place = (date - date[0]).astype(np.intp)
    known = np.isfinite(values)
    count = np.bincount(place[known], minlength=len(day))
    fallen: Float64 = np.bincount(place[known], values[known], minlength=len(day)).astype(np.float64)
    if not quantity.added:
        fallen /= np.maximum(count, 1)
    fallen[count < (1 if whole_days else _ENOUGH * 86_400 / step)] = np.nan
    return _filled(day, fallen, source, missing, quantity, key)


def _filled(
    day: NDArray[np.datetime64], fallen: Float64, source: str, missing: Missing, quantity: Quantity, key: str
) -> tuple[NDArray[np.datetime64], Float64]:
    known = np.flatnonzero(np.isfinite(fallen))
    if not len(known):
        raise DataError(f"{source} has no whole day of {quantity.name}; expected readings of every hour, or one a day.")
    day, fallen = day[known[0] : known[-1] + 1], fallen[known[0] : known[-1] + 1]
    wrong = np.flatnonzero((fallen < quantity.lowest) | (fallen > quantity.highest))
    if len(wrong):
        raise DataError(
            f"{source} has {fallen[wrong[0]]:.6g} {quantity.unit} on {day[wrong[0]]}; expected {quantity.lowest:.0f} "
            f"to {quantity.highest:.0f} {quantity.unit} a day. Check the units ({key}units: "
            f"{', '.join(quantity.scale)})."
        )
    gaps = np.flatnonzero(np.isnan(fallen))
    if len(gaps) and missing == "refuse":
        dry = " or 'dry'" if quantity.added else ""
        raise DataError(
            f"{source} has no {quantity.name} for {len(gaps)} of {len(day)} days, the first is {day[gaps[0]]}. Fill "
            f"them, or choose {key}missing 'unknown' (leave out what they touch){dry}."
        )
    if missing == "dry":
        fallen[gaps] = 0.0
    return day, fallen


def _once(
    times: NDArray[np.datetime64], values: Float64, source: str, quantity: Quantity
) -> tuple[NDArray[np.datetime64], Float64]:
    """Readings that are given twice with the same value count once; with another value they are an error."""
    again = np.diff(times) == np.timedelta64(0, "s")
    if not again.any():
        return times, values
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    wrong = np.flatnonzero(again & ~same)
    if len(wrong):
        one = wrong[0]
        raise DataError(
            f"{source} has two values for {times[one]}: {values[one]:g} and {values[one + 1]:g} "
            f"{quantity.unit}; expected one. "
            "Take out the wrong one, or the other stations of the table."
        )
    kept = np.concatenate([[True], ~again])
    return times[kept], values[kept]
