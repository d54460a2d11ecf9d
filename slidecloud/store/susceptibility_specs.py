"""What a store holds of susceptibility: maps of every model, what was learnt from, the models, and their figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.specs import ArraySpec, map_spec
from slidecloud.store.tables import ColumnSpec

SUSCEPTIBILITY: Final = f"{HAZARD}/susceptibility"
REPORT: Final = f"{HAZARD}/susceptibility_report"
"""Group without arrays, whose attributes say how the maps were made and how good they are."""
PLACES: Final = f"{HAZARD}/susceptibility_places.parquet"
"""Table of the slides and absences that were learnt from."""
UNITS: Final = f"{HAZARD}/susceptibility_units.parquet"
"""Table of what every model says of each mapping unit, where these were learnt from."""
PARTS: Final = f"{HAZARD}/susceptibility_parts"
"""Folder of the slides and likely absences of each tile."""
MODELS: Final = f"{HAZARD}/susceptibility_models"
"""Folder of the models as arrays, and of their figures."""

SAMPLE: Final = f"{MODELS}/sample.json"
"""How many cells the places stand for."""

_CLASSES: Final[dict[str, Any]] = {
    "_FillValue": 0, "flag_values": [1, 2, 3, 4, 5], "flag_meanings": "very_low low moderate high very_high",
}  # fmt: skip

_PLACE: Final = (
    ColumnSpec("place", "int64", "1", "flat index of the cell on the grid, or number of the mapping unit"),
    ColumnSpec("x", "float64", "m", "easting of its centre in the CRS of the grid"),
    ColumnSpec("y", "float64", "m", "northing of its centre"),
    ColumnSpec("slide", "bool", "1", "whether a slide lies there"),
    ColumnSpec("date", "text", "", "day of the slide; empty where there is none or it is not known"),
)


def susceptibility_specs(models: Sequence[str]) -> tuple[ArraySpec, ...]:
    """Maps of models by their names."""
    return tuple(spec for model in models for spec in _maps(model))


def place_columns(factors: Sequence[tuple[str, str]]) -> tuple[ColumnSpec, ...]:
    """Columns of the table of places, from the name and the units of each factor."""
    return (*_PLACE, *(ColumnSpec(name, "float64", units, f"{name} there") for name, units in factors))


def unit_result_columns(models: Sequence[str]) -> tuple[ColumnSpec, ...]:
    """Columns of the table of what models say of units; a class is by the borders of its map."""
    columns = [ColumnSpec("unit", "int32", "1", "number of the unit in hazard/units")]
    for model in models:
        columns += [ColumnSpec(spec.name, spec.dtype, spec.units, spec.long_name) for spec in _maps(model)[:-1]]
    return tuple(columns)


def model_key(name: str) -> str:
    """Key of a model, as arrays."""
    return f"{MODELS}/{name}.npz"


def figures_key(model: str) -> str:
    """Key of the figures of a model without and with deformation."""
    return f"{MODELS}/{model}.json"


def _maps(model: str) -> tuple[ArraySpec, ...]:
    return (
        map_spec(f"{model}_probability", "1", f"probability of a slide by {model}"),
        map_spec(f"{model}_spread", "1", "standard deviation of it over models that learnt without a part of the land"),
        map_spec(f"{model}_applicability", "1", "unlikeness to the ground learnt from; above 1 the model knows none"),
        map_spec(f"{model}_class", "1", "class of the probability", dtype="uint8", attributes=_CLASSES),
    )
