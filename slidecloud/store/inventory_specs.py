"""What the tables of landslides hold, and the density maps beside them."""

from __future__ import annotations

from typing import Final

from slidecloud.store.specs import ArraySpec
from slidecloud.store.specs import map_spec as _map
from slidecloud.store.tables import ColumnSpec

INVENTORY: Final = "products/inventory.parquet"
DENSITY_GROUP: Final = "products/density"


def detections(burst: str) -> str:
    """Key of the detections of a burst."""
    return f"bursts/{burst}/detections.parquet"


_BOX: Final = (
    ColumnSpec("west", "float64", "degrees_east", "western border of the box"),
    ColumnSpec("south", "float64", "degrees_north", "southern border of the box"),
    ColumnSpec("east", "float64", "degrees_east", "eastern border of the box"),
    ColumnSpec("north", "float64", "degrees_north", "northern border of the box"),
)
_FOUND: Final = (
    ColumnSpec("score", "float32", "1", "score of the detector, highest first"),
    ColumnSpec("probability", "float32", "1", "calibrated probability of a landslide; NaN where not calibrated"),
    ColumnSpec("pair_count", "int32", "1", "median number of pairs"),
    ColumnSpec("effective_pairs", "float32", "1", "median effective number of pairs"),
    ColumnSpec("area", "float64", "m2", "area of the geometry"),
    ColumnSpec("peak_gradient", "float32", "year-1", "largest gradient of line-of-sight velocity"),
    ColumnSpec("mean_gradient", "float32", "year-1", "mean gradient of line-of-sight velocity"),
    ColumnSpec("gradient_sigma", "float32", "year-1", "mean standard error of the gradient along one axis"),
    ColumnSpec("peak_velocity", "float32", "m year-1", "fastest part against the ground around, towards the satellite"),
    ColumnSpec("seasons", "text", "", "where it was seen: all, or the month in which a season starts"),
    ColumnSpec("strongest", "text", "", "of those the one with the largest gradient"),
    ColumnSpec("method", "text", "", "what found it: net or classical"),
    ColumnSpec("weights", "text", "", "digest of the net's weights; empty for classical"),
)

DETECTIONS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("burst", "text", "", "burst in which it was found"),
    ColumnSpec("track", "text", "", "pass, and relative orbit or heading"),
    ColumnSpec("top", "float32", "pixel", "first row of the box on the detectors' grid"),
    ColumnSpec("left", "float32", "pixel", "first column"),
    ColumnSpec("bottom", "float32", "pixel", "end of its rows"),
    ColumnSpec("right", "float32", "pixel", "end of its columns"),
    *_BOX,
    *_FOUND,
)

LANDSLIDES: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "geohash of the centre and a digest of the geometry"),
    ColumnSpec("bursts", "text", "", "bursts that found it"),
    ColumnSpec("tracks", "text", "", "tracks that found it"),
    ColumnSpec("detections", "int32", "1", "detections that were merged"),
    *_BOX,
    *_FOUND,
    ColumnSpec("software", "text", "", "name and version of the software"),
    ColumnSpec("configuration", "text", "", "digest of the run's configuration"),
)

DENSITY: Final[tuple[ArraySpec, ...]] = (
    _map("density", "km-2", "landslides per square kilometre, spread by a quartic kernel"),
    _map("area_fraction", "1", "share of the cell that landslides cover, each place counted once"),
)
