"""slidecloud finds and watches slow-moving landslides over whole countries from Sentinel-1 interferograms."""

from __future__ import annotations

__version__ = "0.1.0"
