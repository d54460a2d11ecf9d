"""What factors are made from: opened and checked once, then asked for one window of the grid after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import FactorConfig
from slidecloud.hazard import factors, laying, painting
from slidecloud.kernels.density import point_density
from slidecloud.kernels.distance import distance
from slidecloud.stack.map_files import MapFile
from slidecloud.stack.shapes import ShapeFile
from slidecloud.types import DataError, Float64, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Made = dict[str, NDArray[Any]]
_SEGMENT_BYTES: Final = 400
"""Of a straight piece of a line: its geometry, its coordinates, and the choices that are narrowed down."""


class Source(Protocol):
    """Something that one or more factors are made from.

    Attributes
    ----------
    name
        Of the group of its factors.
    grid
        The one grid.
    """

    @property
    def name(self) -> str: ...

    @property
    def grid(self) -> Grid: ...

    def parts(self) -> list[Any]:
        """What the digest of its units covers, as JSON values."""

    def memory(self) -> tuple[float, int]:
        """Bytes for each pixel of a window, and beside them."""

    def classes(self) -> Mapping[int, str]:
        """Names of the categories by their number, where it has categories."""

    def make(self, rows: slice, columns: slice) -> Made:
        """Arrays (y, x) of a window, by name."""


@dataclass(frozen=True)
class Ground:
    """A map of numbers, and the terrain factors that are computed from it."""

    name: str
    grid: Grid
    map: MapFile
    config: FactorConfig
    terrain: tuple[tuple[str, FactorConfig], ...] = ()

    def parts(self) -> list[Any]:
        told = [[name, one.model_dump(mode="json", exclude={"path"})] for name, one in self.terrain]
        return [self.map.fingerprint, self.config.resampling, told]

    def memory(self) -> tuple[float, int]:
        reach = laying.reach(self.map.grid, self.grid) if self.config.resampling else (1, 1)
        return 40 + (150 if self.terrain else 0), 64 * 256 * 1024 * reach[0] * reach[1]

    def classes(self) -> Mapping[int, str]:
        return {}

    def make(self, rows: slice, columns: slice) -> Made:
        size = factors.halo([one for _, one in self.terrain], self.grid.dx)
        # The ground around the window comes from the map itself, beyond the grid's border too.
        around = (slice(part.start - size, part.stop + size) for part in (rows, columns))
        ground = laying.lay(self.map, self.grid, *around, how=self.config.resampling)
        made: Made = {self.name: ground[size : ground.shape[0] - size, size : ground.shape[1] - size]}
        return made | factors.terrain(ground, dict(self.terrain), spacing=self.grid.dx, halo=size)


@dataclass(frozen=True)
class CategoryMap:
    """Categories of a map."""

    name: str
    grid: Grid
    map: MapFile
    config: FactorConfig

    def parts(self) -> list[Any]:
        return [self.map.fingerprint, self.config.resampling]

    def memory(self) -> tuple[float, int]:
        return 30, 64 * 256 * 1024

    def classes(self) -> Mapping[int, str]:
        return self.config.classes or {}

    def make(self, rows: slice, columns: slice) -> Made:
        found = laying.lay(self.map, self.grid, rows, columns, how=self.config.resampling)
        try:
            made = factors.categories(found, self.map.name)
        except ValueError as error:
            raise DataError(str(error)) from None
        unknown = sorted({int(number) for number in np.unique(made)} - {*self.classes(), factors.MISSING})
        if self.classes() and unknown:
            raise DataError(
                f"{self.map.name} holds the category {unknown[0]}, which factors.{self.name}.classes does not name; "
                "add it, or mark it as no data in the map"
            )
        return {self.name: made}


@dataclass(frozen=True)
class Shapes:
    """Points, lines and polygons in the grid's CRS."""

    name: str
    grid: Grid
    shapes: ShapeFile
    config: FactorConfig

    @property
    def _key(self) -> tuple[ShapeFile, str, Grid, bool]:
        return self.shapes, f"factors.{self.name}", self.grid, self.config.reproject

    def frame(self) -> GeoDataFrame:
        """All geometries; refused where they are in another CRS and it is not said to reproject them."""
        return _gathered(*self._key)

    def parts(self) -> list[Any]:
        kept = {"kind", "layer", "column", "radius"}
        return [self.shapes.fingerprint, self.config.model_dump(mode="json", include=kept)]

    def memory(self) -> tuple[float, int]:
        import shapely

        return 40, _SEGMENT_BYTES * int(shapely.get_num_coordinates(self.frame().geometry.to_numpy()).sum())

    def classes(self) -> Mapping[int, str]:
        return {}


