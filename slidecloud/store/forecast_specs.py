"""What a store holds of forecasts: for each track, or table of points, what was known and what was forecast of it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Final

from slidecloud.store.specs import ArraySpec, time_spec
from slidecloud.store.tables import ColumnSpec

FORECAST: Final = "forecast"
NAME: Final = re.compile(r"[a-z0-9_]{1,64}")
"""Of the part of the forecasts that one track has."""

CHECKPOINTS: Final = ".slidecloud/checkpoints/forecast"
"""Folder of what networks have half learnt, which no record owns."""

DAYS: Final = 64
"""Days in a chunk, and in a unit of the work."""

_MOST_POINTS: Final = 512
"""Points in a chunk, at most."""

EPOCH_DAYS: Final = "days since 1970-01-01"
NO_DAY: Final = -(2**31)
"""Stands for a day in ``origin`` where there is none."""


def forecast_group(name: str) -> str:
    """Path of the forecasts of a track."""
    return f"{FORECAST}/{name}"


def model_object(name: str, part: str) -> str:
    """Key of what a method has learnt, from some of its points."""
    return f"{forecast_group(name)}/models/{part}.npz"


def points_table(name: str) -> str:
    """Key of the table of points."""
    return f"{forecast_group(name)}/points.parquet"


def points_chunk(points: int) -> int:
    """Points in a chunk, and in a unit of the work: all chunks have about as many."""
    return -(-points // -(-points // _MOST_POINTS))


def forecasts(points: int) -> tuple[ArraySpec, ...]:
    """Arrays of a part of so many points."""
    chunk = points_chunk(points)
    return tuple(
        replace(spec, chunks=(*spec.chunks[:-1], chunk)) if spec.chunks[-1:] == (_MOST_POINTS,) else spec
        for spec in FORECASTS
    )


def _daily(name: str, long_name: str) -> ArraySpec:
    return ArraySpec(name, ("time", "point"), "float32", "mm", long_name, (DAYS, _MOST_POINTS), math.nan)


def _known(name: str, dims: tuple[str, ...], units: str, long_name: str, *, optional: bool = False) -> ArraySpec:
    chunks = tuple(_MOST_POINTS if dims == ("pass", "point") and dim == "point" else None for dim in dims)
    return ArraySpec(name, dims, "float64", units, long_name, chunks, math.nan, optional=optional)


def _index(name: str, long_name: str, *, optional: bool = False) -> ArraySpec:
    flags = {"_FillValue": -1}
    return ArraySpec(name, ("point",), "int32", "1", long_name, (None,), -1, flags, optional=optional)


FORECASTS: Final[tuple[ArraySpec, ...]] = (
    time_spec("time", "time", "day that is forecast (UTC)"),
    _daily("displacement", "line-of-sight displacement on the zero of observed, positive towards the satellite"),
    _daily("lower", "lower end of the interval that holds what is measured with a probability of 90 %"),
    _daily("upper", "upper end of the interval that holds what is measured with a probability of 90 %"),
    ArraySpec(
        "origin",
        ("time", "point"),
        "int32",
        EPOCH_DAYS,
        "last pass that the forecast was made from",
        (DAYS, _MOST_POINTS),
        NO_DAY,
        {"_FillValue": NO_DAY, "calendar": "proleptic_gregorian"},
    ),
    ArraySpec(
        "exceedance",
        ("threshold", "time", "point"),
        "float32",
        "1",
        "probability that motion exceeds the threshold, named in the attribute thresholds",
        (1, DAYS, _MOST_POINTS),
        math.nan,
    ),
    time_spec("pass_time", "pass", "day of the pass (UTC)"),
    _known("observed", ("pass", "point"), "mm", "line-of-sight displacement, positive towards the satellite"),
    _known("observed_sigma", ("pass", "point"), "mm", "standard error of observed", optional=True),
    time_spec("driver_time", "driver_day", "day of rain and level (UTC)"),
    _known("rain", ("rain_place", "driver_day"), "mm day-1", "rain", optional=True),
    _index("rain_of", "place of the rain that a point has", optional=True),
    _known("level", ("level_place", "driver_day"), "m", "water level", optional=True),
    _index("level_of", "place of the level that a point has", optional=True),
    _known("features", ("point", "feature"), "1", "what does not change, named in the attribute features"),
    _known("longitude", ("point",), "degrees_east", "longitude", optional=True),
    _known("latitude", ("point",), "degrees_north", "latitude", optional=True),
    _index("landslide", "place of the landslide in the attribute landslides"),
)

FORECAST_POINTS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "of the point"),
    ColumnSpec("landslide", "text", "", "id of the landslide that the point lies in; empty for none"),
    ColumnSpec("burst", "text", "", "burst that saw it; empty for points of a table"),
    ColumnSpec("row", "int32", "pixel", "row in the burst; -1 for points of a table"),
    ColumnSpec("column", "int32", "pixel", "column in the burst; -1 for points of a table"),
    ColumnSpec("coherence", "float32", "1", "temporal coherence beyond that of noise; NaN for points of a table"),
)
