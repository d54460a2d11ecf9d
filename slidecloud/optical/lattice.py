"""The lattice of tiles that a network looks at, the same whatever part of a scene is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slidecloud.types import Float32


class Look(NamedTuple):
    """One look of the network, and what it gives to the part that is asked for.

    Attributes
    ----------
    top, left
        First row and column that are seen; they may lie beyond the scene.
    rows, columns
        Where in the scene it counts, inside the part asked for.
    weight
        float32 (rows, columns): how much it counts; those of all looks add up to 1.
    """

    top: int
    left: int
    rows: slice
    columns: slice
    weight: Float32


@dataclass(frozen=True, slots=True)
class Lattice:
    """Square tiles side by side, each seen with a border of its surroundings.

    Where the border holds all that has an influence on the tile, what is found in the tile does not depend on where it
    was cut, and tiles are laid side by side as they are. Where it does not, neighbours disagree, and are blended
    linearly over their common border.

    Attributes
    ----------
    tile
        Pixels along each side, a multiple of the network's stride.
    overlap
        Pixels of the border, likewise.
    offset
        Row and column at which a tile begins.
    blended
        Whether the border is too narrow, so that tiles have to be blended.
    """

    tile: int
    overlap: int
    offset: tuple[int, int]
    blended: bool

    @property
    def side(self) -> int:
        """Pixels along each side of what is seen."""
        return self.tile + 2 * self.overlap

    def looks(self, rows: slice, columns: slice) -> Iterator[Look]:
        """All looks that a part of the scene takes, row by row."""
        across = list(self._along(columns, self.offset[1]))
        for top, down, up_and_down in self._along(rows, self.offset[0]):
            for left, along, sideways in across:
                yield Look(top, left, down, along, up_and_down[:, None] * sideways)

    def _along(self, part: slice, offset: int) -> Iterator[tuple[int, slice, Float32]]:
        """First pixel, pixels that count, and how much they do, of the tiles that touch a part of one axis."""
        ramp = self.overlap if self.blended else 0
        first = (part.start - ramp - offset) // self.tile
        for number in range(first, (part.stop - 1 + ramp - offset) // self.tile + 1):
            begin = offset + number * self.tile
            start, stop = max(begin - ramp, part.start), min(begin + self.tile + ramp, part.stop)
            if start < stop:
                yield begin - self.overlap, slice(start, stop), self._weight(np.arange(start, stop), begin, ramp)

    def _weight(self, pixels: np.ndarray, begin: int, ramp: int) -> Float32:
        if not ramp:
            return np.ones(len(pixels), np.float32)
        rising = (pixels + 0.5 - (begin - ramp)) / (2 * ramp)
        falling = (begin + self.tile + ramp - pixels - 0.5) / (2 * ramp)
        weight: Float32 = np.clip(np.minimum(rising, falling), 0.0, 1.0).astype(np.float32)
        return weight


def lattice(
    *, stride: int, reach: int, tile: int, overlap: int | None = None, offset: tuple[int, int] = (0, 0)
) -> Lattice:
    """The lattice for a network.

    Parameters
    ----------
    stride
        Pixels that sides of what it sees are multiples of.
    reach
        Pixels to each side that have an influence on what it finds.
    tile, overlap
        Pixels; the overlap is rounded up to whole strides. None takes the reach.
    offset
        Row and column at which a tile begins.

    Raises
    ------
    ValueError
        If tile is no multiple of the stride, or smaller than twice an overlap that has to be blended.
    """
    if tile % stride:
        raise ValueError(f"tile is {tile}; expected a multiple of {stride}, which the network halves its images by")
    border = -(-(reach if overlap is None else overlap) // stride) * stride
    blended = border < reach
    if blended and 2 * border > tile:
        raise ValueError(f"tile is {tile} and overlap {border}; expected a tile of at least {2 * border}")
    return Lattice(tile, border, offset, blended)
