"""The factors of hazard: which there are, what they are made of, and how each follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import KEYS, FactorConfig, GridConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.curvature import curvature, relief
from slidecloud.kernels.terrain import slope_aspect
from slidecloud.types import Float32, Float64, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CURVATURES: Final = ("profile_curvature", "plan_curvature", "tangential_curvature")
MISSING: Final = -1
"""Category of a pixel without one."""
_POINT, _LINE, _RING, POLYGON = 0, 1, 2, 3
"""Shapely's numbers of the kinds of geometries."""


def grid_of(config: GridConfig) -> Grid:
    """The grid of a configuration.

    Raises
    ------
    ConfigError
        If its CRS is unknown, or not projected in metres.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(config.crs)
    except CRSError:
        raise ConfigError(f"grid.crs is {config.crs!r}, which is unknown; expected one such as EPSG:32648.") from None
    if not crs.is_projected or any(axis.unit_conversion_factor != 1.0 for axis in crs.axis_info):
        raise ConfigError(
            f"grid.crs is {config.crs} ({crs.name}); slopes and distances need a projected CRS in metres, such as the "
            "UTM zone of the region."
        )
    west, south, east, north = config.bounds
    size = config.spacing
    return Grid(config.crs, west, north, size, -size, round((north - south) / size), round((east - west) / size))


def is_terrain(config: FactorConfig) -> bool:
    """Whether a factor is computed from another, its elevation."""
    return "of" in KEYS[config.kind].others


def halo(configs: Sequence[FactorConfig], spacing: float) -> int:
    """Pixels around a window that these factors of one elevation need."""
    windows = [window_reach(one.window, spacing) for one in configs if one.window is not None]
    return max(windows, default=0) if not any(map(is_terrain, configs)) else max([1, *windows])


def window_reach(window: float, spacing: float) -> int:
    """Pixels to either side of a pixel in a window of so many metres, at least 1: the window has an odd number."""
    return max(1, round((window / spacing - 1) / 2))


def terrain(
    elevation: Float32, configs: Mapping[str, FactorConfig], *, spacing: float, halo: int
) -> dict[str, Float32]:
    """Factors of a window of ground, float32 (y, x), by name.

    Parameters
    ----------
    elevation
        m, (y + 2 halo, x + 2 halo): the window with so many pixels around it, NaN where nothing is known.
    configs
        Of kind slope, aspect (clockwise from the grid's north), curvature or relief.
    spacing
        Metres of a pixel.
    halo
        As `halo` gives it.
    """
    inside = slice(halo, elevation.shape[0] - halo), slice(halo, elevation.shape[1] - halo)
    kinds = {one.kind for one in configs.values()}
    made: dict[str, Float32] = {}
    if kinds & {"slope", "aspect"}:
        # A ring of one pixel alone is needed, and the ring's own slopes are not used.
        ring = tuple(slice(part.start - 1, part.stop + 1) for part in inside)
        found = slope_aspect(elevation[ring], spacing=(spacing, spacing))
        made |= {"slope": found.slope[1:-1, 1:-1], "aspect": found.aspect[1:-1, 1:-1]}
    if kinds & set(CURVATURES):
        curved = curvature(elevation, spacing=(spacing, spacing))
        made |= {name: part[inside] for name, part in zip(CURVATURES, curved, strict=True)}
    result = {name: made[one.kind] for name, one in configs.items() if one.kind in made}
    for name, one in configs.items():
        if one.kind == "relief":
            assert one.window is not None
            size = window_reach(one.window, spacing)
            result[name] = relief(elevation, reach=(size, size))[inside]
    return result


def segments(frame: GeoDataFrame) -> Float64:
    """Straight pieces of all lines and borders of polygons, and points as pieces without length, (n, 4).

    What a projection has no place for, such as rivers of the other side of the globe, is left out.
    """
    import shapely

    parts = shapely.get_parts(frame.geometry.to_numpy())
    kinds = shapely.get_type_id(parts)
    points = shapely.get_coordinates(parts[kinds == _POINT])
    rings = shapely.get_rings(parts[kinds == POLYGON])
    ends = [_pieces(lines) for lines in (parts[(kinds == _LINE) | (kinds == _RING)], rings)]
    pieces = np.concatenate([np.hstack([points, points]), *ends])
    kept: Float64 = pieces[np.isfinite(pieces).all(axis=1)]
    return kept


def _pieces(lines: NDArray[Any]) -> Float64:
    import shapely

    place, owner = shapely.get_coordinates(lines, return_index=True)
    joined = owner[1:] == owner[:-1]
    found: Float64 = np.hstack([place[:-1][joined], place[1:][joined]])
    return found


def categories(found: Float32, name: str) -> NDArray[np.int16]:
    """Categories of a map as int16, `MISSING` where it has no data.

    Raises
    ------
    ValueError
        If a value is no whole number from 0 to 32767.
    """
    known = np.isfinite(found)
    values = found[known]
    wrong = (values < 0) | (values > np.iinfo(np.int16).max) | (values != np.floor(values))
    if wrong.any():
        raise ValueError(f"{name} holds {values[wrong][0]:g}; expected categories as whole numbers from 0 to 32767")
    made = np.full(found.shape, MISSING, np.int16)
    made[known] = values.astype(np.int16)
    return made


def names_of(frame: GeoDataFrame, column: str | None, key: str, name: str) -> list[str]:
    """Categories of polygons, sorted; a category's number is its place.

    Raises
    ------
    ConfigError
        If no column is named, or the table lacks it.
    """
    columns = [str(one) for one in frame.columns if one != frame.geometry.name]
    if column not in columns:
        said = "names no column" if column is None else f"names the column {column!r}"
        raise ConfigError(f"{key} {said}; {name} has {', '.join(columns) or 'none'}. Name the one with the categories.")
    return sorted({str(value) for value in frame[column].dropna()})


def cell_of(grid: Grid, x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Row and column of places, counted from the outer corner of the first pixel."""
    return (y - grid.top) / grid.dy, (x - grid.left) / grid.dx


def is_known(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a factor has a value."""
    known: NDArray[np.bool_] = np.isfinite(values) if values.dtype.kind == "f" else values != MISSING
    return known
