"""The series of one point, from every burst and patch that covers it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from slidecloud.store.patch_specs import PREFERRED_INTEGRATED, PREFERRED_UNKNOWN, PREFERRED_UNWRAPPED
from slidecloud.store.trajectory_specs import TRAJECTORY
from slidecloud.types import Float32, StackHeader

NAMES = ("displacement", "displacement_sigma", "velocity", "velocity_sigma", "temporal_coherence")
ALSO = ("velocity_integrated", "velocity_integrated_sigma", "recovered_fraction", "residual_rms")
"""Taken along where every series has them."""


def series_at(
    places: Iterable[tuple[str, str, str, StackHeader, xr.Dataset]], lon: float, lat: float
) -> list[xr.Dataset]:
    """Series of the pixels that hold a point, one a burst, with ``distance``, ``track``, ``patch`` and what is best.

    Parameters
    ----------
    places
        Burst, track, patch (empty for the whole burst), header, and series of each place that may cover the point.
    lon, lat
        Degrees, WGS 84.
    """
    found = []
    for burst, track, patch, header, dataset in places:
        pixel = nearest(header, dataset, lon, lat)
        if pixel is None:
            continue
        row, column, distance = pixel
        fitted = [spec.name for spec in TRAJECTORY if spec.dims[-2:] == ("y", "x")]
        names = [*NAMES, *(name for name in (*ALSO, *fitted) if name in dataset)]
        series = dataset[names].isel(y=row, x=column).reset_coords(drop=True)
        series = series.assign(_best(series, dataset))
        series = series.assign(distance=distance, track=track, patch=patch)
        found.append(series.expand_dims(burst=[burst]))
    return found


def _best(series: xr.Dataset, dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """The velocity of the smaller expected error, its sigma, and the code of what it was made from."""
    chosen = int(dataset["preferred"]) if "preferred" in dataset else PREFERRED_UNKNOWN
    name = "velocity"
    if chosen == PREFERRED_INTEGRATED:
        if np.isfinite(float(series["velocity_integrated"])):
            name = "velocity_integrated"
        else:
            chosen = PREFERRED_UNWRAPPED
    return {
        "velocity_best": series[name],
        "velocity_best_sigma": series[f"{name}_sigma"],
        "preferred": xr.DataArray(np.uint8(chosen)),
    }


def nearest(header: StackHeader, dataset: xr.Dataset, lon: float, lat: float) -> tuple[int, int, float] | None:
    """Row, column and distance (m) of the pixel that holds a point, or None where it is not covered."""
    from pyproj import CRS, Geod, Transformer

    if header.grid is None:
        latitude, longitude = dataset["latitude"].values, dataset["longitude"].values
        return nearest_placed(latitude, longitude, lon, lat, within=max(header.spacing))
    geod, grid = Geod(ellps="WGS84"), header.grid
    forward = Transformer.from_crs("EPSG:4326", CRS.from_user_input(grid.crs), always_xy=True)
    x, y = forward.transform(lon, lat)
    if not (np.isfinite(x) and np.isfinite(y)):
        return None
    column, row = int(np.floor((x - grid.left) / grid.dx)), int(np.floor((y - grid.top) / grid.dy))
    if not (0 <= row < grid.height and 0 <= column < grid.width):
        return None
    centre = forward.transform(float(grid.x[column]), float(grid.y[row]), direction="INVERSE")
    return row, column, float(geod.inv(lon, lat, *centre)[2])


def nearest_placed(
    latitude: Float32, longitude: Float32, lon: float, lat: float, *, within: float
) -> tuple[int, int, float] | None:
    """Row, column and distance (m) of the pixel whose centre is nearest to a point, or None if none is near enough.

    Parameters
    ----------
    latitude, longitude
        (y, x), degrees.
    lon, lat
        The point, degrees, WGS 84.
    within
        Metres.
    """
    from pyproj import Geod

    separation = np.hypot(latitude - lat, (longitude - lon) * np.cos(np.deg2rad(lat)))
    if np.isnan(separation).all():
        return None
    row, column = (int(i) for i in np.unravel_index(np.nanargmin(separation), separation.shape))
    distance = float(Geod(ellps="WGS84").inv(lon, lat, longitude[row, column], latitude[row, column])[2])
    return (row, column, distance) if distance <= within else None
