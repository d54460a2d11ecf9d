"""Connected regions of one pattern, and which of its explanations agrees with what lies around."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from slidecloud.kernels._cycles_network import MISSING, Loops
from slidecloud.kernels._cycles_patterns import Pattern
from slidecloud.kernels._cycles_search import explanations

ERROR_SHARE = 0.1
"""Length of border that one turn of one pair costs beside the border where it begins, as a share of the region's."""

LEAD = 0.25
"""By how much the best explanation must lead the next, as a share of the region's border, to be believed."""

SWEEPS = 10


@dataclass(slots=True)
class Region:
    """A connected region in which the loops show one pattern.

    Attributes
    ----------
    pixels
        int64, flat indices.
    pairs
        int64, the pairs of the loops that are off, and those any explanation changes.
    choices
        int8 (choice, pair): turns of `pairs` in each explanation, fewest first; none if there is no explanation, or the
        region is too small to be believed.
    chosen
        The explanation that fits its surroundings best.
    clear
        bool (pair,): whether the explanations that fit about as well agree on the pair.
    """

    pixels: NDArray[np.int64]
    pairs: NDArray[np.int64]
    choices: NDArray[np.int8]
    chosen: int = 0
    clear: NDArray[np.bool_] | None = None


def find_regions(
    found: Iterable[Pattern], loops: Loops, *, shape: tuple[int, int], smallest: int, most: int
) -> list[Region]:
    """Regions of all patterns; each pattern is explained once, if any region of it is large enough."""
    regions = []
    for pattern in found:
        parts = _connected(pattern.pixels, shape)
        off = np.flatnonzero((pattern.turns != 0) & (pattern.turns != MISSING))
        large = any(part.size >= smallest for part in parts)
        listed = explanations(pattern.turns, loops, most=most) if large else []
        pairs = np.unique(np.concatenate([loops.members[off].ravel(), *(list(one) for one in listed)]).astype(np.int64))
        choices = np.array([[one.get(pair, 0) for pair in pairs.tolist()] for one in listed], np.int8)
        choices = choices.reshape(-1, pairs.size)
        regions += [Region(part, pairs, choices if part.size >= smallest else choices[:0]) for part in parts]
    return regions


def choose(
    regions: list[Region], known: NDArray[np.bool_], *, shape: tuple[int, int], reach: int
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Choose for each region the explanation that makes the fewest errors begin at its border.

    An unwrapping error costs what its border is long: where two errors overlap, the overlap may show what a single
    other error would, but that one would begin just where both others end. So explanations are compared by the length
    of border, pair by pair, across which the turns change; a share `ERROR_SHARE` of the border for each turn decides
    where nothing lies around. Regions are taken in turn, large ones first, until none changes.

    Parameters
    ----------
    regions
        Changed in place: ``chosen``, ``clear``.
    known
        (pair, pixel) bool, where a pair has data.
    shape
        Of the scene.
    reach
        Pixels across which the surroundings are looked for, beyond small regions that say nothing.

    Returns
    -------
    turns
        int8 (pair, pixel), the errors chosen.
    doubtful
        bool (pair, pixel): pairs of regions without explanation.
    """
    turns = np.zeros(known.shape, np.int8)
    doubtful = np.zeros(known.shape, np.bool_)
    solid = sorted((r for r in regions if len(r.choices)), key=lambda r: (-r.pixels.size, int(r.pixels[0])))
    for region in regions:
        if len(region.choices):
            turns[region.pairs[:, None], region.pixels] += region.choices[0][:, None]
        else:
            doubtful[region.pairs[:, None], region.pixels] = True
    sides = [_Sides(region, shape, reach) for region in solid]
    for _ in range(SWEEPS):
        moved = False
        for region, side in zip(solid, sides, strict=True):
            cost = side.cost(turns, known & ~doubtful)
            best = int(cost.argmin())
            if best != region.chosen and cost[best] < cost[region.chosen]:
                _put(turns, region, best)
                moved = True
        if not moved:
            break
    for region, side in zip(solid, sides, strict=True):
        cost = side.cost(turns, known & ~doubtful)
        close = region.choices[cost <= cost[region.chosen] + LEAD * side.length]
        region.clear = (close == region.choices[region.chosen]).all(axis=0)
    return turns, doubtful


def _put(turns: NDArray[np.int8], region: Region, choice: int) -> None:
    """Replace what a region adds to the turns of its pairs by another of its explanations."""
    turns[region.pairs[:, None], region.pixels] += (region.choices[choice] - region.choices[region.chosen])[:, None]
    region.chosen = choice


def _connected(pixels: NDArray[np.int64], shape: tuple[int, int]) -> list[NDArray[np.int64]]:
    """Flat indices of the regions that the pixels form, corners touching."""
    row, column = np.divmod(pixels, shape[1])
    top, left = row.min(), column.min()
    mask = np.zeros((row.max() - top + 1, column.max() - left + 1), np.bool_)
    mask[row - top, column - left] = True
    labels, _ = label(mask, np.ones((3, 3)))
    parts = []
    for number, window in enumerate(find_objects(labels), start=1):
        down, across = np.nonzero(labels[window] == number)
        parts.append((down + window[0].start + top) * shape[1] + across + window[1].start + left)
    return parts


class _Sides:
    """The border of a region: sides of its pixels, and what can be looked at across each."""

    def __init__(self, region: Region, shape: tuple[int, int], reach: int) -> None:
        self.region = region
        row, column = np.divmod(region.pixels, shape[1])
        inside = np.zeros((shape[0] + 2, shape[1] + 2), np.bool_)
        inside[row + 1, column + 1] = True
        self.across: list[list[NDArray[np.int64]]] = []
        self.length = 0
        for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            edge = ~inside[row + 1 + down, column + 1 + right]
            self.length += int(edge.sum())
            rows, columns, steps = row[edge], column[edge], []
            for step in range(1, reach + 1):
                y, x = rows + step * down, columns + step * right
                there = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
                there[there] = ~inside[y[there] + 1, x[there] + 1]
                steps.append(np.where(there, y * shape[1] + x, -1))
            self.across.append(steps)
        self.turns = np.abs(region.choices.astype(np.int64)).sum(axis=1)

    def cost(self, turns: NDArray[np.int8], clean: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Length of border, over pairs, at which the turns change, for each explanation."""
        pairs, choices = self.region.pairs, self.region.choices.astype(np.int64)
        cost = ERROR_SHARE * self.length * self.turns.astype(np.float64)
        for steps in self.across:
            waiting = np.ones((pairs.size, steps[0].size), np.bool_)
            for place in steps:
                usable = waiting & (place >= 0) & clean[pairs[:, None], place]
                beside = turns[pairs[:, None], place].astype(np.int64)
                cost += (np.abs(choices[:, :, None] - beside) * usable).sum(axis=(1, 2))
                waiting &= ~usable
        return cost
