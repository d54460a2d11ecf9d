"""The stage ``hazard_units``: slope units of the hazard grid, their map, and their table with all factors.

The flow is found once over the whole grid, because what drains through a cell may come from anywhere, and with it the
first basins. Units are then cut tile by tile, each basin by itself and whole, also where it reaches into other tiles;
so they are the same whatever the tiles. Figures of a unit are those of the tile in which its basin begins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_units import UnitsConfig
from slidecloud.hazard.flow import Flow, flow
from slidecloud.hazard.slope_units import Limits, basins, limits, slope_units
from slidecloud.pipeline.hazard_unit_table import Layer, TableWork, ZonesWork
from slidecloud.pipeline.hazard_windows import Basins, facing_of, read_window
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.specs import SPATIAL_CHUNK
from slidecloud.store.unit_specs import BASINS, FACTORS_GROUP, FLOW, FLOW_GROUP, HAZARD, UNITS, UNITS_GROUP
from slidecloud.types import DataError, Grid

STAGE: Final = "hazard_units"
_FLOW_BYTES: Final = 100
"""Bytes of memory for a cell of the whole grid while the flow is found."""
_CELL_BYTES: Final = 150
"""The same for a cell of a window while units are cut."""


@dataclass(frozen=True, slots=True)
class FlowWork:
    """Find the flow over the whole grid and the basins that units are cut from."""

    location: Location
    grid: Grid
    config: UnitsConfig

    def __call__(self, writer: Writer) -> dict[str, Any]:
        whole = Tile(0, self.grid.height, 0, self.grid.width)
        elevation = read_window(self.location, FACTORS_GROUP, self.config.elevation, whole)
        if not np.isfinite(elevation).any():
            raise DataError(
                f"{FACTORS_GROUP}/{self.config.elevation} has no data, which slope units need. Give an elevation "
                "model that covers the grid, or another factor with units.elevation."
            )
        water = flow(elevation, spacing=(-self.grid.dy, self.grid.dx))
        faced = facing_of(elevation, self.config, self.grid)
        found = basins(water, faced, limits=limits_of(self.config, self.grid))
        for name, values in (*zip(water._fields, water, strict=True), ("basin", found)):
            writer.write(f"{FLOW_GROUP}/{name}", values, (0, 0))
        places = Basins.found(found)
        writer.write_object(BASINS, places.encoded())
        return {"basins": len(places.basin), "cells": int(np.count_nonzero(found))}


@dataclass(frozen=True, slots=True)
class CutWork:
    """Cut the basins that a tile touches, and write the units inside the tile."""

    location: Location
    grid: Grid
    config: UnitsConfig
    tile: Tile

    def __call__(self, writer: Writer) -> dict[str, Any]:
        tile = self.tile
        named = np.zeros((tile.bottom - tile.top, tile.right - tile.left), np.int32)
        present = np.setdiff1d(read_window(self.location, FLOW_GROUP, "basin", tile), [0])
        if present.size:
            window = Basins.stored(self.location).numbered(present).window((self.grid.height, self.grid.width))
            inside = np.s_[tile.top - window.top :, tile.left - window.left :]
            named = self._named(window, present)[inside][: named.shape[0], : named.shape[1]]
        writer.write(f"{UNITS_GROUP}/unit", named, (tile.top, tile.left))
        return {"cells": int(np.count_nonzero(named))}

    def _named(self, window: Tile, present: NDArray[np.int32]) -> NDArray[np.int32]:
        """Units of the basins asked for, in a window that holds them, by the place of their first cells in the grid."""
        water = Flow(*(read_window(self.location, FLOW_GROUP, name, window) for name in Flow._fields))
        basin = read_window(self.location, FLOW_GROUP, "basin", window)
        elevation = read_window(self.location, FACTORS_GROUP, self.config.elevation, window)
        unit = slope_units(
            water, facing_of(elevation, self.config, self.grid), np.where(np.isin(basin, present), basin, 0),
            limits=limits_of(self.config, self.grid),
        )  # fmt: skip
        numbers, first = np.unique(unit, return_index=True)
        row, column = np.divmod(first[numbers >= 0], unit.shape[1])
        names = 1 + (row + window.top) * self.grid.width + column + window.left
        return np.where(unit >= 0, names[unit], 0).astype(np.int32)


def limits_of(config: UnitsConfig, grid: Grid) -> Limits:
    """How units are cut on a grid."""
    return limits(
        abs(grid.dx * grid.dy), first_stream=config.first_stream, reduction=config.reduction,
        least_area=config.least_area, largest_area=config.largest_area, spread=config.spread,
    )  # fmt: skip


def plan(
    location: Location,
    config: UnitsConfig,
    grid: Grid,
    layers: Sequence[Layer],
    *,
    memory: int,
    tile: tuple[int, int] | None = None,
) -> tuple[list[Unit], dict[str, Mapping[str, bytes]]]:
    """Units that make the map and the table, and the templates of what they write.

    Parameters
    ----------
    location
        The store, whose factors are done.
    config
        The settings.
    grid
        The hazard grid, in metres.
    layers
        The factors, the elevation among them, in the order of the table's columns.
    memory
        Bytes of a worker.
    tile
        Rows and columns of a tile, multiples of the chunks; None chooses by memory.

    Raises
    ------
    KeyError
        If the elevation is no factor.
    ValueError
        If the grid has more cells than a unit's number can name.
    """
    by_name = {layer.name: layer for layer in layers}
    if config.elevation not in by_name:
        raise KeyError(
            f"units.elevation is {config.elevation!r}, which is no factor; expected one of {', '.join(sorted(by_name))}"
        )
    cells = grid.height * grid.width
    if cells >= 2**31:
        raise ValueError(f"the grid has {cells} cells, expected fewer than 2^31; take a coarser grid, or parts of it")
    place = [grid.crs, grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width]
    cut_by = records.digest(["hazard_units/1", place, config.model_dump(), by_name[config.elevation].digest])
    shape = (grid.height, grid.width)
    tiles = cut(
        shape, SPATIAL_CHUNK, read_per_pixel=17 + 4 * len(layers), memory_per_pixel=4 * _CELL_BYTES, memory=memory,
        tile=tile,
    )  # fmt: skip
    water = Unit(
        records.Key(STAGE, "flow", cut_by), FlowWork(location, grid, config), bytes_read=4 * cells,
        bytes_written=13 * cells, peak_memory=BASE_MEMORY + _FLOW_BYTES * cells,
    )  # fmt: skip
    cuts = [
        Unit(
            records.Key(STAGE, f"tiles/{one}", cut_by), CutWork(location, grid, config, one), requires=(water.name,),
            bytes_read=17 * one.pixels, bytes_written=4 * one.pixels, peak_memory=_memory(one, config, grid),
        )
        for one in tiles
    ]  # fmt: skip
    described = records.digest([cut_by, [[layer.name, layer.kind, layer.units, layer.digest] for layer in layers]])
    zones = [
        Unit(
            records.Key(STAGE, f"zones/{one}", described), ZonesWork(location, grid, config, tuple(layers), one),
            requires=tuple(unit.name for unit in cuts), bytes_read=(12 + 4 * len(layers)) * one.pixels,
            bytes_written=one.pixels, peak_memory=_memory(one, config, grid),
        )
        for one in tiles
    ]  # fmt: skip
    table = Unit(
        records.Key(STAGE, "table", records.digest([described, [str(one) for one in tiles]])),
        TableWork(location, config, tuple(layers), tuple(tiles)), requires=tuple(unit.name for unit in zones),
        bytes_read=cells, bytes_written=cells, peak_memory=BASE_MEMORY + 20 * cells,
    )  # fmt: skip
    nothing: dict[str, Any] = {"attributes": {}, "coordinates": {}}
    groups: dict[str, Mapping[str, bytes]] = {HAZARD: templates.group((), {}, path=HAZARD, grid=None, **nothing)}
    for path, specs in ((FLOW_GROUP, FLOW), (UNITS_GROUP, UNITS)):
        groups[path] = templates.group(specs, {"y": shape[0], "x": shape[1]}, path=path, grid=grid, **nothing)
    return [water, *cuts, *zones, table], groups


def _memory(tile: Tile, config: UnitsConfig, grid: Grid) -> int:
    """Bytes for a tile with the basins that reach out of it; a basin is hardly longer than four times its breadth."""
    reach = 2 * math.ceil(math.sqrt(config.first_stream / abs(grid.dx * grid.dy)))
    return BASE_MEMORY + _CELL_BYTES * tile.padded((reach, reach), (reach, reach), (grid.height, grid.width)).pixels
