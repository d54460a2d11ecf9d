"""Rain and water level where points are: of the nearest station, whose distance is told, or of the cell of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.series import DAY, Displacement, Drivers, laid
from slidecloud.stack.daily_rain import Missing, daily
from slidecloud.stack.names import printable
from slidecloud.stack.quantities import LEVEL, RAIN, Quantity
from slidecloud.stack.rain_grid import Gridded
from slidecloud.stack.stations import Readings, read_stations
from slidecloud.types import DataError, Float64

FARTHEST: Final = 20.0
"""Kilometres from a point to a station of rain beyond which it is refused unless allowed."""
_GRIDS: Final = (".nc", ".nc4", ".zarr")


class Placed(NamedTuple):
    """Daily values where points are.

    ``quantity``; ``days`` datetime64[D] (m,) without gaps; ``values`` (points, m), or (1, m) where all have the same,
    NaN where unknown; ``station`` (points,) names of stations or cells; ``distance`` (points,) km to the station, NaN
    where either place is not known, and of cells.
    """

    quantity: Quantity
    days: NDArray[np.datetime64]
    values: Float64
    station: NDArray[np.str_]
    distance: Float64

    def told(self) -> list[str]:
        """A sentence a station: how many points take it, and how far away it is."""
        sentences = []
        for name in np.unique(self.station):
            own = self.station == name
            count = f"{int(own.sum())} point{'s take' if own.sum() > 1 else ' takes'}"
            away = self.distance[own]
            place = ""
            if np.isfinite(away).all():
                near, far = away.min(), away.max()
                place = f", {near:.1f} km away" if far - near < 0.05 else f", {near:.1f} to {far:.1f} km away"
            sentences.append(f"{count} the {self.quantity.name} of {name}{place}.")
        return sentences


def rain_of(
    path: str,
    displacement: Displacement,
    *,
    units: str = "mm",
    utc_offset: float = 0.0,
    missing: Missing = "refuse",
    farthest: float | None = FARTHEST,
) -> Placed:
    """Daily rain of points, mm.

    Parameters
    ----------
    path
        A table (`slidecloud.stack.stations.read_stations`), or a grid in NetCDF or Zarr.
    displacement
        The points; several stations, and grids, need their places.
    units, utc_offset, missing
        As for `slidecloud.stack.rain.open_rain`.
    farthest
        Kilometres to the nearest station beyond which it is refused; None allows any.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it cannot be read, the points have no places where they are needed, or a station is too far away.
    """
    return _placed(path, displacement, RAIN, units, utc_offset, missing, farthest)


def level_of(
    path: str,
    displacement: Displacement,
    *,
    units: str = "m",
    utc_offset: float = 0.0,
    missing: Missing = "refuse",
    farthest: float | None = None,
) -> Placed:
    """Daily water level of points, m; parameters and errors as for `rain_of`."""
    return _placed(path, displacement, LEVEL, units, utc_offset, missing, farthest)


def drivers(rain: Placed | None, level: Placed | None) -> Drivers:
    """Both on one calendar, from the first day that either has to the last; unknown where one does not reach."""
    given = [one for one in (rain, level) if one is not None]
    if not given:
        raise DataError("rain, level: found neither, expected one of them, or both.")
    days = np.arange(min(one.days[0] for one in given), max(one.days[-1] for one in given) + DAY)

    def on(one: Placed | None) -> Float64 | None:
        return None if one is None else laid(one.values, one.days, days)

    return Drivers(days, on(rain), on(level))


def _placed(
    path: str,
    displacement: Displacement,
    quantity: Quantity,
    units: str,
    utc_offset: float,
    missing: Missing,
    farthest: float | None,
) -> Placed:
    if "://" not in path and not Path(path).exists():
        raise FileNotFoundError(f"There is no {quantity.name} {printable(path)}; check {quantity.name}.path.")
    key = f"{quantity.name}."
    if path.rstrip("/").endswith(_GRIDS):
        grid = Gridded(path, units=units, utc_offset=utc_offset, missing=missing, quantity=quantity, key=key)
        places = _places(displacement, path, "a grid")
        found = [grid.series(*place) for place in places]
        names = np.array([name for _, _, name in found])
        series = {name: (days, values) for days, values, name in found}
        return _gathered(quantity, names, series, np.full(len(names), np.nan))
    stations = read_stations(path, quantity=quantity)
    chosen, distance = _nearest(stations, displacement, path)
    _check_distance(stations, chosen, distance, displacement, quantity, farthest)
    series = {}
    for number in np.unique(chosen):
        one = stations[number]
        if one.aware and utc_offset:
            raise DataError(
                f"The times of {printable(path)} say their zone, and the offset from UTC is {utc_offset} hours. Leave "
                "one of them out."
            )
        series[one.name] = daily(
            one.times, one.values * quantity.scale[units], source=f"station {one.name} of {printable(path)}",
            utc_offset=utc_offset, missing=missing, quantity=quantity, key=key,
        )  # fmt: skip
    return _gathered(quantity, np.array([stations[number].name for number in chosen]), series, distance)


def _places(displacement: Displacement, path: str, what: str) -> Float64:
    """(points, 2) degrees of longitude and latitude."""
    if displacement.x is None or displacement.y is None:
        raise DataError(
            f"{printable(path)} is {what}, and the points have no places; give their longitude and latitude."
        )
    return np.stack([displacement.x, displacement.y], axis=1)


def _nearest(stations: Sequence[Readings], displacement: Displacement, path: str) -> tuple[NDArray[np.intp], Float64]:
    """Which station each point takes, and its distance in km."""
    from pyproj import Geod

    points = displacement.points
    if len(stations) == 1 and (np.isnan(stations[0].longitude) or displacement.x is None):
        return np.zeros(points, np.intp), np.full(points, np.nan)
    x, y = _places(displacement, path, "a table of several stations").T
    away = np.empty((len(stations), points))
    for row, one in zip(away, stations, strict=True):
        if np.isnan(one.longitude) or np.isnan(one.latitude):
            raise DataError(
                f"{printable(path)}: station {one.name} has no place; expected the columns longitude and latitude "
                "where there are several stations."
            )
        there = np.full(points, one.longitude), np.full(points, one.latitude)
        row[:] = Geod(ellps="WGS84").inv(x, y, *there)[2]
    chosen = np.argmin(away, axis=0)
    return chosen, away[chosen, np.arange(points)] / 1000.0


def _check_distance(
    stations: Sequence[Readings],
    chosen: NDArray[np.intp],
    distance: Float64,
    displacement: Displacement,
    quantity: Quantity,
    farthest: float | None,
) -> None:
    far = np.flatnonzero(distance > (np.inf if farthest is None else farthest))
    if len(far):
        worst = far[int(np.argmax(distance[far]))]
        others = f" (and {len(far) - 1} more points are too far from theirs)" if len(far) > 1 else ""
        raise DataError(
            f"The nearest station of {quantity.name} to point {displacement.ids[worst]} is "
            f"{stations[chosen[worst]].name}, {distance[worst]:.1f} km away{others}; expected at most {farthest:g} km. "
            "Give a nearer station, or a larger 'farthest' (null allows any distance)."
        )


def _gathered(
    quantity: Quantity,
    names: NDArray[np.str_],
    series: dict[str, tuple[NDArray[np.datetime64], Float64]],
    distance: Float64,
) -> Placed:
    first, last = min(days[0] for days, _ in series.values()), max(days[-1] for days, _ in series.values())
    days = np.arange(first, last + DAY)
    found = {name: laid(values[None], own, days)[0] for name, (own, values) in series.items()}
    rows = [found[name] for name in (names if len(series) > 1 else names[:1])]
    return Placed(quantity, days, np.stack(rows), names, distance)
