"""The velocity maps of a burst as they are stored: of the whole burst, or of patches around what was found in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from slidecloud.store.arrays import MissingChunkError, read, reader
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import PREFERRED_INTEGRATED
from slidecloud.types import Float64, StackHeader

SERIES: Final = "timeseries"
UNWRAPPED: Final = "unwrapped"
INTEGRATED: Final = "integrated"
_DEGREE: Final = 111_195.0
"""Metres of a degree of latitude."""
_PATCH: Final = re.compile(r"/patches/([^/]+)/")
_WINDOW: Final = re.compile(r"/r(\d+)_c(\d+)/")


class Pixels(NamedTuple):
    """Rows and columns, intp (n,), of pixels of a map."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


@dataclass(frozen=True)
class VelocityMap:
    """One stored group ``timeseries``.

    Attributes
    ----------
    run
        The run store.
    header
        Of the burst.
    path
        Of the group.
    """

    run: Location
    header: StackHeader
    path: str

    @cached_property
    def _group(self) -> zarr.Group:
        return reader(self.run, self.path)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self._group["velocity"].shape  # type: ignore[union-attr]
        return rows, columns

    def map(self, name: str) -> NDArray[Any]:
        """A whole map, (y, x); `slidecloud.store.arrays.MissingChunkError` where it is not finished."""
        return read(self._group[name], (slice(None), slice(None)))  # type: ignore[arg-type]

    @property
    def source(self) -> str:
        """What `best` takes: ``integrated`` where a patch prefers it; where it does not, or not yet, ``unwrapped``."""
        if "preferred" not in self._group:
            return UNWRAPPED
        try:
            chosen = int(read(self._group["preferred"], ()))  # type: ignore[arg-type]
        except MissingChunkError:  # what it is chosen by is set aside, or not finished
            return UNWRAPPED
        return INTEGRATED if chosen == PREFERRED_INTEGRATED else UNWRAPPED

    @property
    def name(self) -> str:
        """Of the map that `best` takes: ``velocity_integrated`` or ``velocity``."""
        return "velocity_integrated" if self.source == INTEGRATED else "velocity"

    @property
    def patch(self) -> str:
        """Name of the patch; empty for a whole burst."""
        found = _PATCH.search(self.path)
        return "" if found is None else found[1]

    def best(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The velocity of the smaller expected error and its standard error, (y, x) m/yr; see `source`."""
        name = self.name
        return self.map(name), self.map(f"{name}_sigma")

    def series(self, name: str, pixels: Pixels) -> NDArray[Any]:
        """Series of some pixels, (time, n)."""
        top, left = pixels.rows.min(), pixels.columns.min()
        window = slice(top, pixels.rows.max() + 1), slice(left, pixels.columns.max() + 1)
        found = read(self._group[name], (slice(None), *window))  # type: ignore[arg-type]
        return found[:, pixels.rows - top, pixels.columns - left]

    @property
    def time(self) -> NDArray[np.datetime64]:
        """(time,) datetime64[s] of the images, UTC."""
        seconds = read(self._group["time"], (slice(None),))  # type: ignore[arg-type]
        return seconds.astype("datetime64[s]")

    @cached_property
    def _axes(self) -> tuple[Float64, Float64]:
        """Of a map grid, centres of rows and columns; of a radar grid, latitude and longitude of every pixel."""
        names = ("y", "x") if self.header.grid is not None else ("latitude", "longitude")
        group = self._group
        y, x = (read(group[name], (slice(None),) * group[name].ndim) for name in names)  # type: ignore[union-attr,arg-type]
        return y.astype(np.float64), x.astype(np.float64)

    def place(self, pixels: Pixels) -> tuple[Float64, Float64]:
        """Longitude and latitude (n,) of pixel centres, degrees."""
        y, x = self._axes
        if self.header.grid is None:
            return x[pixels.rows, pixels.columns], y[pixels.rows, pixels.columns]
        from pyproj import CRS, Transformer

        turn = Transformer.from_crs(CRS.from_user_input(self.header.grid.crs), "EPSG:4326", always_xy=True)
        longitude, latitude = turn.transform(x[pixels.columns], y[pixels.rows])
        return np.asarray(longitude), np.asarray(latitude)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the centres of its outermost pixels, degrees."""
        height, width = self.shape
        rows = np.concatenate([np.zeros(width), np.full(width, height - 1), np.arange(height), np.arange(height)])
        columns = np.concatenate([np.arange(width), np.arange(width), np.zeros(height), np.full(height, width - 1)])
        longitude, latitude = self.place(Pixels(rows.astype(np.intp), columns.astype(np.intp)))
        west, south, east, north = (how(axis) for how in (np.nanmin, np.nanmax) for axis in (longitude, latitude))
        return float(west), float(south), float(east), float(north)

    def pixel_of(
        self, longitude: Float64, latitude: Float64
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Row and column (n,) of the pixels that hold places, degrees, and which places lie in the map at all."""
        y, x = self._axes
        if self.header.grid is None:
            return self._nearest(longitude, latitude)
        from pyproj import CRS, Transformer

        turn = Transformer.from_crs("EPSG:4326", CRS.from_user_input(self.header.grid.crs), always_xy=True)
        east, north = (np.asarray(axis) for axis in turn.transform(longitude, latitude))
        with np.errstate(invalid="ignore"):
            row, column = np.rint((north - y[0]) / self.header.grid.dy), np.rint((east - x[0]) / self.header.grid.dx)
            inside = (row >= 0) & (row < y.size) & (column >= 0) & (column < x.size)
        return np.where(inside, row, 0).astype(np.intp), np.where(inside, column, 0).astype(np.intp), inside

    def _nearest(
        self, longitude: Float64, latitude: Float64
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """The same in radar geometry: the nearest pixel, within half a pixel's diagonal."""
        from scipy.spatial import cKDTree

        y, x = self._axes
        known = np.flatnonzero(np.isfinite(y.ravel()) & np.isfinite(x.ravel()))
        scale = np.cos(np.deg2rad(np.nanmean(y)))
        tree = cKDTree(np.column_stack([y.ravel()[known], x.ravel()[known] * scale]))
        wanted = np.column_stack([latitude, longitude * scale])
        reach = np.hypot(*self.header.spacing) / 2 / _DEGREE
        asked = np.isfinite(wanted).all(axis=1)
        distance, place = tree.query(np.where(asked[:, None], wanted, 0), distance_upper_bound=reach)
        inside = asked & np.isfinite(distance)
        row, column = np.unravel_index(known[np.where(inside, place, 0)], y.shape)
        return row.astype(np.intp), column.astype(np.intp), inside

    def near(self, outlines: NDArray[np.object_]) -> NDArray[np.intp]:
        """Which geometries (longitude and latitude) may have pixels of the map in them, by their bounds."""
        import shapely

        west, south, east, north = self.bounds
        left, bottom, right, top = shapely.bounds(outlines).reshape(-1, 4).T
        return np.flatnonzero((left <= east) & (right >= west) & (bottom <= north) & (top >= south))

    def inside(self, outlines: Sequence[Any]) -> Iterator[Pixels]:
        """Pixels whose centres lie in each of some geometries (longitude and latitude), in row-major order."""
        import shapely

        y, x = self._axes
        if self.header.grid is None:
            for shape in outlines:
                west, south, east, north = shape.bounds
                rows, columns = np.nonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
                within = shapely.contains_xy(shape, x[rows, columns], y[rows, columns])
                yield Pixels(rows[within], columns[within])
            return
        from pyproj import CRS, Transformer

        forward = Transformer.from_crs("EPSG:4326", CRS.from_user_input(self.header.grid.crs), always_xy=True)
        for shape in outlines:
            flat = shapely.transform(shape, lambda points: np.column_stack(forward.transform(*points.T)))
            west, south, east, north = flat.bounds
            rows, columns = np.nonzero((y >= south) & (y <= north))[0], np.nonzero((x >= west) & (x <= east))[0]
            within = shapely.contains_xy(flat, x[columns][None, :], y[rows][:, None])
            chosen = np.nonzero(within)
            yield Pixels(rows[chosen[0]], columns[chosen[1]])

    def window(self) -> tuple[slice, slice] | None:
        """Where it lies in its burst; None where neither its coordinates nor its name tell."""
        height, width = self.shape
        if (height, width) == self.header.shape:
            return slice(0, height), slice(0, width)
        grid = self.header.grid
        if grid is not None:
            y, x = self._axes
            top, left = round((y[0] - grid.y[0]) / grid.dy), round((x[0] - grid.x[0]) / grid.dx)
        else:
            named = _WINDOW.search(self.path)
            if named is None:
                return None
            top, left = int(named[1]), int(named[2])
        return slice(top, top + height), slice(left, left + width)


def velocity_maps(run: Location, header: StackHeader) -> list[VelocityMap]:
    """The velocity maps that a burst has: that of the whole burst where there is one, else those of its patches."""
    burst = run / "bursts" / header.id
    paths = [SERIES]
    if SERIES not in burst.folders():
        paths = [f"patches/{patch}/{SERIES}" for patch in (burst / "patches").folders()]
    # A folder alone may be what is left of a group that was withdrawn.
    there = run.read_many(f"bursts/{header.id}/{path}/zarr.json" for path in paths)
    return [VelocityMap(run, header, key.removesuffix("/zarr.json")) for key in sorted(there)]
