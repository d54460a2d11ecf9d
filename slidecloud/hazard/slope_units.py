"""Slope units: ground between streams and divides that faces one way, as large as it can be.

After Alvioli et al. (2016): half-basins of a stream network are cut along ever finer streams until the aspects of each
agree. Here they agree within the limit wherever the limit is, because what even the finest streams leave too varied is
put together anew from patches that face one way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard.facing import Facing
from slidecloud.hazard.flow import Flow
from slidecloud.hazard.merging import Pieces, joined
from slidecloud.kernels.flow import NOWHERE
from slidecloud.kernels.slope_units import borders, half_basins, patches


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
        Circular variance of the aspects in a unit, at most; kept from 0.035 on, also where that leaves a unit smaller
        than the least.
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


def basins(water: Flow, facing: Facing, *, limits: Limits) -> NDArray[np.int32]:
    """First basins: what drains to each link of the coarsest streams, in connected pieces that are not too small.

    They are the ground that units are cut from, each by itself, and need the flow over the whole grid.

    Parameters
    ----------
    water
        Flow over the whole grid.
    facing
        Aspects of the whole grid.
    limits
        How units are cut.

    Returns
    -------
    int32 (y, x), one more than the flat index of the basin's first cell; 0 where there is no elevation.
    """
    whole = np.where(water.direction == NOWHERE, -1, 0).astype(np.int32)
    found = patches(half_basins(*water, whole, threshold=limits.thresholds[0], sides=False), whole)
    owner = joined(
        facing.pieces(found.label, len(found.first)), borders(found.label, whole), least=limits.least,
        largest=np.inf, spread=2.0,
    )  # fmt: skip
    return _named(found.label, (found.first + 1)[owner])


def slope_units(water: Flow, facing: Facing, basin: NDArray[np.int32], *, limits: Limits) -> NDArray[np.int32]:
    """Slope units of the basins in a window.

    Each basin is cut by itself: any window that holds a basin and the neighbours of its cells gives the same units.

    Parameters
    ----------
    water, facing, basin
        As `basins` takes and returns them, in the window; set ``basin`` to 0 where it is not to be cut.
    limits
        How units are cut.

    Returns
    -------
    int32 (y, x), equal within a unit, counted from 0 in the order of the units' first cells; -1 outside the basins.
    """
    region = basin.astype(np.int32) - 1
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
        pieces, borders(found.label, region), least=limits.least, largest=limits.largest, spread=limits.spread
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
