"""What a store holds of hazard's risk: the index, its levels, and how they were made."""

from __future__ import annotations

from typing import Final

from slidecloud.store.hazard_specs import HAZARD
from slidecloud.store.specs import ArraySpec, map_spec

RISK: Final = f"{HAZARD}/risk"
REPORT: Final = f"{HAZARD}/risk_report"
"""Group without arrays, whose attributes say how the index was made and how good it is."""

RISK_ARRAYS: Final[tuple[ArraySpec, ...]] = (
    map_spec("index", "1", "weighted information value of the factors, larger where landslides are more frequent"),
    map_spec(
        "level", "1", "level of the index by natural breaks", dtype="uint8",
        attributes={
            "_FillValue": 0, "flag_values": [1, 2, 3, 4], "flag_meanings": "low moderate high very_high",
        },
    ),
)  # fmt: skip
