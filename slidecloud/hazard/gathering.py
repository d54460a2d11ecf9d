"""Geometries brought into the CRS of the one grid: on purpose, and not from the far side of the globe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.laying import short
from slidecloud.types import Float64, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_FARTHEST: Final = 45.0
"""Degrees of a great circle from the middle of the grid: 5,000 km."""
_POLYGONS: Final = (3, 6)
"""Shapely's numbers of polygons and of several in one."""


def gathered(key: str, frame: GeoDataFrame, name: str, grid: Grid, *, reproject: bool) -> GeoDataFrame:
    """Geometries in the grid's CRS, straight between their vertices there.

    Projections tear the far side of the globe apart: what crosses a tear would cross the grid. So a vertex more than
    5,000 km from the middle of the grid is none. It becomes infinite in lines, whose pieces end before it, and
    geometries without any other are left out.

    Raises
    ------
    ConfigError
        If they are in another CRS and it is not said to reproject them, if all of them are so far, or if a
        polygon is in part; names key, file and CRSs.
    """
    from pyproj import CRS

    crs = CRS.from_user_input(grid.crs)
    if frame.crs == crs:
        return frame
    if not reproject:
        raise ConfigError(
            f"{key}: {name} is in {short(frame.crs.to_string())} and the grid in {short(grid.crs)}; nothing is "
            "reprojected unasked. Say 'reproject: true', or give geometries in the grid's CRS."
        )
    import shapely

    shapes = frame.geometry.to_numpy()
    places, owner = shapely.get_coordinates(shapes, return_index=True)
    moved = _moved(places, frame.crs, grid)
    lost = np.isinf(moved).any(axis=1)
    count, gone = np.bincount(owner, minlength=len(shapes)), np.bincount(owner, weights=lost, minlength=len(shapes))
    torn = (gone > 0) & (gone < count) & np.isin(shapely.get_type_id(shapes), _POLYGONS)
    if torn.any():
        raise ConfigError(
            f"{key}: {torn.sum()} polygons of {name} reach farther than 5,000 km from the grid, the first is row "
            f"{int(np.flatnonzero(torn)[0])}; clip them to the region (ogr2ogr -clipsrc)."
        )
    kept = gone < count
    if not kept.any():
        raise ConfigError(f"{key}: nothing of {name} lies within 5,000 km of the grid; check its CRS.")
    found = frame.set_geometry(shapely.set_coordinates(shapes.copy(), moved))
    return found[kept].set_crs(crs, allow_override=True).reset_index(drop=True)


def points_of(frame: GeoDataFrame) -> Float64:
    """Centres of geometries, (n, 2)."""
    import shapely

    found: Float64 = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()))
    return found[np.isfinite(found).all(axis=1)]


def _moved(places: NDArray[Any], there: Any, grid: Grid) -> NDArray[Any]:
    """Places in the grid's CRS; infinite where they are too far from it."""
    from pyproj import Transformer

    moved = np.column_stack(Transformer.from_crs(there, grid.crs, always_xy=True).transform(*places.T))
    middle = grid.left + grid.dx * grid.width / 2, grid.top + grid.dy * grid.height / 2
    here = _upright(Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(*middle))
    every = _upright(Transformer.from_crs(there, "EPSG:4326", always_xy=True).transform(*places.T))
    near = every.T @ here > np.cos(np.radians(_FARTHEST))
    moved[~(near & np.isfinite(moved).all(axis=1))] = np.inf
    return moved


def _upright(place: Any) -> NDArray[Any]:
    """Unit vectors (3, ...) of longitudes and latitudes in degrees."""
    longitude, latitude = np.radians(np.where(np.isfinite(place), place, np.nan))
    level = np.cos(latitude)
    return np.stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)])
