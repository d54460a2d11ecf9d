"""What specifications of arrays are made of: the dataclass, chunk lengths, and arrays that several groups share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

SCHEMA_VERSION: Final = "1.0"
"""Major.minor version of the stores; a store of another major version is refused."""

PAIR_BATCH: Final = 32
"""Pairs in a chunk of a burst stack, and in a unit of ingest."""

SPATIAL_CHUNK: Final = (256, 512)
"""Rows and columns in a chunk of a burst stack and of every map."""

SERIES_CHUNK: Final = (64, 128, 128)
"""Dates, rows and columns in a chunk of a displacement series."""

EPOCH: Final = "seconds since 1970-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of a store.

    Attributes
    ----------
    name, dims, dtype, units, long_name
        As stored.
    chunks
        Chunk length per dimension; None takes the whole dimension.
    fill
        Zarr fill value.
    attributes
        Further CF attributes: scale_factor, _FillValue, flag meanings.
    optional
        True where a store may lack it.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    long_name: str
    chunks: tuple[int | None, ...] = ()
    fill: Any = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    optional: bool = False


def map_spec(
    name: str, units: str, long_name: str, *, dims: tuple[str, ...] = (), dtype: str = "float32", **extra: Any
) -> ArraySpec:
    chunks = (*(1 for _ in dims), *SPATIAL_CHUNK)
    fill = math.nan if dtype == "float32" else 0
    return ArraySpec(name, (*dims, "y", "x"), dtype, units, long_name, chunks, fill, **extra)


def time_spec(name: str, dim: str, long_name: str) -> ArraySpec:
    attributes = {"calendar": "proleptic_gregorian"}
    return ArraySpec(name, (dim,), "int64", EPOCH, long_name, (None,), 0, attributes)


RADAR_POSITION: Final = (
    map_spec("latitude", "degrees_north", "latitude (radar geometry)", optional=True),
    map_spec("longitude", "degrees_east", "longitude (radar geometry)", optional=True),
)

STATIC: Final = (
    map_spec("elevation", "m", "terrain elevation", optional=True),
    map_spec("incidence", "rad", "incidence angle from the vertical", optional=True),
    map_spec("los_east", "1", "east component of the unit vector ground to satellite", optional=True),
    map_spec("los_north", "1", "north component of the unit vector ground to satellite", optional=True),
    map_spec("los_up", "1", "up component of the unit vector ground to satellite", optional=True),
    *RADAR_POSITION,
)
