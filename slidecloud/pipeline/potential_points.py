"""Potential landslide points: pixels of a velocity map that are seen well, lie on a slope and move fast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_classify import ClassifyConfig
from slidecloud.kernels.visibility import potential
from slidecloud.pipeline import visibility
from slidecloud.stack import warped
from slidecloud.store import tables
from slidecloud.store.arrays import MissingChunkError, read, reader
from slidecloud.store.stability_specs import POTENTIAL_POINTS
from slidecloud.store.velocity_maps import Pixels, VelocityMap
from slidecloud.types import Float32, Float64, track_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def visibility_of(one: VelocityMap) -> dict[str, NDArray[Any]] | None:
    """Visibility of the burst under a velocity map; None where it is not there."""
    window = one.window()
    burst = one.run / "bursts" / one.header.id
    if window is None or visibility.STAGE not in burst.folders():
        return None
    group = reader(one.run, visibility.group(one.header.id))
    try:
        return {
            name: read(group[name], window)  # type: ignore[arg-type]
            for name in ("class", "slope", "r_index", "sensitivity")
        }
    except MissingChunkError:
        return None


def points_of(
    one: VelocityMap,
    velocity: Float32,
    sigma: Float32,
    visible: Mapping[str, NDArray[Any]],
    landslide: NDArray[np.object_],
    config: ClassifyConfig,
) -> GeoDataFrame:
    """The potential landslide points of a map.

    Parameters
    ----------
    one
        The map.
    velocity, sigma
        (y, x), m/yr, of the map.
    visible
        As `visibility_of` finds it.
    landslide
        (y, x), id of the landslide a pixel lies in; empty outside.
    config
        The thresholds and masks.
    """
    import shapely

    chosen = potential(
        visible["class"], visible["slope"], velocity,
        least_slope=math.radians(config.least_slope), least_speed=config.least_speed,
    )  # fmt: skip
    pixels = Pixels(*np.nonzero(chosen))
    longitude, latitude = one.place(pixels)
    free = ~_blocked(config.masks, longitude, latitude)
    pixels, longitude, latitude = Pixels(*(part[free] for part in pixels)), longitude[free], latitude[free]
    columns = {name: visible[name][pixels] for name in ("slope", "r_index", "sensitivity")}
    columns |= {"velocity": velocity[pixels], "velocity_sigma": sigma[pixels], "landslide": landslide[pixels]}
    columns["burst"] = np.full(len(longitude), one.header.id, object)
    columns["track"] = np.full(len(longitude), track_of(one.header), object)
    columns["source"] = np.full(len(longitude), one.source, object)
    return tables.table(POTENTIAL_POINTS, columns, list(shapely.points(longitude, latitude)))


def joined(parts: Sequence[GeoDataFrame]) -> GeoDataFrame:
    """The points of several maps as one table."""
    import geopandas
    import pandas

    filled = [part for part in parts if len(part)]
    if not filled:
        return tables.table(POTENTIAL_POINTS, {spec.name: [] for spec in POTENTIAL_POINTS}, [])
    return geopandas.GeoDataFrame(pandas.concat(filled, ignore_index=True))


def _blocked(masks: Sequence[str], longitude: Float64, latitude: Float64) -> NDArray[np.bool_]:
    """Points on ground that is left out; what a mask does not cover is not masked."""
    blocked = np.zeros(len(longitude), np.bool_)
    for path in masks if len(longitude) else ():
        with np.errstate(invalid="ignore"):
            blocked |= warped.at_points(path, longitude, latitude, how="nearest", may_miss=True) > 0
    return blocked
