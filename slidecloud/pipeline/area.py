"""Pixels of a burst that a reference point or area names, and polygons of a file on its pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_timeseries import ReferenceConfig
from slidecloud.store.points import nearest_placed
from slidecloud.types import DataError, Float32, Float64, Grid, StackHeader


def reference_mask(
    header: StackHeader,
    reference: ReferenceConfig,
    *,
    patch: str = "",
    position: tuple[Float32, Float32] | None = None,
) -> NDArray[np.bool_]:
    """Pixels of the reference, (pixel,) in row-major order.

    Parameters
    ----------
    header
        Of the burst, or of a patch of it.
    reference
        A point, with a series or without, or an area.
    patch
        Name of the patch, for messages.
    position
        Latitude and longitude (y, x) of the pixel centres, degrees; needed in radar geometry.

    Raises
    ------
    DataError
        If the burst does not cover it, or lies in radar geometry and does not say where.
    """
    name = f"stack {header.id}" if not patch else f"patch {patch} of stack {header.id}"
    if header.grid is not None:
        mask = np.zeros(header.shape, np.bool_)
        mask[_window(header.grid, reference)] = True
    elif position is not None:
        mask = _placed(header, reference, *position)
    else:
        raise DataError(
            f"{name.capitalize()} is in radar geometry without latitude and longitude, which a reference "
            f"{reference.kind} in degrees needs. Ingest them with its stack, or use reference 'stable'."
        )
    if not mask.any():
        place = reference.point or reference.area
        raise DataError(
            f"The reference {reference.kind} {list(place or ())} (longitude, latitude) lies outside {name}. "
            "Choose one that all of them cover, or reference 'stable'."
        )
    return mask.ravel()


def _placed(
    header: StackHeader, reference: ReferenceConfig, latitude: Float32, longitude: Float32
) -> NDArray[np.bool_]:
    """Pixels (y, x) of the reference in radar geometry: the nearest to a point, or those with centres in an area."""
    if reference.point is None:
        west, south, east, north = reference.area or (np.nan,) * 4
        return (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    mask = np.zeros(header.shape, np.bool_)
    if (pixel := nearest_placed(latitude, longitude, *reference.point, within=max(header.spacing))) is not None:
        mask[pixel[:2]] = True
    return mask


def _window(grid: Grid, reference: ReferenceConfig) -> tuple[slice, slice]:
    from pyproj import CRS, Transformer

    forward = Transformer.from_crs("EPSG:4326", CRS.from_user_input(grid.crs), always_xy=True)
    if reference.point is not None:
        x, y = forward.transform(*reference.point)
        if not (np.isfinite(x) and np.isfinite(y)):
            return slice(0), slice(0)
        row, column = int(np.floor((y - grid.top) / grid.dy)), int(np.floor((x - grid.left) / grid.dx))
        inside = 0 <= row < grid.height and 0 <= column < grid.width
        return (slice(row, row + 1), slice(column, column + 1)) if inside else (slice(0), slice(0))
    west, south, east, north = forward.transform_bounds(*(reference.area or (np.nan,) * 4))
    top, bottom = (max(0, round((y - grid.top) / grid.dy)) for y in (north, south))
    left, right = (max(0, round((x - grid.left) / grid.dx)) for x in (west, east))
    return slice(top, bottom), slice(left, right)


def shapes_in_pixels(
    path: str, header: StackHeader, *, latitude: Float32 | None = None, longitude: Float32 | None = None
) -> list[Float64]:
    """Corners (n, 2) of each polygon of a file, (row, column) in pixels from the outer corner of the first pixel.

    Parameters
    ----------
    path
        Polygons in any CRS: GeoJSON, GeoPackage, shapefile, GeoParquet and the like.
    header
        Of the burst.
    latitude, longitude
        Degrees (y, x) of the pixel centres, needed in radar geometry; a corner is then that of the nearest pixel.

    Raises
    ------
    DataError
        If the file cannot be read, has no polygon or no CRS, or a burst in radar geometry does not say where it lies.
    """
    frame = _polygons(path)
    grid = header.grid
    if grid is None:
        if latitude is None or longitude is None:
            raise DataError(
                f"Burst {header.id} is in radar geometry without latitude and longitude, which timeseries.where "
                f"{path!r} needs. Ingest them with its stack, or choose 'everywhere'."
            )
        placed = frame.to_crs("EPSG:4326")
    else:
        placed = frame.to_crs(grid.crs)
    parts = placed.explode(index_parts=False).geometry
    corners = [np.asarray(part.exterior.coords)[:, :2] for part in parts]
    if grid is not None:
        return [np.stack([(c[:, 1] - grid.top) / grid.dy, (c[:, 0] - grid.left) / grid.dx], axis=1) for c in corners]
    assert latitude is not None
    assert longitude is not None
    inside = [c for c in corners if _overlaps(c, latitude, longitude)]
    return [np.stack([_nearest(x, y, latitude, longitude) for x, y in c]) + 0.5 for c in inside]


def _polygons(path: str) -> Any:
    import geopandas

    try:
        frame = geopandas.read_parquet(path) if Path(path).suffix == ".parquet" else geopandas.read_file(path)
    except Exception as error:  # noqa: BLE001 - whatever the format's library raises, the file cannot be used
        raise DataError(f"timeseries.where: {path} cannot be read as polygons ({error}). Check the file.") from None
    frame = frame[frame.geometry.notna() & frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if frame.crs is None or not len(frame):
        lack = "no CRS" if frame.crs is None else "no polygon"
        raise DataError(f"timeseries.where: {path} has {lack}; expected polygons with a coordinate reference system.")
    return frame


def _overlaps(corners: Float64, latitude: Float32, longitude: Float32) -> bool:
    west, south = corners.min(axis=0)
    east, north = corners.max(axis=0)
    return bool(np.any((longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)))


def _nearest(x: float, y: float, latitude: Float32, longitude: Float32) -> Float64:
    distance = np.hypot(latitude - y, (longitude - x) * np.cos(np.deg2rad(y)))
    return np.array(np.unravel_index(int(np.nanargmin(distance)), distance.shape), np.float64)
