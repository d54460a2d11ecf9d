"""What a store holds of the change between two dates of outlines, and of the motion inside them."""

from __future__ import annotations

from typing import Final

from slidecloud.store.optical_specs import OPTICAL
from slidecloud.store.specs import ArraySpec, map_spec
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES
from slidecloud.store.tables import ColumnSpec

CHANGES: Final = "changes.parquet"
OUTLINES: Final = "outlines.parquet"
STABILITY: Final = "stability.parquet"
RAIN: Final = "rain.parquet"
TABLES: Final = (CHANGES, OUTLINES, STABILITY, RAIN)
DENSITY_GROUP: Final = "density"


def folder(before: str, after: str) -> str:
    """Group of two dates, whose attributes tell of them; no scene can have such a name."""
    return f"{OPTICAL}/change-{before}-{after}"


CHANGE: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "date and id of its first outline, of the later date where it has one"),
    ColumnSpec("change", "text", "", "new, grown, unchanged, shrunk, split, merged, regrouped, vanished or unseen"),
    ColumnSpec("before", "text", "", "ids of its outlines in the earlier date"),
    ColumnSpec("after", "text", "", "ids of its outlines in the later date"),
    ColumnSpec("before_count", "int32", "1", "number of outlines in the earlier date"),
    ColumnSpec("after_count", "int32", "1", "number of outlines in the later date"),
    ColumnSpec("before_area", "float64", "m2", "area in the earlier date; overlaps count once"),
    ColumnSpec("after_area", "float64", "m2", "area in the later date"),
    ColumnSpec("kept_area", "float64", "m2", "area inside in both dates"),
    ColumnSpec("growth", "float64", "1", "area after over area before, less one; NaN where there was none before"),
    ColumnSpec("unmapped", "float32", "1", "share that the other date did not map, of what is in one; NaN: not known"),
    ColumnSpec("open", "bool", "", "whether an outline touches the border of its scene, or ground that is not mapped"),
    ColumnSpec("score", "float32", "1", "largest score of its outlines in the date it is drawn of; NaN without any"),
)
"""A row for each landslide, drawn as it is in the later date, or was where it has vanished."""

ASKED: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "date and id of the outline"),
    ColumnSpec("scene", "text", "", "date that it is of"),
    ColumnSpec("outline", "text", "", "its id there"),
    ColumnSpec("landslide", "text", "", "id in the table of changes"),
    ColumnSpec("change", "text", "", "what this landslide has done"),
)
"""A row for each outline of the later date, and for those of the earlier one whose landslide is in that date alone."""

OUTLINE_CLASSES: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "date and id of the outline, as in the table of rain"),
    *LANDSLIDE_CLASSES[1:],
    *ASKED[1:],
    ColumnSpec("note", "text", "", "why there is no class; empty where there is one"),
)
DENSITY: Final[tuple[ArraySpec, ...]] = (
    map_spec("density_before", "km-2", "landslides per square kilometre in the earlier date, by a quartic kernel"),
    map_spec("density_after", "km-2", "landslides per square kilometre in the later date"),
    map_spec("density_new", "km-2", "new landslides per square kilometre"),
)
