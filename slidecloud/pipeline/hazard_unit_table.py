"""The table of slope units: what every factor is like in each of them, and their outlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_units import UnitsConfig
from slidecloud.hazard import zonal
from slidecloud.hazard.unit_polygons import polygons
from slidecloud.pipeline.hazard_windows import Basins, facing_in, read_window, smoothing
from slidecloud.pipeline.tiles import Tile
from slidecloud.store import tables
from slidecloud.store.arrays import Writer
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.tables import ColumnSpec
from slidecloud.store.unit_specs import (
    FLOW_GROUP,
    PARTS,
    UNITS_GROUP,
    UNITS_TABLE,
    LayerKind,
    unit_columns,
)
from slidecloud.types import DataError, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True, slots=True)
class Layer:
    """A factor to describe units by.

    Attributes
    ----------
    name
        Of its array.
    kind
        number, angle (rad) or category.
    units
        Of its values.
    digest
        Of what it is made from.
    """

    name: str
    kind: LayerKind
    units: str
    digest: str


def columns_of(layers: tuple[Layer, ...]) -> tuple[ColumnSpec, ...]:
    """Columns of the table."""
    return unit_columns([(layer.name, layer.kind, layer.units) for layer in layers])


@dataclass(frozen=True, slots=True)
class ZonesWork:
    """Describe the units of the basins that begin in a tile, each of which is read whole."""

    location: Location
    grid: Grid
    config: UnitsConfig
    layers: tuple[Layer, ...]
    tile: Tile

    def __call__(self, writer: Writer) -> dict[str, Any]:
        own = Basins.stored(self.location).begun_in(self.tile, self.grid.width)
        found = self._described(own) if own.basin.size else _empty(self.layers)
        writer.write_object(part(self.tile), tables.encode(found))
        return {"units": len(found)}

    def _described(self, own: Basins) -> GeoDataFrame:
        import geopandas

        window = own.window((self.grid.height, self.grid.width))
        basin = read_window(self.location, FLOW_GROUP, "basin", window)
        named = read_window(self.location, UNITS_GROUP, "unit", window)
        names, number = np.unique(np.where(np.isin(basin, own.basin), named, 0), return_inverse=True)
        missing = int(names[0] == 0)
        unit: NDArray[np.int32] = (number.reshape(named.shape) - missing).astype(np.int32)
        names, count = names[missing:], len(names) - missing
        elevation = read_window(self.location, FACTORS, self.config.elevation, window)
        pieces, by_cell = (
            facing_in(self.location, self.config, self.grid, window, smooth=smooth).pieces(unit, count)
            for smooth in (True, False)
        )
        columns: dict[str, Any] = {
            "unit": names,
            "area": pieces.cells * abs(self.grid.dx * self.grid.dy),
            "aspect_spread": pieces.spread,
            "cell_aspect_spread": by_cell.spread,
            "height_range": zonal.span(unit, elevation, count),
        }
        for layer in self.layers:
            columns |= _figures(layer, unit, read_window(self.location, FACTORS, layer.name, window), count)
        outlines = polygons(unit, count, self.grid, origin=(window.top, window.left))
        shapes = geopandas.GeoSeries(outlines, crs=self.grid.crs).to_crs(tables.CRS)
        return tables.table(columns_of(self.layers), columns, list(shapes))


@dataclass(frozen=True, slots=True)
class TableWork:
    """Put the parts of the table together, in the order of the units' numbers."""

    location: Location
    config: UnitsConfig
    layers: tuple[Layer, ...]
    tiles: tuple[Tile, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        stored = []
        for tile in self.tiles:
            data = self.location.read(part(tile))
            if data is None:
                raise DataError(
                    f"{part(tile)} is missing from {self.location} though its record is there. Run 'slidecloud verify "
                    f"{self.location} --repair', and then 'slidecloud hazard units' again."
                )
            stored.append((part(tile), data))
        found = tables.decode(*stored).sort_values("unit", ignore_index=True)
        writer.write_object(UNITS_TABLE, tables.encode(found))
        area = found["area"].to_numpy()
        facts: dict[str, Any] = {
            "factors": {layer.name: layer.digest for layer in self.layers},
            "units": len(found),
            "below_least_area": int((area < self.config.least_area).sum()),
            "cells_above_spread": int((found["cell_aspect_spread"] > self.config.spread).sum()),
            "smoothing": smoothing(self.config),
        }
        if len(found):
            sizes = {"mean": area.mean(), "median": np.median(area), "least": area.min(), "largest": area.max()}
            facts |= {f"{name}_area": float(size) for name, size in sizes.items()}
        return facts


def part(tile: Tile) -> str:
    """Key of the part of the table that a tile makes."""
    return f"{PARTS}/{tile}.parquet"


def _figures(layer: Layer, unit: NDArray[np.int32], values: NDArray[Any], count: int) -> dict[str, NDArray[Any]]:
    """Columns of a factor."""
    if layer.kind == "category":
        return {f"{layer.name}_majority": zonal.majority(unit, values, count)}
    found = (zonal.circular if layer.kind == "angle" else zonal.continuous)(unit, values, count)
    return {f"{layer.name}_{name}": figures for name, figures in zip(found._fields, found, strict=True)}


def _empty(layers: tuple[Layer, ...]) -> GeoDataFrame:
    columns = columns_of(layers)
    return tables.table(columns, {column.name: [] for column in columns}, [])
