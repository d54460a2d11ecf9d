"""A configuration of hazard with every key of its sections, to be edited."""

from __future__ import annotations

from typing import Any, Final

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_resources import ResourcesConfig
from slidecloud.config_risk import RiskConfig
from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.config_units import UnitsConfig
from slidecloud.config_yaml import Section, template_lines

_HEAD: Final = """\
# Hazard. Relative paths are taken from this file's folder. Sections that are not wanted may be left out.

# Store to write: a folder or URL of its own; or in place of it run: ./run.zarr, whose inventory and series are used.
store: ./hazard.zarr
# The one grid: a projected CRS in metres, metres of a pixel, and its west, south, east and north border.
grid: {crs: EPSG:32648, spacing: 30, bounds: [400000, 3300000, 430000, 3330000]}
# Factors by name; 'slidecloud hazard factors --help' tells all kinds and their keys.
factors:
  elevation: {kind: raster, path: dem.tif, units: m, resampling: linear}
  slope: {}
  aspect: {}
  relief: {window: 500}
  rivers: {kind: distance, path: rivers.gpkg, reproject: true}
"""
_EXAMPLES: Final[dict[str, tuple[type[Section], dict[str, Any]]]] = {
    "units": (UnitsConfig, {}),
    "susceptibility": (SusceptibilityConfig, {"slides": "slides.gpkg", "factors": ["slope", "aspect", "rivers"]}),
    "risk": (
        RiskConfig,
        {
            "factors": {"slope": {"breaks": [15, 30, 45]}, "aspect": {}, "rivers": {"parts": 5}},
            "points": "slides.gpkg",
            "matrix": [[1, 2, 4], ["1/2", 1, 2], ["1/4", "1/2", 1]],
        },
    ),
    "resources": (ResourcesConfig, {}),
}


def template() -> str:
    """A commented configuration with every key of every section, ready to edit."""
    lines = [_HEAD]
    for name, (section, values) in _EXAMPLES.items():
        lines += [f"# {HazardConfig.model_fields[name].description}", f"{name}:"]
        lines += template_lines(section, values, indent="  ")
    storage = HazardConfig.model_fields["storage_options"].description
    return "\n".join([*lines, f"# {storage}", "storage_options: {}"]) + "\n"
