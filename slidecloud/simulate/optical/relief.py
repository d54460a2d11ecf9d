"""The ground's form, which everything on it depends on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from slidecloud.kernels import terrain
from slidecloud.simulate import fields
from slidecloud.simulate.optical.families import Family
from slidecloud.simulate.terrain import fractal_mountains
from slidecloud.types import Float32, Float64

_SMOOTHING = 12.0
_VALLEY = 800.0


class Relief(NamedTuple):
    """Ground of square pixels.

    Attributes
    ----------
    elevation
        float32 (y, x), m.
    slope, aspect
        Of the ground smoothed over 12 m, float32 (y, x), rad; aspect clockwise from north.
    rise
        Of the same ground along rows and along columns, float64 (2, y, x), m/m.
    spacing
        Metres per pixel.
    """

    elevation: Float32
    slope: Float32
    aspect: Float32
    rise: Float64
    spacing: float

    def field(self, rng: np.random.Generator, *, exponent: float, longest: float, shortest: float = 0.0) -> Float32:
        """A random field over it, float32 (y, x), mean 0 and variance 1; wavelengths in metres."""
        density = fields.power_law(exponent, longest=longest, shortest=shortest)
        shape = (self.elevation.shape[0], self.elevation.shape[1])
        return fields.draw(rng, fields.spectrum(shape, (self.spacing, self.spacing), density))


def relief(seed: int, *, shape: tuple[int, int], spacing: float, family: Family) -> Relief:
    """Mountains of a family; a small scene is the corner of a larger one, which has room for a valley."""
    steps = (spacing, spacing)
    rows, columns = (max(side, math.ceil(_VALLEY / spacing)) for side in shape)
    wide = fractal_mountains(seed, shape=(rows, columns), spacing=steps, mean_slope=family.mean_slope, lowest=600.0)
    elevation = wide[: shape[0], : shape[1]].copy()
    smooth = ndimage.gaussian_filter(elevation, _SMOOTHING / spacing, mode="nearest")
    slope, aspect = terrain.slope_aspect(smooth, spacing=steps)
    return Relief(elevation, slope, aspect, np.stack(terrain.gradient(smooth, spacing=steps)), spacing)
