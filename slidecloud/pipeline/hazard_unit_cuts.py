"""Cutting the hazard grid into slope units: flow and basins of the whole grid, and the units of a tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_units import UnitsConfig
from slidecloud.hazard.flow import Flow, flow
from slidecloud.hazard.slope_units import Limits, basins, limits, slope_units
from slidecloud.pipeline.hazard_windows import Basins, facing_in, read_window
from slidecloud.pipeline.tiles import Tile
from slidecloud.store.arrays import Writer
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.unit_specs import BASINS, FLOW_GROUP, UNITS_GROUP
from slidecloud.types import DataError, Grid


@dataclass(frozen=True, slots=True)
class FlowWork:
    """Find the flow over the whole grid and the basins that units are cut from."""

    location: Location
    grid: Grid
    config: UnitsConfig

    def __call__(self, writer: Writer) -> dict[str, Any]:
        whole = Tile(0, self.grid.height, 0, self.grid.width)
        elevation = read_window(self.location, FACTORS, self.config.elevation, whole)
        if not np.isfinite(elevation).any():
            raise DataError(
                f"{FACTORS}/{self.config.elevation} has no data, which slope units need. Give an elevation "
                "model that covers the grid, or another factor with units.elevation."
            )
        water = flow(elevation, spacing=(-self.grid.dy, self.grid.dx))
        del elevation
        faced = facing_in(self.location, self.config, self.grid, whole)
        found = basins(water, faced, limits=limits_of(self.config, self.grid))
        maps: dict[str, NDArray[Any]] = {**water._asdict(), "basin": found}
        for name, values in maps.items():
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
        faced = facing_in(self.location, self.config, self.grid, window)
        asked = np.where(np.isin(basin, present), basin, 0)
        unit = slope_units(water, faced, asked, limits=limits_of(self.config, self.grid))
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
