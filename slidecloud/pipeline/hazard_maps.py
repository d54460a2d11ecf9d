"""Maps of susceptibility: what every model says of a tile or of all units, and the classes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from slidecloud.hazard.classes import CLASSES, between
from slidecloud.hazard.probability_bins import counted
from slidecloud.hazard.stored_models import decode
from slidecloud.pipeline.hazard_land import Land
from slidecloud.pipeline.hazard_learn import stored
from slidecloud.pipeline.hazard_windows import read_window
from slidecloud.pipeline.tiles import Tile
from slidecloud.store import tables
from slidecloud.store.arrays import Writer
from slidecloud.store.susceptibility_specs import SUSCEPTIBILITY, UNITS, model_key, unit_result_columns
from slidecloud.store.unit_specs import UNITS_GROUP
from slidecloud.types import Float32

_QUANTITIES: Final = ("probability", "spread", "applicability")
_ROWS: Final = 1 << 17
"""Cells that a model is asked about at once: its columns and those of its members are held beside each other."""

Said = dict[str, Float32]
"""What models say of cells or units, by the name of the array."""


@dataclass(frozen=True, slots=True)
class MapWork:
    """Write what every model says of the cells of a tile."""

    land: Land
    tile: Tile
    models: tuple[str, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        return _mapped(writer, self.tile, _said(self.land, self.land.table(self.tile), self.models), self.models)


@dataclass(frozen=True, slots=True)
class UnitMapWork:
    """Write what every model says of all mapping units, as a table with their outlines."""

    land: Land
    models: tuple[str, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        table, factors = self.land.units()
        said = _said(self.land, factors, self.models)
        columns = {"unit": table["unit"].to_numpy(), **said}
        writer.write_object(
            UNITS, tables.encode(tables.table(unit_result_columns(self.models), columns, list(table.geometry)))
        )
        return {"units": len(table)}


@dataclass(frozen=True, slots=True)
class PaintWork:
    """Write what every model says of the mapping units into the cells of a tile."""

    land: Land
    tile: Tile
    models: tuple[str, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        table = tables.decode((UNITS, stored(self.land.location, UNITS)))
        unit = read_window(self.land.location, UNITS_GROUP, "unit", self.tile).ravel()
        names = table["unit"].to_numpy()
        at = np.searchsorted(names, unit)
        inside = unit > 0
        said = {}
        for name in (spec.name for spec in unit_result_columns(self.models)[1:]):
            said[name] = np.full(unit.size, np.nan, np.float32)
            said[name][inside] = table[name].to_numpy()[at[inside]]
        return _mapped(writer, self.tile, said, self.models)


@dataclass(frozen=True, slots=True)
class ClassWork:
    """Write the classes of every model in a tile, and return the cells of each."""

    land: Land
    tile: Tile
    limits: Mapping[str, tuple[float, ...]]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        cells = {}
        for model, limits in self.limits.items():
            found = read_window(self.land.location, SUSCEPTIBILITY, f"{model}_probability", self.tile)
            kind = between(found, limits)
            writer.write(f"{SUSCEPTIBILITY}/{model}_class", kind, (self.tile.top, self.tile.left))
            cells[model] = np.bincount(kind.ravel(), minlength=len(CLASSES)).tolist()
        return {"cells": cells}


def _said(land: Land, table: pd.DataFrame, models: tuple[str, ...]) -> Said:
    """Maps of all rows of a table, float32, a block of rows after the other."""
    found = {f"{model}_{name}": np.full(len(table), np.nan, np.float32) for model in models for name in _QUANTITIES}
    for model in models:
        key = model_key(model)
        mapper = decode(stored(land.location, key), key)
        for start in range(0, len(table), _ROWS):
            rows = slice(start, start + _ROWS)
            for name, values in zip(_QUANTITIES, mapper.maps(table.iloc[rows]), strict=True):
                found[f"{model}_{name}"][rows] = values
    return found


def _mapped(writer: Writer, tile: Tile, said: Said, models: tuple[str, ...]) -> dict[str, Any]:
    shape = tile.bottom - tile.top, tile.right - tile.left
    for name, values in said.items():
        writer.write(f"{SUSCEPTIBILITY}/{name}", values.reshape(shape), (tile.top, tile.left))
    facts: dict[str, Any] = {"bins": {}, "cells": {}, "unlike": {}}
    for model in models:
        number, cells = counted(said[f"{model}_probability"])
        facts["bins"][model], facts["cells"][model] = number.tolist(), cells.tolist()
        facts["unlike"][model] = int((said[f"{model}_applicability"] > 1).sum())
    return facts
