"""Outlines that are squares in longitude and latitude, placed in metres around a place on the equator."""

from __future__ import annotations

import geopandas
import numpy as np
import shapely
from pyproj import Geod

_STEP = 1.0 / Geod(ellps="WGS84").inv(0.0, 0.0, 1.0, 0.0)[2]
"""Degrees of longitude a metre at the equator."""
_NORTH = 1.0 / Geod(ellps="WGS84").inv(0.0, -0.5, 0.0, 0.5)[2]


def square(left: float, bottom: float, width: float, height: float | None = None):
    """A rectangle of so many metres."""
    high = width if height is None else height
    return shapely.box(left * _STEP, bottom * _NORTH, (left + width) * _STEP, (bottom + high) * _NORTH)


def outlines(*shapes, scores=None, ids=None) -> geopandas.GeoDataFrame:
    """A table of outlines named a, b, c, ..."""
    names = [chr(ord("a") + number) for number in range(len(shapes))] if ids is None else list(ids)
    columns = {"id": names} | ({} if scores is None else {"score": np.asarray(scores, np.float32)})
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326")
