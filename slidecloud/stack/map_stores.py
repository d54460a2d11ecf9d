"""Maps in Zarr stores, ours or others': the grid from their coordinates, and windows of their values."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from slidecloud.stack.names import printable
from slidecloud.store.arrays import zarr_store
from slidecloud.store.location import Location
from slidecloud.store.records import digest
from slidecloud.types import DataError, Float32, Grid

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class StoredMap:
    """An array (y, x) of a Zarr store, with its grid; ``fingerprint`` changes when any object of the store does."""

    location: Location
    variable: str
    grid: Grid
    fingerprint: str

    def read(self, rows: slice, columns: slice) -> Float32:
        """A window, decoded, float32 with NaN."""
        try:
            values = _kept(self.location, self.fingerprint, os.getpid())[self.variable][rows, columns].values
        except (ValueError, RuntimeError, TypeError) as error:
            raise DataError(
                f"{self.location} cannot be read ({printable(str(error))}): fetch or make it again"
            ) from error
        found: Float32 = np.asarray(values, np.float32)
        return found


@dataclass(frozen=True)
class StoredBands:
    """Arrays (y, x), or layers of one array (band, y, x), of a Zarr store, with their grid.

    Attributes
    ----------
    location
        The store.
    layers
        For each band its array, and its place in that where it has several.
    names
        Of the bands.
    grid, fingerprint
        As of a `StoredMap`.
    """

    location: Location
    layers: tuple[tuple[str, int | None], ...]
    names: tuple[str, ...]
    grid: Grid
    fingerprint: str

    def read(self, rows: slice, columns: slice) -> Float32:
        """A window (band, y, x), float32 with NaN; neither scaled nor offset."""
        try:
            dataset = _kept(self.location, self.fingerprint, os.getpid(), scaled=False)
            found = [_layer(dataset[name], place)[rows, columns].values for name, place in self.layers]
        except (ValueError, RuntimeError, TypeError) as error:
            raise DataError(
                f"{self.location} cannot be read ({printable(str(error))}): fetch or make it again"
            ) from error
        stacked: Float32 = np.stack(found).astype(np.float32)
        return stacked


def open_bands(location: Location, variable: str | None = None) -> StoredBands:
    """All bands of a Zarr store: the layers of its one array (band, y, x), or else its arrays (y, x).

    Parameters
    ----------
    location
        The store.
    variable
        The array (band, y, x); None takes the only one.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    DataError
        If it has no such array, or its arrays differ in shape, or one has no CRS or uneven coordinates.
    """
    dataset = _opened(location)
    deep = [str(name) for name, values in dataset.data_vars.items() if values.ndim == 3]
    flat = [str(name) for name, values in dataset.data_vars.items() if values.ndim == 2]
    if variable is None and len(deep) > 1:
        raise DataError(f"{location} has {len(deep)} arrays (band, y, x); name one with the key 'variable'")
    chosen = variable or (deep[0] if deep else None)
    if chosen is not None and chosen not in deep:
        raise DataError(f"{location} has no array {chosen!r} (band, y, x), expected one of {', '.join(deep) or 'none'}")
    if chosen is None and not flat:
        raise DataError(f"{location} has no arrays (y, x) or (band, y, x), expected the bands of an image")
    first = _layer(dataset[chosen], 0) if chosen is not None else dataset[flat[0]]
    if chosen is not None:
        axis = dataset[chosen].dims[0]
        count = dataset[chosen].shape[0]
        names = [str(name) for name in dataset[axis].values] if axis in dataset.coords else _numbered(count)
        layers: list[tuple[str, int | None]] = [(chosen, place) for place in range(count)]
    else:
        names, layers = flat, [(name, None) for name in flat]
        unlike = [name for name in flat if dataset[name].shape != first.shape]
        if unlike:
            raise DataError(
                f"{location}: {unlike[0]} has the shape {dataset[unlike[0]].shape}, expected that of {flat[0]}, "
                f"{first.shape}"
            )
    grid = _grid(dataset, first, f"{location}/{layers[0][0]}")
    entries = [[entry.key, entry.size, entry.version] for entry in location.entries()]
    return StoredBands(location, tuple(layers), tuple(names), grid, digest([layers, entries]))


def open_stored(location: Location, variable: str | None = None) -> StoredMap:
    """A map of a Zarr store.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    DataError
        If it has not one map, or none of that name, or the map has no CRS or uneven coordinates; names what to do.
    """
    dataset = _opened(location)
    maps = [str(name) for name, values in dataset.data_vars.items() if values.ndim == 2]
    name = variable or (maps[0] if len(maps) == 1 else None)
    if name not in maps:
        asked = f"no map {variable!r}" if variable else f"{len(maps)} maps"
        raise DataError(f"{location} has {asked}; name one with the key 'variable': {', '.join(maps) or 'none'}")
    grid = _grid(dataset, dataset[name], f"{location}/{name}")
    entries = [[entry.key, entry.size, entry.version] for entry in location.entries()]
    return StoredMap(location, name, grid, digest([name, entries]))


def _opened(location: Location) -> xr.Dataset:
    try:
        return _dataset(location)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no Zarr store {location}; check the path in the configuration.") from None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{location} cannot be read as Zarr ({printable(str(error))}): make it again") from None


def _layer(values: xr.DataArray, place: int | None) -> xr.DataArray:
    return values if place is None else values[place]


def _numbered(count: int) -> list[str]:
    return [f"band_{number}" for number in range(1, count + 1)]


@lru_cache(maxsize=16)
def _kept(location: Location, _fingerprint: str, _process: int, *, scaled: bool = True) -> xr.Dataset:
    """A store as it was, open for many windows; a process that was forked opens it anew."""
    return _dataset(location, scaled=scaled)


def _dataset(location: Location, *, scaled: bool = True) -> xr.Dataset:
    import xarray

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata that is not ours
        stored = xarray.open_zarr(zarr_store(location, read_only=True), chunks=None, decode_cf=False)
        for values in () if scaled else stored.data_vars.values():
            for name in ("scale_factor", "add_offset"):
                values.attrs.pop(name, None)
        found: xr.Dataset = xarray.decode_cf(stored, decode_coords="all")
    return found


def _grid(dataset: xr.Dataset, values: Any, name: str) -> Grid:
    axes = []
    for dim in values.dims:
        axis = np.asarray(dataset[dim].values, np.float64) if dim in dataset.coords else np.empty(0)
        steps = np.diff(axis)
        if len(axis) < 2 or np.ptp(steps) > 1e-6 * abs(steps.mean()):
            raise DataError(f"{name} has no even coordinate {dim}; expected pixel centres at equal steps")
        # From the ends, as single steps carry the rounding of their coordinates.
        axes.append((axis[0], (axis[-1] - axis[0]) / (len(axis) - 1), len(axis)))
    (top, dy, height), (left, dx, width) = axes
    if dy >= 0 or dx <= 0:
        raise DataError(f"{name} has steps of {dy:g} along y and {dx:g} along x; expected rows from north to south")
    return Grid(_crs(dataset, values, name), left - dx / 2, top - dy / 2, dx, dy, height, width)


def _crs(dataset: xr.Dataset, values: Any, name: str) -> str:
    mapping = values.encoding.get("grid_mapping", values.attrs.get("grid_mapping", "spatial_ref"))
    said = dataset[mapping].attrs if mapping in dataset.variables else {}
    for text in (
        said.get("crs_wkt"), said.get("spatial_ref"), dataset.attrs.get("proj:wkt2"), dataset.attrs.get("proj:code"),
    ):  # fmt: skip
        if text:
            from pyproj import CRS

            crs = CRS.from_user_input(text)
            epsg = crs.to_epsg()
            return f"EPSG:{epsg}" if epsg else str(crs.to_wkt())
    raise DataError(f"{name} has no coordinate reference system; write it as CF grid_mapping with crs_wkt")
