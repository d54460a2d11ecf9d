"""Daily rain or water level from a grid in NetCDF or Zarr: the nearest cell of a place."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.stack.daily_rain import DailyRain, Missing, daily
from slidecloud.stack.names import printable
from slidecloud.stack.quantities import RAIN, Quantity
from slidecloud.types import DataError, Float64

if TYPE_CHECKING:
    import xarray as xr

_AXES: Final = {
    "time": ("time", "date", "day"),
    "latitude": ("lat", "latitude", "y"),
    "longitude": ("lon", "longitude", "x"),
}


class Gridded:
    """Rain or a level on a grid of latitude and longitude; arguments as in `slidecloud.stack.rain.open_rain`,
    and `slidecloud.stack.daily_rain.daily`."""

    def __init__(
        self,
        path: str,
        *,
        units: str,
        utc_offset: float,
        missing: Missing,
        quantity: Quantity = RAIN,
        key: str = "rain_",
    ) -> None:
        self._quantity, self._key = quantity, key
        self._path, self._offset, self._missing = path, utc_offset, missing
        dataset = _opened(path)
        self._names = {what: _axis(dataset, what, path) for what in _AXES}
        self._values = _variable(dataset, self._names, path, quantity)
        said = quantity.said.get(str(self._values.attrs.get("units", "")).strip().lower())
        self._scale = quantity.scale[said or units]
        self._cells: dict[tuple[int, int], tuple[NDArray[np.datetime64], Float64, str]] = {}

    def at(self, longitude: float, latitude: float) -> DailyRain:
        """Rain of the nearest cell; errors as `series`."""
        return DailyRain(*self.series(longitude, latitude))

    def series(self, longitude: float, latitude: float) -> tuple[NDArray[np.datetime64], Float64, str]:
        """Days, values and name of the nearest cell.

        Raises
        ------
        DataError
            If the place lies outside the grid, or its cell has no usable values.
        """
        place = tuple(self._nearest(what, value) for what, value in (("latitude", latitude), ("longitude", longitude)))
        row, column = place
        if (row, column) not in self._cells:
            self._cells[row, column] = self._read(row, column)
        return self._cells[row, column]

    def _nearest(self, what: str, value: float) -> int:
        axis = np.asarray(self._values[self._names[what]].values, np.float64)
        away = np.abs(axis - value)
        if what == "longitude":
            away = np.abs(np.mod(axis - value + 180.0, 360.0) - 180.0)
        step = np.abs(np.median(np.diff(axis))) if len(axis) > 1 else 1.0
        nearest = int(np.argmin(away))
        if away[nearest] > step:
            raise DataError(
                f"{printable(self._path)} reaches {what} {axis.min():g} to {axis.max():g}, and a place lies at "
                f"{value:.4f}. Give {self._quantity.name} that covers it."
            )
        return nearest

    def _read(self, row: int, column: int) -> tuple[NDArray[np.datetime64], Float64, str]:
        cell = self._values.isel({self._names["latitude"]: row, self._names["longitude"]: column})
        times = np.asarray(cell[self._names["time"]].values)
        if times.dtype.kind != "M":
            raise DataError(
                f"The times of {printable(self._path)} are {times.dtype}; expected dates of the usual calendar."
            )
        values = np.asarray(cell.values, np.float64).ravel() * self._scale
        values[(values <= self._quantity.flag * self._scale) | ~np.isfinite(values)] = np.nan
        name = f"cell {row}, {column} of {printable(self._path)}"
        day, fallen = daily(
            times.astype("datetime64[s]"),
            values,
            source=name,
            utc_offset=self._offset,
            missing=self._missing,
            quantity=self._quantity,
            key=self._key,
        )
        return day, fallen, name


def _opened(path: str) -> xr.Dataset:
    import xarray

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata that is not ours
            if path.rstrip("/").endswith(".zarr"):
                found: xr.Dataset = xarray.open_zarr(path, chunks=None)
            else:
                found = xarray.open_dataset(path, cache=False)
            return found
    except (ValueError, ImportError) as error:
        if "engine" in str(error) or isinstance(error, ImportError):
            raise ImportError(
                f"{printable(path)} is NetCDF-4, which needs one more package: pip install h5netcdf"
            ) from None
        raise DataError(f"{printable(path)} cannot be read as NetCDF or Zarr ({error}); fetch it again.") from None
    except OSError as error:
        raise DataError(f"{printable(path)} cannot be read as NetCDF or Zarr ({error}); fetch it again.") from None


def _axis(dataset: xr.Dataset, what: str, path: str) -> str:
    found = [str(name) for name in dataset.dims if str(name).lower() in _AXES[what]]
    if len(found) != 1 or found[0] not in dataset.variables:
        raise DataError(
            f"{printable(path)} has the dimensions {', '.join(map(str, dataset.dims))}; expected one for {what} "
            f"({', '.join(_AXES[what])}) with its values"
        )
    return found[0]


def _variable(dataset: xr.Dataset, names: dict[str, str], path: str, quantity: Quantity) -> Any:
    wanted = set(names.values())
    found = [str(name) for name, values in dataset.data_vars.items() if set(values.dims) == wanted]
    named = [name for name in found if name.lower() in quantity.columns]
    chosen = found if len(found) == 1 else named
    if len(chosen) != 1:
        raise DataError(
            f"{printable(path)} has the variables {', '.join(found) or 'none'} over time, latitude and longitude; "
            f"expected one, or one named {', '.join(quantity.columns[:3])} or the like"
        )
    return dataset[chosen[0]]
