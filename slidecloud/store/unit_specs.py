"""What a store holds of mapping units: the flow they are cut by, their map, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.specs import ArraySpec
from slidecloud.store.specs import map_spec as _map
from slidecloud.store.tables import ColumnSpec

FLOW_GROUP: Final = f"{HAZARD}/flow"
UNITS_GROUP: Final = f"{HAZARD}/units"
UNITS_TABLE: Final = f"{HAZARD}/units.parquet"
BASINS: Final = f"{HAZARD}/basins.parquet"
PARTS: Final = f"{HAZARD}/parts"
"""Folder of the parts of the table, one a tile."""

LayerKind = Literal["number", "angle", "category"]
"""What the values of a factor are; an angle is in rad."""

_DIRECTIONS: Final = {
    "flag_values": [0, 1, 2, 4, 8, 16, 32, 64, 128, 247],
    "flag_meanings": "outlet east southeast south southwest west northwest north northeast no_data",
}

FLOW: Final[tuple[ArraySpec, ...]] = (
    _map("direction", "1", "where water runs to, over filled pits", dtype="uint8", attributes=_DIRECTIONS),
    _map("accumulation", "1", "cells that drain through the cell, itself included; 0 is no data", dtype="int32"),
    _map("stem", "1", "accumulation at the lower end of the main stem that the cell lies on", dtype="int32"),
    _map("basin", "1", "one more than the flat index of the first cell of its basin; 0 is none", dtype="int32"),
)

UNITS: Final[tuple[ArraySpec, ...]] = (
    _map("unit", "1", "slope unit, one more than the flat index of its first cell; 0 is none", dtype="int32"),
)

_COLUMNS: Final = (
    ColumnSpec("unit", "int32", "1", "number of the unit in the map: one more than the flat index of its first cell"),
    ColumnSpec("area", "float64", "m2", "area of its cells"),
    ColumnSpec("aspect_spread", "float32", "1", "circular variance of its aspects, smoothed, where it is not flat"),
    ColumnSpec("cell_aspect_spread", "float32", "1", "the same of the aspects of single cells, not smoothed"),
    ColumnSpec("height_range", "float32", "m", "highest less lowest elevation of its cells"),
)


def unit_columns(factors: Sequence[tuple[str, LayerKind, str]]) -> tuple[ColumnSpec, ...]:
    """Columns of the table of units, from the name, the kind and the units of each factor, in order."""
    columns = list(_COLUMNS)
    for name, kind, units in factors:
        if kind == "category":
            columns.append(ColumnSpec(f"{name}_majority", "int16", "1", f"commonest category of {name}; -1: none"))
            continue
        how = ("mean direction", "circular standard deviation") if kind == "angle" else ("mean", "standard deviation")
        columns += [
            ColumnSpec(f"{name}_{end}", "float32", units, f"{meaning} of {name}")
            for end, meaning in zip(("mean", "std"), how, strict=True)
        ]
    return tuple(columns)
