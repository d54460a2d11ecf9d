"""What a store holds of a scene that was mapped: scores, what covers the ground, and outlines."""

from __future__ import annotations

from typing import Final

from slidecloud.store.specs import SPATIAL_CHUNK, ArraySpec
from slidecloud.store.tables import ColumnSpec

OPTICAL: Final = "optical"
MAP_STAGE: Final = "optical_map"
"""The stage that maps scenes."""
LEVELS: Final = 254
"""Level of a pixel that scores 1."""
UNKNOWN: Final = 255
"""Level of a pixel that has no score."""
COVERS: Final = {"no_data": 1, "cloud": 2, "shadow": 4, "water": 8, "snow": 16, "other": 32}
"""Bits of what keeps a pixel from being mapped."""


def scene_group(scene: str) -> str:
    """Group of a scene."""
    return f"{OPTICAL}/{scene}"


def outlines_unit(scene: str) -> str:
    """Unit of the stage that draws the outlines of a scene."""
    return f"{scene}/outlines"


def outlines_key(scene: str) -> str:
    """Key of the outlines of a scene."""
    return f"{OPTICAL}/{scene}.parquet"


# Where nothing is written yet, fill values say that there is no score and no data.
SCENE: Final[tuple[ArraySpec, ...]] = (
    ArraySpec(
        "score", ("y", "x"), "uint8", "1", "how much the pixel looks like a landslide", SPATIAL_CHUNK, UNKNOWN,
        {"scale_factor": 1 / LEVELS, "add_offset": 0.0, "_FillValue": UNKNOWN},
    ),
    ArraySpec(
        "mask", ("y", "x"), "uint8", "1", "why the pixel is not mapped; 0 where it is", SPATIAL_CHUNK,
        COVERS["no_data"], {"flag_masks": list(COVERS.values()), "flag_meanings": " ".join(COVERS)},
    ),
)  # fmt: skip

OUTLINES: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "geohash of the centre and a digest of the geometry"),
    ColumnSpec("scene", "text", "", "scene in which it was found"),
    ColumnSpec("date", "text", "", "when that was taken, YYYY-MM-DD; empty where not given"),
    ColumnSpec("score", "float32", "1", "mean score of its pixels"),
    ColumnSpec("peak_score", "float32", "1", "largest score of its pixels"),
    ColumnSpec("probability", "float32", "1", "mean calibrated probability of its pixels; NaN where not calibrated"),
    ColumnSpec("area", "float64", "m2", "area of its pixels on the globe"),
    ColumnSpec("pixels", "int64", "1", "number of its pixels"),
    ColumnSpec("open", "bool", "", "whether it touches the border of the scene, or ground that is not mapped"),
)
"""A row for each outline, those furthest north first."""
