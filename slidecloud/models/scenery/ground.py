"""The grid of a tile before it comes to the detectors' grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slidecloud.kernels.views import SPACING
from slidecloud.simulate import viewing
from slidecloud.types import Float64, Geometry

HEADINGS = (-12.3, 192.2)
"""Of ascending and descending passes of Sentinel-1, degrees."""
MAP_SPACINGS = (20.0, 30.0, 40.0, 50.0, 80.0, 100.0)
_FINE_IS_RARE = (0.05, 0.1, 0.25, 0.2, 0.2, 0.2)
"""How often each is drawn: a map of 20 m costs as much as ten of 80 m."""
_TURNED = 1.25
"""How much longer the sides of a map are, so that a turned tile lies within."""


@dataclass(frozen=True)
class Ground:
    """Shape (y, x), metres per pixel, geometry and heading (degrees) of a grid."""

    shape: tuple[int, int]
    spacing: tuple[float, float]
    geometry: Geometry
    heading: float

    @cached_property
    def positions(self) -> tuple[Float64, Float64]:
        """Metres east and north of the centre, (y, x)."""
        return viewing.positions(self.shape, self.spacing, viewing.axes(self.heading, self.geometry))

    def random_place(self, rng: np.random.Generator) -> tuple[float, float]:
        """Metres east and north of a random pixel."""
        row, column = (int(rng.integers(size)) for size in self.shape)
        east, north = self.positions
        return float(east[row, column]), float(north[row, column])


def random_ground(rng: np.random.Generator, geometry: Geometry, *, side: int) -> Ground:
    """A grid that covers a tile of `side` detector pixels, whatever its heading."""
    heading = float(rng.choice(HEADINGS)) + rng.uniform(-2.0, 2.0)
    if geometry == "radar":
        return Ground((side, side), (SPACING, SPACING), geometry, heading)
    spacing = float(rng.choice(MAP_SPACINGS, p=_FINE_IS_RARE))
    pixels = math.ceil(_TURNED * side * SPACING / spacing)
    return Ground((pixels, pixels), (spacing, spacing), geometry, heading)
