"""Which objects of a store are hazard's, by their keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from slidecloud.config_factors import NAME
from slidecloud.store import risk_specs, susceptibility_specs, unit_specs
from slidecloud.store.hazard_specs import FACTORS, HAZARD
from slidecloud.store.specs import ArraySpec

_WORD: Final = "[a-z][a-z0-9_]*"
_TILE: Final = r"y\d+-\d+x\d+-\d+"


def _any_of(specs: Iterable[ArraySpec]) -> str:
    return "|".join(["x", "y", "spatial_ref", *(spec.name for spec in specs)])


_ARRAYS: Final = {
    FACTORS: NAME.pattern,
    unit_specs.FLOW_GROUP: _any_of(unit_specs.FLOW),
    unit_specs.UNITS_GROUP: _any_of(unit_specs.UNITS),
    susceptibility_specs.SUSCEPTIBILITY: _any_of(susceptibility_specs.susceptibility_specs([_WORD])),
    risk_specs.RISK: _any_of(risk_specs.RISK_ARRAYS),
}
"""Groups, and the arrays that each may hold."""
_REPORTS: Final = (susceptibility_specs.REPORT, risk_specs.REPORT)
_GROUPS: Final = "|".join([*_ARRAYS, *_REPORTS])

GROUP: Final = rf"(?:{_GROUPS}|{HAZARD})/"
"""Pattern of the place of a group, the innermost."""
ARRAY: Final = "|".join(rf"{group}/(?:{names})/(?:zarr\.json|c(?:/\d+)*)" for group, names in _ARRAYS.items())
"""Pattern of the objects of arrays."""
METADATA: Final = rf"(?:{HAZARD}|{_GROUPS})/zarr\.json"
"""Pattern of the metadata of groups."""
OBJECT: Final = "|".join(
    [
        *map(re.escape, (unit_specs.BASINS, unit_specs.UNITS_TABLE)),
        *map(re.escape, (susceptibility_specs.PLACES, susceptibility_specs.UNITS)),
        *(rf"{parts}/{_TILE}\.parquet" for parts in (unit_specs.PARTS, susceptibility_specs.PARTS)),
        rf"{susceptibility_specs.MODELS}/{_WORD}\.(?:npz|json)",
    ]
)
"""Pattern of tables and models."""
