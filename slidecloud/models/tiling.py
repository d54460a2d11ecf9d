"""A map of any size cut into tiles on a grid that is fixed to its first pixel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from slidecloud.kernels.views import GradientView
from slidecloud.models.tile_sets import SIDE
from slidecloud.types import Float32

MARGIN: Final = 32
"""A box whose centre lies so near the edge of a tile is left to the neighbour, which sees more of it."""

SLACK: Final = 4
"""Pixels by which both neighbours reach over their common line: they may disagree on which side of it a centre lies.
A box that both give is easily suppressed, while one that neither gives is lost."""

STRIDE: Final = SIDE - 2 * MARGIN
"""Pixels from tile to tile: what the margins leave meets without overlap."""


class Place(NamedTuple):
    """A tile's first row and column, and the part (top, left, bottom, right) of the map whose boxes are its own."""

    row: int
    column: int
    own: tuple[float, float, float, float]


def places(shape: tuple[int, int]) -> list[Place]:
    """The tiles of a map of this shape, row by row; their own parts cover it."""
    down, across = (_starts(size) for size in shape)
    return [
        Place(row, column, (top, left, bottom, right)) for row, top, bottom in down for column, left, right in across
    ]


def _starts(size: int) -> list[tuple[int, float, float]]:
    """First pixel, and first and last of the own part, of the tiles along one axis."""
    starts = [0, *range(STRIDE, size - 2 * MARGIN, STRIDE)]
    last = len(starts) - 1
    return [
        (
            start,
            start + MARGIN - SLACK if number else 0,
            start + MARGIN + STRIDE + SLACK if number < last else size,
        )
        for number, start in enumerate(starts)
    ]


def defined(view: GradientView, shape: tuple[int, int]) -> Iterator[Place]:
    """Tiles with a defined gradient in them."""
    for place in places(shape):
        part = part_of(view, place)
        if np.isfinite(part.x).any() or np.isfinite(part.y).any():
            yield place


def part_of(view: GradientView, place: Place) -> GradientView:
    """What of a view lies in a tile; less than a tile at the end of the map."""
    window = (slice(place.row, place.row + SIDE), slice(place.column, place.column + SIDE))
    x, y, x_sigma, y_sigma, coherence = (maps[window] for maps in view[:5])
    return GradientView(x, y, x_sigma, y_sigma, coherence, view.span)


def own_boxes(boxes: Float32, scores: Float32, place: Place) -> tuple[Float32, Float32]:
    """A tile's boxes in pixels of the map, those whose centre lies in the tile's own part."""
    moved = boxes + np.array([place.row, place.column] * 2, np.float32)
    y, x = ((moved[:, side] + moved[:, side + 2]) / 2 for side in (0, 1))
    top, left, bottom, right = place.own
    own = (y >= top) & (y < bottom) & (x >= left) & (x < right)
    return moved[own], scores[own]
