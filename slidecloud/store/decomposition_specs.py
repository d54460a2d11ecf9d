"""What a store holds of the stage ``decompose``: areas that two passes see, on metric grids of their own."""

from __future__ import annotations

import math
import re
from typing import Final

from slidecloud.store.specs import ArraySpec
from slidecloud.store.specs import map_spec as _map

FOLDER: Final = "products/decomposition"
AREA: Final = re.compile(r"[0-9b-hjkmnp-z]{8}-[0-9a-f]{6}")
"""Name of an area: geohash of its centre and a digest of what it is made of."""


def area_group(area: str) -> str:
    """Path of an area."""
    return f"{FOLDER}/{area}"


def _of_looks(name: str, units: str, long_name: str, dtype: str = "float32") -> ArraySpec:
    return ArraySpec(name, ("look",), dtype, units, long_name, (None,), math.nan if dtype == "float32" else 0)


DECOMPOSITION: Final[tuple[ArraySpec, ...]] = (
    _map("east", "m year-1", "velocity eastward, northward motion taken to be zero"),
    _map("east_sigma", "m year-1", "standard error of east"),
    _map("up", "m year-1", "velocity upward, northward motion taken to be zero"),
    _map("up_sigma", "m year-1", "standard error of up"),
    _map("east_up_correlation", "1", "correlation of the errors of east and up"),
    _map("downslope", "m year-1", "velocity straight down the slope, if the ground moves along its surface"),
    _map("downslope_sigma", "m year-1", "standard error of downslope"),
    _map("downslope_sensitivity", "1", "motion towards the satellite per motion downslope, of the look with most"),
    _map("slope", "rad", "slope of the ground above horizontal"),
    _map("aspect", "rad", "direction of steepest descent, clockwise from north"),
    _map("elevation", "m", "terrain elevation"),
    _map("tracks", "1", "tracks with a velocity", dtype="uint8"),
    _of_looks("level", "m year-1", "median velocity of ground at rest that both passes see, subtracted from the look"),
    _of_looks("level_scatter", "m year-1", "robust standard deviation of velocity on that ground"),
    _of_looks("level_pixels", "1", "pixels of that ground; 0 where the look was left out", "int32"),
)
"""Looks are series of bursts or patches, named in the group's attribute ``looks``."""
