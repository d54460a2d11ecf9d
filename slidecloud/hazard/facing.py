"""Which way the ground faces, and how well the aspects of pieces of it agree."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.hazard.merging import Pieces
from slidecloud.kernels.slope_units import add
from slidecloud.kernels.terrain import falling, gradient
from slidecloud.types import Float32, Float64

_STRIP: Final = 512
_REACH: Final = 3.0
"""Standard deviations beyond which slopes are not averaged."""
_SECTORS: Final = 12
"""Directions that the smallest patches are told apart by: over 30 degrees aspects vary by 0.034 at most."""


class Facing(NamedTuple):
    """``aspect``: float32 (y, x), rad clockwise from north; NaN where the ground is flat or its aspect unknown."""

    aspect: Float32

    def pieces(self, label: NDArray[np.int32], count: int) -> Pieces:
        """Cells and sums of unit vectors of each of ``count`` labels (y, x); below 0 is none."""
        cells, facing = np.zeros(count, np.int64), np.zeros(count, np.int64)
        north, east = np.zeros(count), np.zeros(count)
        for top in range(0, len(label), _STRIP):
            here, aspect = label[top : top + _STRIP], self.aspect[top : top + _STRIP].astype(np.float64)
            known = np.isfinite(aspect)
            cells += np.bincount(here[here >= 0], minlength=count)
            facing += np.bincount(here[(here >= 0) & known], minlength=count)
            add(here, np.cos(aspect, out=np.zeros_like(aspect), where=known), north)
            add(here, np.sin(aspect, out=np.zeros_like(aspect), where=known), east)
        return Pieces(cells, facing, north, east)

    def sector(self) -> NDArray[np.int32]:
        """Number of the sector that each cell faces, int32 (y, x); that after the last where it faces nowhere."""
        known = np.isfinite(self.aspect)
        share = np.where(known, self.aspect, 0).astype(np.float64) * (_SECTORS / (2 * np.pi))
        return np.where(known, share.astype(np.int32) % _SECTORS, _SECTORS).astype(np.int32)


def facing(elevation: Float32, *, spacing: tuple[float, float], flat: float = 0.0, smoothing: float = 0.0) -> Facing:
    """Which way each cell faces, by the slopes of Horn (1981), averaged over some ground.

    Aspects of single cells scatter with the noise and the roughness of an elevation model, the more the finer it is.
    Averaged as vectors over a Gaussian, as here, slopes are those of the elevation smoothed alike, and true up to the
    border of what is known.

    Parameters
    ----------
    elevation
        (y, x), m, NaN = none; rows run southward.
    spacing
        Metres per pixel along (y, x), positive.
    flat
        Rad; flatter ground faces nowhere, and level ground never does.
    smoothing
        Standard deviation of the Gaussian, m; 0 takes every cell by itself.
    """
    aspect = np.empty(elevation.shape, np.float32)
    reach = halo(spacing, smoothing)[0]
    # Some rows at a time: slopes of a whole country in double precision would not fit.
    for top in range(0, len(elevation), _STRIP):
        first, last = max(top - reach, 0), min(top + _STRIP + reach, len(elevation))
        rise = gradient(elevation[first:last], spacing=spacing)
        found = falling(*_averaged(*rise, spacing=spacing, smoothing=smoothing))
        steep = (found.slope >= flat) & (found.slope > 0)
        inside = slice(top - first, top - first + _STRIP)
        aspect[top : top + _STRIP] = np.where(steep, found.aspect, np.float32(np.nan))[inside]
    return Facing(aspect)


def halo(spacing: tuple[float, float], smoothing: float) -> tuple[int, int]:
    """Cells along (y, x) around a window that its aspects depend on."""
    return 1 + _radius(smoothing, spacing[0]), 1 + _radius(smoothing, spacing[1])


def smoothing_of(area: float) -> float:
    """Standard deviation, m, of the Gaussian that steadies noise as much as the mean over an area, m2.

    Its weights have the sum of squares ``1 / (4 pi sigma^2)``.
    """
    return math.sqrt(area / (4 * math.pi))


def _averaged(
    rise_y: Float64, rise_x: Float64, *, spacing: tuple[float, float], smoothing: float
) -> tuple[Float64, Float64]:
    """Means of what is known of the slopes; cells are added in the same order in every window, so no tiling shows."""
    if smoothing == 0.0:
        return rise_y, rise_x
    known = np.isfinite(rise_y) & np.isfinite(rise_x)
    # No weight is smaller than that of the cell itself.
    weight = np.where(known, _blurred(known.astype(np.float64), spacing, smoothing), np.nan)
    return (
        _blurred(np.where(known, rise_y, 0.0), spacing, smoothing) / weight,
        _blurred(np.where(known, rise_x, 0.0), spacing, smoothing) / weight,
    )


def _blurred(values: Float64, spacing: tuple[float, float], smoothing: float) -> Float64:
    for axis, step in enumerate(spacing):
        values = ndimage.gaussian_filter1d(
            values, smoothing / step, axis=axis, mode="constant", radius=_radius(smoothing, step)
        )
    return values


def _radius(smoothing: float, step: float) -> int:
    return math.ceil(_REACH * smoothing / step)
