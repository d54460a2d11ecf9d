"""What the items of a STAC catalogue say of time, radar and projection."""

from __future__ import annotations

import re
from typing import Any, Final

from slidecloud import __version__
from slidecloud.types import StackHeader

_SPEED_OF_LIGHT: Final = 299_792_458.0
_RELATIVE_ORBIT: Final = re.compile(r"t(\d{3})_(\d{6})_(iw\d)")


def common(start: str, end: str) -> dict[str, Any]:
    """Dates between which something was seen, the instrument, and the software."""
    return {
        "datetime": None,
        "start_datetime": start,
        "end_datetime": end,
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "processing:level": "L3",
        "processing:software": {"slidecloud": __version__},
    }


def radar(header: StackHeader) -> dict[str, Any]:
    """What is known of the radar; polarisation is not."""
    found: dict[str, Any] = {
        "gsd": max(header.spacing),
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:center_frequency": round(_SPEED_OF_LIGHT / header.wavelength / 1e9, 6),
        "sar:looks_range": header.range_looks,
        "sar:looks_azimuth": header.azimuth_looks,
        "sar:looks_equivalent_number": header.effective_looks,
        "sar:observation_direction": header.look_direction,
        "sat:orbit_state": header.pass_,
        "processing:lineage": f"interferograms of {header.processor}, by way of {header.source}",
    }
    named = _RELATIVE_ORBIT.match(header.id)
    if named is not None:
        found |= {"sat:relative_orbit": int(named[1]), "sar:relative_burst": int(named[2])}
        found["sar:beam_ids"] = [named[3].upper()]
    return found


def place(header: StackHeader) -> dict[str, Any]:
    """Projection, and grid in it; nothing in radar geometry."""
    grid = header.grid
    if grid is None:
        return {}
    bottom, right = grid.top + grid.dy * grid.height, grid.left + grid.dx * grid.width
    return {
        "proj:code": grid.crs,
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [grid.dx, 0.0, grid.left, 0.0, grid.dy, grid.top],
        "proj:bbox": [grid.left, bottom, right, grid.top],
    }