class CategoryShapes(Shapes):
    """Categories of polygons, at the centre of each pixel."""

    def classes(self) -> Mapping[int, str]:
        names = factors.names_of(self.frame(), self.config.column, f"factors.{self.name}", self.shapes.name)
        return dict(enumerate(names))

    def make(self, rows: slice, columns: slice) -> Made:
        tree, owner = _polygons(*self._key)
        number = {name: code for code, name in self.classes().items()}
        values = self.frame()[self.config.column]
        codes = np.array([number.get(str(one), factors.MISSING) if one == one else factors.MISSING for one in values])
        painted = painting.paint(tree, codes.astype(np.int16)[owner], self.grid, rows, columns, missing=factors.MISSING)
        return {self.name: painted}


class Distances(Shapes):
    """Distance to the nearest geometry; 0 inside polygons."""

    def make(self, rows: slice, columns: slice) -> Made:
        x, y = laying.centres(self.grid, rows, columns)
        found = distance(x, y, _segments(*self._key))
        tree, owner = _polygons(*self._key)
        if len(owner):
            ones = np.ones(len(owner), np.int16)
            found[painting.paint(tree, ones, self.grid, rows, columns, missing=0) > 0] = 0
        return {self.name: found}


@dataclass(frozen=True)
class Densities:
    """Density of points, those beyond the grid's border included.

    ``points`` (n, 2) are x and y in the grid's CRS.
    """

    name: str
    grid: Grid
    points: tuple[tuple[float, float], ...]
    radius: float

    def parts(self) -> list[Any]:
        return [self.points, self.radius]

    def memory(self) -> tuple[float, int]:
        return 30, 200 * len(self.points)

    def classes(self) -> Mapping[int, str]:
        return {}

    def make(self, rows: slice, columns: slice) -> Made:
        place = np.array(self.points, np.float64).reshape(-1, 2)
        row, column = factors.cell_of(self.grid, place[:, 0], place[:, 1])
        shape = rows.stop - rows.start, columns.stop - columns.start
        away = self.radius / self.grid.dx + 1
        near = (row > rows.start - away) & (row < rows.stop + away)
        near &= (column > columns.start - away) & (column < columns.stop + away)
        found = point_density(
            row[near] - rows.start, column[near] - columns.start, shape=shape,
            spacing=(self.grid.dx, self.grid.dx), radius=self.radius, edge=False,
        )  # fmt: skip
        return {self.name: (1e6 * found).astype(np.float32)}


@lru_cache(maxsize=4)
def _gathered(shapes: ShapeFile, key: str, grid: Grid, reproject: bool) -> GeoDataFrame:
    return laying.gathered(key, shapes.read(), shapes.name, grid, reproject=reproject)


@lru_cache(maxsize=4)
def _segments(shapes: ShapeFile, key: str, grid: Grid, reproject: bool) -> Float64:
    return factors.segments(_gathered(shapes, key, grid, reproject))


@lru_cache(maxsize=4)
def _polygons(shapes: ShapeFile, key: str, grid: Grid, reproject: bool) -> tuple[Any, NDArray[np.intp]]:
    """A tree of all polygons, and the row of the table that each comes from."""
    import shapely

    every = _gathered(shapes, key, grid, reproject).geometry.to_numpy()
    parts, owner = shapely.get_parts(every, return_index=True)
    areal = shapely.get_type_id(parts) == factors.POLYGON
    return shapely.STRtree(parts[areal]), owner[areal]


def points_of(frame: GeoDataFrame) -> Float64:
    """Centres of geometries, (n, 2)."""
    import shapely

    found: Float64 = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()))
    return found


def known_pixels(values: NDArray[Any]) -> int:
    """Pixels that have a value."""
    return int(factors.is_known(values).sum())
