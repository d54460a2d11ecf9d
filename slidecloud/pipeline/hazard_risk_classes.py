"""Classes of the factors that a store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from slidecloud.config_factors import FactorConfig
from slidecloud.config_risk import RiskConfig
from slidecloud.hazard.factor_classes import FactorClasses
from slidecloud.hazard.risk_classes import FactorFacts, classes_of
from slidecloud.store.arrays import reader
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.specs import SPATIAL_CHUNK

_SAMPLE_CHUNKS: Final = 64
"""Chunks, evenly over the grid, that borders of equal ground are taken from."""


def classes_in(
    location: Location, factors: Mapping[str, FactorConfig], config: RiskConfig
) -> tuple[FactorClasses, ...]:
    """Classes of all factors of the index, which are made, in its order.

    Raises
    ------
    ConfigError
        If the configuration does not go with the factors.
    """
    group: Any = reader(location, FACTORS)
    found = []
    for name, one in config.factors.items():
        about = dict(group[name].attrs)
        facts = FactorFacts(factors[name].kind, str(about["units"]), _meanings(about))
        sample = _sample(group[name]) if one.parts is not None else None
        found.append(classes_of(name, one, facts, sample=sample))
    return tuple(found)


def deformation_in(location: Location, names: Sequence[str]) -> list[str]:
    """A sentence for each factor of deformation, which tells of landslides that had happened before it ends."""
    attributes: Any = reader(location, FACTORS).attrs
    ends = attributes.get("deformation_ends", {})
    return [
        f"{name} is deformation until {ends[name]}: landslides before that day moved in it, and scores on them are no "
        "forecast."
        for name in names
        if name in ends
    ]


def _meanings(attributes: Mapping[str, Any]) -> dict[int, str]:
    """Names of categories by their number, from their CF attributes."""
    names = [name.replace("_", " ") for name in str(attributes.get("flag_meanings", "")).split()]
    return dict(zip(attributes.get("flag_values", ()), names, strict=True))


def _sample(array: Any) -> np.ndarray[Any, Any]:
    rows, columns = (range(0, size, step) for size, step in zip(array.shape, SPATIAL_CHUNK, strict=True))
    corners = [(row, column) for row in rows for column in columns]
    chosen = corners[:: -(-len(corners) // _SAMPLE_CHUNKS)]
    parts = [array[row : row + SPATIAL_CHUNK[0], column : column + SPATIAL_CHUNK[1]].ravel() for row, column in chosen]
    return np.concatenate(parts)
