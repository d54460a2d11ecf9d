"""Slope units: ground between streams and divides that faces one way, as large as it can be.

After Alvioli et al. (2016): half-basins of a stream network are cut along ever finer streams until the aspects of each
agree. Here they agree within the limit wherever the limit is, because what even the finest streams leave too varied is
put together anew from patches that face one way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard.flow import Flow
from slidecloud.hazard.merging import Pieces, joined
from slidecloud.kernels.flow import NOWHERE
from slidecloud.kernels.slope_units import borders, half_basins, patches, sums
from slidecloud.kernels.terrain import SlopeAspect
from slidecloud.types import Float64

_SECTORS: Final = 12
"""Directions that the smallest patches are told apart by: over 30 degrees aspects vary by 0.034 at most."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How units are cut.

    Attributes
    ----------
    thresholds
        Cells that drain through the lower end of a stream, falling from one step to the next.
    least, largest
        Cells that a unit should and may have.
    spread
        Circular variance of the aspects in a unit, at most; kept from 0.035 on.
    """

    thresholds: tuple[int, ...]
    least: int
    largest: int
    spread: float


def limits(
    cell: float, *, first_stream: float, reduction: float, least_area: float, largest_area: float, spread: float
) -> Limits:
    """Limits in cells, from areas in m2 and that of a cell, m2; streams shrink by ``reduction`` down to two cells."""
    steps, stream = [max(2, round(first_stream / cell))], first_stream / cell
    while stream > 2:
        stream /= reduction
        steps.append(max(2, round(stream)))
    least, largest = max(1, math.ceil(least_area / cell)), max(1, math.floor(largest_area / cell))
    return Limits(tuple(sorted(set(steps), reverse=True)), least, largest, spread)


class _Facing:
    """Unit vectors of the aspects; none where the ground is flatter than asked for, or its aspect unknown."""

    def __init__(self, ground: SlopeAspect, flat: float) -> None:
        self.known = np.isfinite(ground.slope) & (ground.slope >= flat) & (ground.slope > 0)
        aspect = np.where(self.known, ground.aspect, 0).astype(np.float64)
        self.aspect = aspect
        self.north: Float64 = np.where(self.known, np.cos(aspect), 0.0)
        self.east: Float64 = np.where(self.known, np.sin(aspect), 0.0)

    def pieces(self, label: NDArray[np.int32], count: int) -> Pieces:
        cells = np.bincount(label[label >= 0], minlength=count)
        facing = np.bincount(label[(label >= 0) & self.known], minlength=count)
        return Pieces(cells, facing, sums(label, self.north, count), sums(label, self.east, count))

    def sector(self) -> NDArray[np.int64]:
        """Number of the sector each cell faces; that after the last where it faces nowhere."""
        turned = np.floor(self.aspect * (_SECTORS / (2 * np.pi))).astype(np.int64) % _SECTORS
        return np.where(self.known, turned, _SECTORS)


def basins(water: Flow, ground: SlopeAspect, *, limits: Limits, flat: float = 0.0) -> NDArray[np.int32]:
    """First basins: what drains to each link of the coarsest streams, in connected pieces that are not too small.

    They are the ground that units are cut from, each by itself, and need the flow over the whole grid.

    Parameters
    ----------
    water
        Flow over the whole grid.
    ground
        Slope and aspect of the whole grid.
    limits
        How units are cut.
    flat
        Rad; flatter ground faces nowhere.

    Returns
    -------
    int32 (y, x), one more than the flat index of the basin's first cell; 0 where there is no elevation.
    """
    whole = np.where(water.direction == NOWHERE, -1, 0).astype(np.int32)
    links = half_basins(*water, whole, threshold=limits.thresholds[0], sides=False)
    found = patches(links, whole)
    facing = _Facing(ground, flat)
    owner = joined(
        facing.pieces(found.label, len(found.first)), borders(found.label, whole).tolist(), least=limits.least,
        largest=np.inf, spread=2.0,
    )  # fmt: skip
    return _named(found.label, (found.first + 1)[owner])


def slope_units(
    water: Flow, ground: SlopeAspect, basin: NDArray[np.int32], *, limits: Limits, flat: float = 0.0
) -> NDArray[np.int32]:
    """Slope units of the basins in a window.

    Each basin is cut by itself: any window that holds a basin and the neighbours of its cells gives the same units.

    Parameters
    ----------
    water, ground, basin
        As `basins` takes and returns them, in the window; set ``basin`` to 0 where it is not to be cut.
    limits, flat
        As `basins` takes them.

    Returns
    -------
    int32 (y, x), equal within a unit, counted from 0 in the order of the units' first cells; -1 outside the basins.
    """
    region = basin.astype(np.int32) - 1
    facing = _Facing(ground, flat)
    found = patches(half_basins(*water, region, threshold=limits.thresholds[0]), region)
    for threshold in limits.thresholds[1:]:
        wanting = _wanting(facing.pieces(found.label, len(found.first)), limits, threshold)
        if not wanting.any():
            break
        finer = half_basins(*water, region, threshold=threshold)
        found = patches(np.where(wanting[found.label], finer + 1, 0), found.label)
    pieces = facing.pieces(found.label, len(found.first))
    varied = pieces.spread > limits.spread
    if varied.any():
        found = patches(np.where(varied[found.label], facing.sector() + 1, 0), found.label)
        pieces = facing.pieces(found.label, len(found.first))
    owner = joined(
        pieces, borders(found.label, region).tolist(), least=limits.least, largest=limits.largest, spread=limits.spread
    )
    numbers = np.cumsum(owner == np.arange(len(owner))) - 1
    return np.where(found.label >= 0, numbers[owner][found.label], -1).astype(np.int32)


def _wanting(pieces: Pieces, limits: Limits, threshold: int) -> NDArray[np.bool_]:
    """Pieces to be cut along finer streams: those of more than the least area for their aspects, and all too large."""
    varied = (pieces.spread > limits.spread) & (pieces.cells >= 2 * limits.least) & (threshold >= limits.least)
    return varied | (pieces.cells > limits.largest)


def _named(label: NDArray[np.int32], names: NDArray[np.integer]) -> NDArray[np.int32]:
    """The name of each cell's piece; 0 where there is none."""
    return np.where(label >= 0, names[label], 0).astype(np.int32)
