"""Areas that ascending and descending passes both have series of, each with a metric grid of its own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.places import EARTH_RADIUS, geohashes
from slidecloud.pipeline import patch_series, timeseries
from slidecloud.pipeline.geocoding import Geocoder
from slidecloud.pipeline.ground import Ground, ground_of
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.plan_series import Places
from slidecloud.store.patch_specs import Window
from slidecloud.types import DataError, Grid, StackHeader

MAPS: Final = ("los_east", "los_north", "los_up", "incidence", "elevation", "latitude", "longitude")
"""Maps of a stack that are read, where it has them."""
_ALONG: Final = 9
"""Places along each border that tell where a window lies."""

_HAIR: Final = 0.01
"""Share of a pixel by which ground may reach into it without a need for it: what turning degrees into metres leaves."""


@dataclass(frozen=True)
class Look:
    """A series of a burst or a patch, as a decomposition reads it.

    Attributes
    ----------
    header
        Of the burst.
    path
        Group of the series.
    window
        In the burst.
    ground
        Maps of its stack.
    outline
        Polygon in longitude and latitude.
    """

    header: StackHeader
    path: str
    window: Window
    ground: Ground
    outline: Any


@dataclass(frozen=True)
class Area:
    """Ground that is put on one grid from several looks, in the order of their paths."""

    grid: Grid
    looks: tuple[Look, ...]

    @property
    def name(self) -> str:
        """Geohash of the centre, and a digest of grid and looks."""
        from pyproj import Transformer

        grid = self.grid
        turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
        longitude, latitude = turn.transform(grid.left + grid.dx * grid.width / 2, grid.top + grid.dy * grid.height / 2)
        said = repr((grid, [look.path for look in self.looks]))
        return f"{geohashes([longitude], [latitude])[0]}-{hashlib.sha256(said.encode()).hexdigest()[:6]}"


def looks_of(selection: Selection, places: Places, static: Mapping[str, NDArray[np.float32]]) -> list[Look]:
    """The series that a burst is going to have; none where it does not say where it lies, or which way it looks.

    Parameters
    ----------
    selection
        Its pairs.
    places
        Where its displacement is wanted.
    static
        Maps of the burst that do not change with time.
    """
    header, lines = selection.header, {"los_east", "los_north", "los_up"}
    if not (lines <= set(static) or "incidence" in static):
        return []
    try:
        where = Geocoder(header, static.get("latitude"), static.get("longitude"))
    except DataError:
        return []
    ground = ground_of(selection, static, MAPS)
    wanted = [(patch_series.group(header.id, patch), patch.window) for patch in places.patches]
    if places.whole:
        wanted = [(timeseries.group(header.id), Window(0, header.shape[0], 0, header.shape[1]))]
    found = [Look(header, path, window, ground, _outline(where, window)) for path, window in wanted]
    return [look for look in found if look.outline is not None]


def areas(looks: Sequence[Look], *, spacing: float | None, largest: int) -> list[Area]:
    """Ground that looks of both passes cover: those that overlap together, cut where a grid would be too large.

    Parameters
    ----------
    looks
        Of all bursts.
    spacing
        Metres of a pixel; None takes the coarsest of the looks.
    largest
        Pixels of a grid, at most.
    """
    import shapely
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ordered = sorted(looks, key=lambda look: look.path)
    outlines = np.array([look.outline for look in ordered], dtype=object)
    up = np.array([look.header.pass_ == "ascending" for look in ordered], np.bool_)
    if not up.any() or up.all():
        return []
    one, other = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    both = up[one] & ~up[other]
    one, other = one[both], other[both]
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(ordered),) * 2)
    _, label = connected_components(links, directed=False)
    common = shapely.intersection(outlines[one], outlines[other])
    found: list[Area] = []
    for number in np.unique(label[one]):
        ground = shapely.union_all(common[label[one] == number])
        members = [ordered[i] for i in np.flatnonzero(label == number)]
        found += _cut(ground, members, spacing, largest)
    return found


def _cut(ground: Any, looks: Sequence[Look], spacing: float | None, largest: int) -> list[Area]:
    """Areas of connected ground: one, or as many boxes as keep each within its size."""
    import shapely

    west, south, east, north = ground.bounds
    step = spacing or max(max(look.header.spacing) for look in looks)
    degree = math.radians(1.0) * EARTH_RADIUS
    high, wide = (north - south) * degree, (east - west) * degree * math.cos(math.radians((south + north) / 2))
    side = step * math.sqrt(largest)
    down, across = (max(1, math.ceil(length / side)) for length in (high, wide))
    rows, columns = np.linspace(north, south, down + 1), np.linspace(west, east, across + 1)
    found = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            box = shapely.box(left, bottom, right, top)
            seen = [look for look in looks if shapely.intersects(look.outline, box)]
            if len({look.header.pass_ for look in seen}) == 2 and shapely.intersects(ground, box):
                part = shapely.intersection(ground, box)
                found.append(Area(_grid(part, seen, spacing), tuple(seen)))
    return found


def _grid(ground: Any, looks: Sequence[Look], spacing: float | None) -> Grid:
    """A metric grid around ground in degrees: on the pixels of the coarsest look where they are metric, else in UTM."""
    import shapely
    from pyproj import CRS, Transformer

    coarsest = max(looks, key=lambda look: max(look.header.spacing))
    step = spacing or max(coarsest.header.spacing)
    lattice = coarsest.header.grid
    if lattice is None or not _metric(lattice.crs):
        lattice = None
    west, south, east, north = ground.bounds
    crs = lattice.crs if lattice is not None else _utm((west + east) / 2, (south + north) / 2)
    turn = Transformer.from_crs("EPSG:4326", CRS.from_user_input(crs), always_xy=True)
    flat = shapely.transform(ground, lambda places: np.column_stack(turn.transform(*places.T)))
    left, bottom, right, top = flat.bounds
    x, y = (lattice.left, lattice.top) if lattice is not None and spacing is None else (0.0, 0.0)
    first, last = math.floor((left - x) / step + _HAIR), math.ceil((right - x) / step - _HAIR)
    upper, lower = math.floor((y - top) / step + _HAIR), math.ceil((y - bottom) / step - _HAIR)
    return Grid(crs, x + first * step, y - upper * step, step, -step, max(lower - upper, 2), max(last - first, 2))


def _metric(crs: str) -> bool:
    from pyproj import CRS

    found = CRS.from_user_input(crs)
    return bool(found.is_projected and all(axis.unit_name == "metre" for axis in found.axis_info))


def _utm(longitude: float, latitude: float) -> str:
    zone = math.floor((longitude + 180.0) / 6.0) % 60 + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def _outline(where: Geocoder, window: Window) -> Any:
    """Polygon of a window; None where its place is not known."""
    import shapely

    down, across = np.linspace(window.top, window.bottom, _ALONG), np.linspace(window.left, window.right, _ALONG)
    level, upright = np.full(_ALONG, 1.0), np.full(_ALONG, 1.0)
    row = np.concatenate([window.top * level, down, window.bottom * level, down[::-1]])
    column = np.concatenate([across, window.right * upright, across[::-1], window.left * upright])
    longitude, latitude = where(row, column)
    known = np.isfinite(longitude) & np.isfinite(latitude)
    if known.sum() < 4:
        return None
    return shapely.convex_hull(shapely.multipoints(np.column_stack([longitude, latitude])[known]))
