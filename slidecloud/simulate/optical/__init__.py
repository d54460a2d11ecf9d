"""Simulated optical images of landslides: `optical_scene` makes two dates of one place, with their truth."""

from __future__ import annotations

from slidecloud.simulate.optical.families import FAMILIES, Family, Name
from slidecloud.simulate.optical.materials import AFTER, BANDS, BEFORE, Band, both_dates
from slidecloud.simulate.optical.scars import Scar
from slidecloud.simulate.optical.scenes import OpticalScene, optical_scene

__all__ = [
    "AFTER",
    "BANDS",
    "BEFORE",
    "FAMILIES",
    "Band",
    "Family",
    "Name",
    "OpticalScene",
    "Scar",
    "both_dates",
    "optical_scene",
]
