"""Factors made from points, lines and polygons: distances to them, and the categories that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import FactorConfig
from slidecloud.hazard import factors, laying, painting
from slidecloud.hazard.gathering import gathered
from slidecloud.hazard.sources import Made
from slidecloud.kernels.distance import distance
from slidecloud.stack.shapes import ShapeFile
from slidecloud.types import Float64, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_SEGMENT_BYTES: Final = 400
"""Of a straight piece of a line: its geometry, its coordinates, and the choices that are narrowed down."""


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


@lru_cache(maxsize=2)
def _gathered(shapes: ShapeFile, key: str, grid: Grid, reproject: bool) -> GeoDataFrame:
    return gathered(key, shapes.read(), shapes.name, grid, reproject=reproject)


@lru_cache(maxsize=2)
def _segments(shapes: ShapeFile, key: str, grid: Grid, reproject: bool) -> Float64:
    return factors.segments(_gathered(shapes, key, grid, reproject))


@lru_cache(maxsize=2)
def _polygons(shapes: ShapeFile, key: str, grid: Grid, reproject: bool) -> tuple[Any, NDArray[np.intp]]:
    """A tree of all polygons, and the row of the table that each comes from."""
    import shapely

    every = _gathered(shapes, key, grid, reproject).geometry.to_numpy()
    parts, owner = shapely.get_parts(every, return_index=True)
    areal = (shapely.get_type_id(parts) == factors.POLYGON) & np.isfinite(shapely.bounds(parts)).all(axis=1)
    return shapely.STRtree(parts[areal]), owner[areal]
