"""The map grid of a stored group, from what is stored with it."""

from __future__ import annotations

import xarray as xr

from slidecloud.types import Grid


def grid_of(group: xr.Dataset) -> Grid:
    """Grid of a group with ``x``, ``y`` and ``spatial_ref``."""
    a, _, left, _, e, top = group.attrs["spatial:transform"]
    height, width = group.attrs["spatial:shape"]
    code = group.attrs["proj:code"]
    return Grid(group.attrs["proj:wkt2"] if code.startswith("WKT") else code, left, top, a, e, height, width)
