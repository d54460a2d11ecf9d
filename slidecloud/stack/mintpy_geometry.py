"""``geometryGeo.h5`` and ``geometryRadar.h5`` of MintPy: heights, angles in degrees, coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from slidecloud.stack.geometry import checked_elevation, checked_look_vectors
from slidecloud.stack.grids import mismatch
from slidecloud.stack.hdf5 import Hdf5, opened
from slidecloud.stack.mintpy_metadata import Attributes, grid_of
from slidecloud.stack.names import SourcePath
from slidecloud.types import DataError, Float32, Grid, StackHeader

_LAYERS = ("height", "incidenceAngle", "azimuthAngle", "slantRangeDistance", "latitude", "longitude")


@dataclass(frozen=True)
class Geometry:
    """A file of geometry that was checked against its stack."""

    place: SourcePath
    layers: tuple[str, ...]

    def middle(self) -> dict[str, float]:
        """Mean of the middle row of each layer, without its gaps."""
        with opened(self.place) as file:
            rows = {name: self._layer(file, name, middle=True) for name in self.layers}
        return {name: float(np.nanmean(row)) for name, row in rows.items() if np.isfinite(row).any()}

    def maps(self, header: StackHeader) -> dict[str, Float32]:
        """Static maps of a stack; see `slidecloud.stack.source.Source.static`.

        Raises
        ------
        DataError
            If elevations or angles make no sense.
        """
        with opened(self.place) as file:
            found = {name: self._layer(file, name) for name in self.layers}
            name = file.name
        maps = {}
        if "height" in found:
            maps["elevation"] = checked_elevation(found["height"], f"{name}: height")
        if "incidenceAngle" in found:
            incidence = np.radians(found["incidenceAngle"], dtype=float)
            default = (90.0 if header.look_direction == "right" else -90.0) - header.heading
            azimuth = np.radians(found.get("azimuthAngle", np.full(incidence.shape, default)), dtype=float)
            # Anticlockwise from north, so that west is positive.
            east, north = -np.sin(incidence) * np.sin(azimuth), np.sin(incidence) * np.cos(azimuth)
            parts = (east.astype(np.float32), north.astype(np.float32), np.cos(incidence).astype(np.float32))
            maps |= checked_look_vectors(
                *parts,
                pass_=header.pass_,
                look_direction=header.look_direction,
                name=f"{name}: incidenceAngle and azimuthAngle",
            )
        if header.geometry == "radar" and "latitude" in found and "longitude" in found:
            maps |= _places(found["latitude"], found["longitude"], name)
        return maps

    def _layer(self, file: Hdf5, name: str, *, middle: bool = False) -> Float32:
        """A layer, or its middle row; NaN where it has no data, which is 0 but for heights and coordinates."""
        dataset = file.dataset(name, kinds="f", ndim=2, expected="a map (y, x)")
        row = dataset.shape[0] // 2
        values = file.rows(dataset, row if middle else 0, row + 1 if middle else dataset.shape[0]).astype(np.float32)
        if name not in ("height", "latitude", "longitude"):
            values[values == 0] = np.nan
        return values


def open_geometry(place: SourcePath, shape: tuple[int, int], grid: Grid | None) -> Geometry:
    """Check a file of geometry against the shape and the grid of its stack.

    Raises
    ------
    DataError
        If a layer has another shape, the file lies on another grid, or angles leave their range.
    """
    with opened(place) as file:
        layers = tuple(name for name in _LAYERS if name in file)
        for name in layers:
            found = file.dataset(name, kinds="f", ndim=2, expected="a map (y, x)").shape
            if found != shape:
                raise file.error(name, f"has the shape {found}, expected {shape} like the stack: load the data again")
        own = grid_of(Attributes(file.name, file.attributes())) if grid is not None else None
        problem = mismatch(own, grid) if own is not None and grid is not None else ""
        if not problem and own is not None and grid is not None and (own.left, own.top) != (grid.left, grid.top):
            away = max(abs(own.left - grid.left) / grid.dx, abs(own.top - grid.top) / -grid.dy)
            problem = f"begins {away:.3g} pixels away from the stack: load the data again" if away > 0.5 else ""
        if problem:
            raise DataError(f"{file.name} {problem}")
    geometry = Geometry(place, layers)
    angle = geometry.middle().get("incidenceAngle", math.nan)
    if not math.isnan(angle) and not 5 < angle < 85:
        raise DataError(
            f"{file.name}: incidenceAngle is {angle:.4g} on average, expected degrees from 5 to 85: check its unit"
        )
    return geometry


def _places(latitude: Float32, longitude: Float32, name: str) -> dict[str, Float32]:
    """Coordinates in degrees, NaN where both are 0."""
    nowhere = (latitude == 0) & (longitude == 0)
    maps = {}
    for key, values, limit in (("latitude", latitude, 90.0), ("longitude", longitude, 180.0)):
        maps[key] = np.where(nowhere, np.float32(np.nan), values)
        largest = float(np.nanmax(np.abs(maps[key]), initial=0))
        if not largest <= limit:
            raise DataError(f"{name}: {key} reaches {largest:.6g}, expected degrees up to {limit:g}: check its unit")
    return maps
