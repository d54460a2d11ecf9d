"""What forecasts are made from: displacement of points at the dates of passes, and daily rain and water level."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError, Float64

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Displacement:
    """Displacement of points at the dates of passes, or on every day of a receiver on the ground.

    Attributes
    ----------
    dates
        datetime64[D] (d,), strictly increasing.
    values
        float64 (points, d), mm, positive towards the satellite; NaN where missing.
    sigma
        Of a value, (points, d) or (points,), mm, or None.
    ids
        (points,), each once.
    x, y
        (points,), degrees of longitude and latitude, WGS 84, or None.
    features
        float64 (points, k), what does not change: slope, area, ...; NaN where unknown.
    feature_names
        k names.

    Raises
    ------
    DataError
        If shapes disagree, dates are out of order or come twice, an id comes twice, a value is infinite, or places are
        not in degrees.
    """

    dates: NDArray[np.datetime64]
    values: Float64
    sigma: Float64 | None
    ids: NDArray[np.str_]
    x: Float64 | None
    y: Float64 | None
    features: Float64
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        points, count = self.values.shape if self.values.ndim == 2 else (-1, -1)
        if self.dates.shape != (count,) or self.ids.shape != (points,):
            raise DataError(
                f"dates, values, ids: found shapes {self.dates.shape}, {self.values.shape}, {self.ids.shape}, expected "
                "(d,), (points, d), (points,)."
            )
        _check_order(self.dates)
        if self.sigma is not None and self.sigma.shape not in ((points, count), (points,)):
            raise DataError(f"sigma: found shape {self.sigma.shape}, expected {(points, count)} or {(points,)}.")
        for name, place, most in (("x", self.x, 360.0), ("y", self.y, 90.0)):
            if place is None:
                continue
            if place.shape != (points,):
                raise DataError(f"{name}: found shape {place.shape}, expected {(points,)}.")
            if (np.abs(place) > most).any():
                raise DataError(
                    f"{name}: found {place[np.nanargmax(np.abs(place))]:g}, expected degrees of longitude (x) and "
                    "latitude (y), WGS 84; transform metres of a projection to them."
                )
        if self.features.shape != (points, len(self.feature_names)):
            raise DataError(
                f"features: found shape {self.features.shape}, expected {(points, len(self.feature_names))}: a row a "
                "point, a column a name."
            )
        if np.isinf(self.values).any():
            raise DataError("values: found infinite displacement, expected mm, or NaN where missing.")
        names, found = np.unique(self.ids, return_counts=True)
        if (found > 1).any():
            raise DataError(f"ids: found {names[found > 1][0]!r} more than once, expected each point once.")

    @property
    def points(self) -> int:
        """How many."""
        return len(self.ids)

    def until(self, date: np.datetime64) -> Displacement:
        """The part up to a date, this date included."""
        return self._dated(slice(0, int(np.searchsorted(self.dates, date, side="right"))))

    def of(self, points: NDArray[np.intp] | slice) -> Displacement:
        """Some of the points."""

        def some(given: Float64 | None) -> Float64 | None:
            return None if given is None else given[points]

        return replace(
            self,
            values=self.values[points],
            sigma=some(self.sigma),
            ids=self.ids[points],
            x=some(self.x),
            y=some(self.y),
            features=self.features[points],
        )

    def _dated(self, kept: slice) -> Displacement:
        sigma = self.sigma[:, kept] if self.sigma is not None and self.sigma.ndim == 2 else self.sigma
        return replace(self, dates=self.dates[kept], values=self.values[:, kept], sigma=sigma)


@dataclass(frozen=True)
class Drivers:
    """Daily rain and water level.

    Attributes
    ----------
    days
        datetime64[D] (m,), each day once and without gaps.
    rain
        float64 (points, m), or (1, m) where it is the same for all, mm a day, NaN where unknown; or None.
    level
        The same of the level of a reservoir or river, m; or None.

    Raises
    ------
    DataError
        If shapes disagree, a day is missing from the calendar, or rain is negative.
    """

    days: NDArray[np.datetime64]
    rain: Float64 | None = None
    level: Float64 | None = None

    def __post_init__(self) -> None:
        _check_order(self.days)
        gaps = np.flatnonzero(np.diff(self.days) != DAY)
        if len(gaps):
            raise DataError(
                f"days: found {self.days[gaps[0] + 1]} after {self.days[gaps[0]]}, expected every day; give days "
                "without a value as NaN."
            )
        for name, given in (("rain", self.rain), ("level", self.level)):
            if given is not None and (given.ndim != 2 or given.shape[1] != len(self.days)):
                raise DataError(f"{name}: found shape {given.shape}, expected (points or 1, {len(self.days)}).")
            if given is not None and np.isinf(given).any():
                raise DataError(f"{name}: found an infinite value, expected numbers, or NaN where unknown.")
        if self.rain is not None and (self.rain < 0).any():
            raise DataError(f"rain: found {np.nanmin(self.rain):g} mm, expected at least 0, or NaN where unknown.")

    def until(self, date: np.datetime64) -> Drivers:
        """The part up to a date, this date included."""
        kept = slice(0, int(np.searchsorted(self.days, date, side="right")))

        def some(given: Float64 | None) -> Float64 | None:
            return None if given is None else given[:, kept]

        return Drivers(self.days[kept], some(self.rain), some(self.level))

    def on(self, days: NDArray[np.datetime64]) -> Drivers:
        """On another calendar, NaN on days that are not known."""

        def some(given: Float64 | None) -> Float64 | None:
            return None if given is None else laid(given, self.days, days)

        return Drivers(days, some(self.rain), some(self.level))

    def of(self, points: NDArray[np.intp] | slice) -> Drivers:
        """Those of some of the points."""

        def some(given: Float64 | None) -> Float64 | None:
            return given if given is None or len(given) == 1 else given[points]

        return Drivers(self.days, some(self.rain), some(self.level))


def laid(values: Float64, known: NDArray[np.datetime64], days: NDArray[np.datetime64]) -> Float64:
    """Values (n, known) of days without gaps on a calendar (n, days), NaN on days that are not known."""
    place = ((days - known[0]) / DAY).astype(np.int64)
    inside = (place >= 0) & (place < len(known))
    return np.where(inside, values[:, np.where(inside, place, 0)], np.nan)


def _check_order(dates: NDArray[np.datetime64]) -> None:
    if dates.dtype != np.dtype("datetime64[D]") or dates.ndim != 1 or np.isnat(dates).any():
        raise DataError(f"dates: found {dates.dtype} of shape {dates.shape}, expected whole days datetime64[D] (d,).")
    wrong = np.flatnonzero(np.diff(dates) <= np.timedelta64(0, "D"))
    if len(wrong):
        raise DataError(
            f"dates: found {dates[wrong[0] + 1]} after {dates[wrong[0]]}, expected them in order and each once; sort "
            "them together with their values."
        )
