"""Connected regions in which the loops show one pattern, with the errors that explain it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from slidecloud.kernels._cycles_network import MISSING, Loops
from slidecloud.kernels._cycles_patterns import Pattern
from slidecloud.kernels._cycles_search import explanations


@dataclass(slots=True)
class Region:
    """A connected region in which the loops show one pattern.

    Attributes
    ----------
    pixels
        int64, flat indices.
    pairs
        int64, the pairs of the loops that are off.
    choices
        Its explanations, fewest turns first; none if there is none, or the region is too small to be believed.
    chosen
        The explanation that fits its surroundings best.
    unclear
        Pairs on which explanations that fit about as well disagree.
    """

    pixels: NDArray[np.int64]
    pairs: NDArray[np.int64]
    choices: list[dict[int, int]]
    chosen: int = 0
    unclear: set[int] = field(default_factory=set)

    @property
    def errors(self) -> dict[int, int]:
        """The explanation chosen; empty if there is none."""
        return self.choices[self.chosen] if self.choices else {}


def find_regions(
    found: Iterable[Pattern], loops: Loops, *, shape: tuple[int, int], smallest: int, most: int
) -> list[Region]:
    """Regions of all patterns; each pattern is explained once, if any region of it is large enough."""
    regions = []
    for pattern in found:
        parts = _connected(pattern.pixels, shape)
        pairs = np.unique(loops.members[(pattern.turns != 0) & (pattern.turns != MISSING)])
        large = any(part.size >= smallest for part in parts)
        choices = explanations(pattern.turns, loops, most=most) if large else []
        regions += [Region(part, pairs, choices if part.size >= smallest else []) for part in parts]
    return regions


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
