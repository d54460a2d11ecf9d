"""Which way the ground faces, and how well the aspects of pieces of it agree."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard.merging import Pieces
from slidecloud.kernels.slope_units import sums
from slidecloud.kernels.terrain import slope_aspect
from slidecloud.types import Float32

_STRIP: Final = 512
_SECTORS: Final = 12
"""Directions that the smallest patches are told apart by: over 30 degrees aspects vary by 0.034 at most."""


class Facing(NamedTuple):
    """``aspect``: float32 (y, x), rad clockwise from north; NaN where the ground is flat or its aspect unknown."""

    aspect: Float32

    def pieces(self, label: NDArray[np.int32], count: int) -> Pieces:
        """Cells and sums of unit vectors of each of ``count`` labels (y, x); below 0 is none."""
        known = np.isfinite(self.aspect)
        turned = np.where(known, self.aspect, 0).astype(np.float64)
        cells = np.bincount(label[label >= 0], minlength=count)
        facing = np.bincount(label[(label >= 0) & known], minlength=count)
        north = sums(label, np.where(known, np.cos(turned), 0.0), count)
        return Pieces(cells, facing, north, sums(label, np.where(known, np.sin(turned), 0.0), count))

    def sector(self) -> NDArray[np.int32]:
        """Number of the sector that each cell faces, int32 (y, x); that after the last where it faces nowhere."""
        known = np.isfinite(self.aspect)
        share = np.where(known, self.aspect, 0).astype(np.float64) * (_SECTORS / (2 * np.pi))
        return np.where(known, share.astype(np.int32) % _SECTORS, _SECTORS).astype(np.int32)


def facing(elevation: Float32, *, spacing: tuple[float, float], flat: float = 0.0) -> Facing:
    """Which way each cell faces, by the slopes of Horn (1981).

    Parameters
    ----------
    elevation
        (y, x), m, NaN = none; rows run southward.
    spacing
        Metres per pixel along (y, x), positive.
    flat
        Rad; flatter ground faces nowhere, and level ground never does.
    """
    aspect = np.empty(elevation.shape, np.float32)
    # Some rows at a time: slopes of a whole country in double precision would not fit.
    for top in range(0, len(elevation), _STRIP):
        first, last = max(top - 1, 0), min(top + _STRIP + 1, len(elevation))
        found = slope_aspect(elevation[first:last], spacing=spacing)
        steep = (found.slope >= flat) & (found.slope > 0)
        inside = slice(top - first, top - first + _STRIP)
        aspect[top : top + _STRIP] = np.where(steep, found.aspect, np.float32(np.nan))[inside]
    return Facing(aspect)
