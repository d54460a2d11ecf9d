"""Work of the stage ``hazard_risk``: counts of classes, index and levels of one tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard import laying
from slidecloud.hazard.factor_classes import FactorClasses, tally
from slidecloud.hazard.risk import Risk, histogram, index
from slidecloud.kernels.natural_breaks import Breaks
from slidecloud.pipeline.hazard_windows import read_window
from slidecloud.pipeline.tiles import Tile
from slidecloud.stack.map_files import MapFile
from slidecloud.store.arrays import Writer
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.risk_specs import RISK
from slidecloud.types import Grid


@dataclass(frozen=True)
class Ground:
    """The factors of a store as classes, and the masks: what every unit reads.

    Attributes
    ----------
    location, grid
        The store and its one grid.
    classes
        Of the factors of the index.
    masks
        Maps above 0 where no point can be.
    """

    location: Location
    grid: Grid
    classes: tuple[FactorClasses, ...]
    masks: tuple[MapFile, ...] = ()

    def codes(self, tile: Tile) -> NDArray[np.int16]:
        """Class of each factor, (factor, y, x)."""
        return np.stack([one.codes(read_window(self.location, FACTORS, one.name, tile)) for one in self.classes])

    def is_open(self, tile: Tile) -> NDArray[np.bool_]:
        """Where points can be, (y, x); ground that a mask does not know is open."""
        found = np.ones((tile.bottom - tile.top, tile.right - tile.left), bool)
        for mask in self.masks:
            found &= ~(laying.lay(mask, self.grid, tile.rows, tile.columns, how="nearest") > 0)
        return found


@dataclass(frozen=True)
class TallyWork:
    """Count the cells of each class, and look up the classes at places. ``place`` numbers those in the tile."""

    ground: Ground
    tile: Tile
    place: NDArray[np.intp]
    row: NDArray[np.intp]
    column: NDArray[np.intp]

    def __call__(self, _writer: Writer) -> dict[str, Any]:
        codes, seen = self.ground.codes(self.tile), self.ground.is_open(self.tile)
        counts = [tally(one, code, open_ground=seen) for one, code in zip(self.ground.classes, codes, strict=True)]
        at = self.row - self.tile.top, self.column - self.tile.left
        return {
            "cells": [one.cells.tolist() for one in counts],
            "open_cells": [one.open_cells.tolist() for one in counts],
            "place": self.place.tolist(),
            "codes": codes[:, *at].tolist(),
            "open": seen[at].tolist(),
        }


@dataclass(frozen=True)
class IndexWork:
    """Write the index of a tile, and return its histogram, filled bins alone."""

    ground: Ground
    tile: Tile
    risk: Risk

    def __call__(self, writer: Writer) -> dict[str, Any]:
        values = index(self.risk, self.ground.codes(self.tile))
        writer.write(f"{RISK}/index", values, (self.tile.top, self.tile.left))
        cells = histogram(self.risk, values)
        used = np.flatnonzero(cells)
        return {"bins": used.tolist(), "cells": cells[used].tolist()}


@dataclass(frozen=True)
class LevelWork:
    """Write the levels of a tile, and return the cells of each."""

    ground: Ground
    tile: Tile
    breaks: Breaks

    def __call__(self, writer: Writer) -> dict[str, Any]:
        level = self.breaks.level(read_window(self.ground.location, RISK, "index", self.tile))
        writer.write(f"{RISK}/level", level, (self.tile.top, self.tile.left))
        return {"cells": np.bincount(level.ravel(), minlength=5).tolist()}
