"""What lies of outlines in one tile of a map of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Levels = NDArray[np.uint8]
Shapes = NDArray[np.object_]

NOT_KNOWN: Final = -2
"""Stands in edges for pixels of which nothing is known."""


class Figures(NamedTuple):
    """What is known of each outline; int64 (n,) but for ``open``.

    Attributes
    ----------
    pixels
        How many.
    level_sum
        Sum of their levels.
    value_sum
        Sum of what stands for each level in a table of values.
    peak
        Largest level.
    open
        bool: whether it touches what is not known.
    """

    pixels: NDArray[np.int64]
    level_sum: NDArray[np.int64]
    value_sum: NDArray[np.int64]
    peak: NDArray[np.int64]
    open: NDArray[np.bool_]

    def chosen(self, index: NDArray[Any]) -> Figures:
        """Those of some outlines."""
        return Figures(
            self.pixels[index], self.level_sum[index], self.value_sum[index], self.peak[index], self.open[index]
        )


@dataclass(frozen=True)
class Pieces:
    """What lies of outlines in one tile.

    Attributes
    ----------
    rows, columns
        Of the tile.
    shapes
        Polygons (n,) along the borders of pixels, x columns and y rows of the scene, from its outer corner.
    figures
        Of each.
    edges
        Numbers of the pieces along the top, bottom, left and right edge, int32; -1 is none, -2 is not known.
    """

    rows: slice
    columns: slice
    shapes: Shapes
    figures: Figures
    edges: tuple[NDArray[np.int32], ...]


def find_pieces(
    levels: Levels,
    *,
    origin: tuple[int, int],
    least: int,
    unknown: int,
    values: NDArray[np.int64],
    least_pixels: float = 0.0,
) -> Pieces:
    """Pieces of outlines in a tile: pixels from a level on that hang together along edges.

    Parameters
    ----------
    levels
        uint8 (y, x) of the tile.
    origin
        Row and column of its first pixel in the scene.
    least
        Level from which pixels belong to outlines.
    unknown
        Level that says that nothing is known.
    values
        int64 (256,): what is added up for each level.
    least_pixels
        Pieces that are whole in the tile and have fewer pixels are left out.
    """
    nothing = levels == unknown
    labels, count = ndimage.label((levels >= least) & ~nothing)
    inside = np.flatnonzero(labels)
    place, level = labels.ravel()[inside] - 1, levels.ravel()[inside]
    peak, beside = np.zeros(count, np.int64), np.zeros(count + 1, np.bool_)
    np.maximum.at(peak, place, level)
    beside[labels[ndimage.binary_dilation(nothing)]] = True
    figures = Figures(
        sums(place, np.ones(len(place), np.int64), count),
        sums(place, level, count),
        sums(place, values[level], count),
        peak,
        beside[1:],
    )
    kept = figures.pixels >= least_pixels
    edges = [(grid[0], grid[-1], grid[:, 0], grid[:, -1]) for grid in (labels - 1, nothing)]
    for edge in edges[0]:
        kept[edge[edge >= 0]] = True
    number = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1).astype(np.int32)
    return Pieces(
        slice(origin[0], origin[0] + levels.shape[0]),
        slice(origin[1], origin[1] + levels.shape[1]),
        _polygons(number[labels - 1], int(kept.sum()), origin),
        figures.chosen(kept),
        tuple(np.where(unseen, np.int32(NOT_KNOWN), number[edge]) for edge, unseen in zip(*edges, strict=True)),
    )


def sums(group: NDArray[Any], values: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Exact sums by group, which no order of adding changes."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, group, values.astype(np.int64))
    return sums


def _polygons(number: NDArray[np.int32], count: int, origin: tuple[int, int]) -> Shapes:
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    found = np.empty(count, object)
    place = Affine.translation(origin[1], origin[0])
    for outline, value in shapes(number, mask=number >= 0, connectivity=4, transform=place):
        rings = outline["coordinates"]
        found[int(value)] = shapely.Polygon(rings[0], rings[1:])
    return found
