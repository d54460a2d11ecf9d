"""Another reference for displacement that is stored: a shift per date, taken where the new reference lies."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from slidecloud.store.given_series import GivenSeries
from slidecloud.store.moved_models import without
from slidecloud.store.points import nearest
from slidecloud.types import DataError, Float32, Float64, StackHeader

WARN_ABOVE: Final = 0.3
"""rad: residual of the reference's pairs above which a shift per date does not carry all of a move."""

SHIFTED: Final = ("displacement", "displacement_filtered")
"""Series of a group that are relative to the reference."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What displacement is to be relative to: a point, an area, or, where none is given, the stable area.

    Attributes
    ----------
    point
        Longitude and latitude, degrees.
    area
        West, south, east, north, degrees.
    series
        How the point really moves along the line of sight: displacement there becomes this. Without one it becomes 0.
    """

    point: tuple[float, float] | None = None
    area: tuple[float, float, float, float] | None = None
    series: GivenSeries | None = None

    def __post_init__(self) -> None:
        if self.point is not None and self.area is not None:
            raise ValueError("reference: found a point and an area, expected one of them")
        if self.series is not None and self.point is None:
            raise ValueError("reference: found a series without a point, expected the longitude and latitude it is of")

    def __str__(self) -> str:
        if self.point is not None:
            place = f"point {self.point[0]}, {self.point[1]}"
            return place if self.series is None else f"{place} with the series {self.series.name}"
        return "stable area" if self.area is None else f"area {', '.join(str(one) for one in self.area)}"


@dataclass(frozen=True, slots=True)
class Shift:
    """What a move to another reference takes off.

    Attributes
    ----------
    displacement
        (time,) m.
    velocity
        m/yr.
    closure_rms
        rad: residual of the pairs there; what no shift per date carries.
    """

    displacement: Float32
    velocity: float
    closure_rms: float


def shift_to(reference: Reference, header: StackHeader, series: xr.Dataset, *, name: str) -> Shift | None:
    """The shift that makes series relative to another reference, or None where they do not cover it.

    Parameters
    ----------
    reference
        The new one.
    header, series
        Of a burst or a patch.
    name
        Of that, for messages.

    Raises
    ------
    DataError
        If the reference lies in a detection, has no data at a date, or its series does not reach to all dates.

    Warns
    -----
    UserWarning
        If its pairs leave residuals above `WARN_ABOVE`.
    """
    mask = _mask(reference, header, series)
    if not mask.any():
        return None
    if "moving" in series and (mask & (series["moving"].values == 1)).any():
        raise DataError(f"The {reference} lies inside a detection of {name}, which moves. Choose ground that does not.")
    rows, columns = np.nonzero(mask)
    top, left = rows.min(), columns.min()
    part = series.isel(y=slice(top, rows.max() + 1), x=slice(left, columns.max() + 1))
    inside = mask[top : rows.max() + 1, left : columns.max() + 1]
    moved = np.asarray(part["displacement"].values)[:, inside]
    lost = int((~np.isfinite(moved)).all(axis=1).sum())
    if lost:
        raise DataError(
            f"The {reference} has no displacement at {lost} of {len(moved)} dates of {name}. Choose a coherent place."
        )
    closure = float(np.nanmedian(part["residual_rms"].values[inside]))
    if closure > WARN_ABOVE:
        warnings.warn(
            f"The {reference} of {name}: its pairs leave {closure:.2f} rad, which a shift per date does not carry "
            f"(expected up to {WARN_ABOVE}). Choose a more coherent place.",
            stacklevel=2,
        )
    taken, velocity = np.nanmedian(moved, axis=1), float(np.nanmedian(part["velocity"].values[inside]))
    if reference.series is not None:
        dates = series["time"].values
        taken, velocity = taken - reference.series.at(dates)[0], velocity - reference.series.velocity(dates)
    return Shift(taken.astype(np.float32), velocity, closure)


def shifted(series: xr.Dataset, shift: Shift, reference: Reference) -> xr.Dataset:
    """Series, lazily, relative to another reference; sigmas stay those against the stable area."""
    taken = xr.DataArray(shift.displacement, dims="time")
    there = [name for name in SHIFTED if name in series]
    changes = {
        **{name: (series[name] - taken).assign_attrs(series[name].attrs) for name in there},
        "velocity": (series["velocity"] - np.float32(shift.velocity)).assign_attrs(series["velocity"].attrs),
        "reference_displacement": series["reference_displacement"] + taken,
        "reference_closure_rms": xr.DataArray(np.float32(shift.closure_rms)),
        **models(series, shift.displacement),
    }
    if "velocity_integrated" in series:  # from gradients, and not of these pairs: it stays against still ground
        changes["velocity_integrated"] = series["velocity_integrated"]
    return series.assign(changes).assign_attrs(reference=str(reference))


def models(series: xr.Dataset, displacement: Float32 | Float64) -> dict[str, xr.DataArray]:
    """Models of motion of series, lazily, less that of a shift of their displacement (time,), m."""
    steps = series["step"].values if "step" in series else None
    moved = without(
        {str(name): values for name, values in series.data_vars.items()},
        displacement,
        series["time"].values,
        steps=steps,
    )
    return {name: values.assign_attrs(series[name].attrs) for name, values in moved.items()}


def _mask(reference: Reference, header: StackHeader, series: xr.Dataset) -> NDArray[np.bool_]:
    """Pixels (y, x) of the reference."""
    mask = np.zeros(header.shape, np.bool_)
    if reference.point is not None:
        pixel = nearest(header, series, *reference.point)
        if pixel is not None:
            mask[pixel[0], pixel[1]] = True
        return mask
    if reference.area is None:
        stable: NDArray[np.bool_] = series["stable"].values == 1
        return stable
    west, south, east, north = reference.area
    longitude, latitude = _positions(header, series)
    return (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)


def _positions(header: StackHeader, series: xr.Dataset) -> tuple[Float64, Float64]:
    """Longitude and latitude (y, x) of the pixel centres."""
    if header.grid is None:
        return np.asarray(series["longitude"].values, np.float64), np.asarray(series["latitude"].values, np.float64)
    from pyproj import CRS, Transformer

    turn = Transformer.from_crs(CRS.from_user_input(header.grid.crs), "EPSG:4326", always_xy=True)
    x, y = np.meshgrid(header.grid.x, header.grid.y)
    longitude, latitude = turn.transform(x, y)
    return np.asarray(longitude), np.asarray(latitude)
