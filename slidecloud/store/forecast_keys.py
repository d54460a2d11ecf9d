"""Which objects of a store are the forecasts', by their keys."""

from __future__ import annotations

from typing import Final

from slidecloud.store.forecast_specs import CHECKPOINTS, FORECAST, FORECASTS, NAME, model_object, points_table

_PART: Final = rf"{FORECAST}/{NAME.pattern}"

GROUP: Final = rf"{FORECAST}(?:/{NAME.pattern})?/"
"""Pattern of the place of a group, the innermost."""
ARRAY: Final = rf"{_PART}/(?:{'|'.join(spec.name for spec in FORECASTS)})/(?:zarr\.json|c(?:/\d+)*)"
"""Pattern of the objects of arrays."""
METADATA: Final = rf"{GROUP}zarr\.json"
"""Pattern of the metadata of groups."""
OBJECT: Final = "|".join(
    [points_table(NAME.pattern), model_object(NAME.pattern, r"\d+"), rf"{CHECKPOINTS}/[^/]+"],
)
"""Pattern of tables, models and checkpoints."""
