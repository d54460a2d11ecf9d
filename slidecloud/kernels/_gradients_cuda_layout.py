"""How a thread block of the GPU divides its work: the tile, and the words of its samples in shared memory."""

from __future__ import annotations

from typing import NamedTuple

from slidecloud.kernels import device
from slidecloud.kernels._gradients_layout import Shape

SUMS, SAMPLED = 8, 8
"""Sums of a pixel: products 4, sizes 2, square, span. At points of the grid of sigma: products 4, adjacent ones 4."""
_SHARED = 48 * 1024
"""Bytes that a thread block has without asking the driver for more, which numba does not."""
_SEGMENT = 16


class Tile(NamedTuple):
    """Columns of a tile, rows of a thread, and how many threads share a column."""

    columns: int
    each: int
    groups: int

    @property
    def threads(self) -> int:
        """Threads of a tile."""
        return self.columns * self.groups

    @property
    def rows(self) -> int:
        """Rows of a tile."""
        return self.each * self.groups


_TILES = (Tile(64, 8, 4), Tile(32, 8, 4), Tile(32, 8, 2), Tile(32, 4, 2), Tile(16, 4, 2), Tile(16, 2, 2))
_SIMULATED = (Tile(16, 4, 2),)


class Layout(NamedTuple):
    """Rows and columns of samples, the pitch of rows, how many parts a row is summed in and their length, all words."""

    rows: int
    columns: int
    pitch: int
    parts: int
    length: int
    words: int


def layout_of(tile: Tile, shape: Shape) -> Layout:
    """How the words of a tile lie for blocks of a shape."""
    rows = tile.rows + max(shape.tall, shape.short + shape.lever_y) - 1
    summed, longest = tile.columns + shape.lever_x, max(shape.narrow, shape.wide)
    parts = -(-summed // _SEGMENT)
    size = -(-summed // parts)
    # Parts are summed whole, beyond the last sample too. An odd pitch puts the words of a column into different banks.
    pitch = (parts * size + longest) | 1
    columns = tile.columns + max(shape.lever_x + shape.narrow, shape.wide) - 1
    return Layout(rows, columns, pitch, parts, size, rows * pitch)


def choose_tile(shape: Shape) -> Tile:
    """The largest tile whose words fit the shared memory of a thread block.

    Raises
    ------
    ValueError
        If the window is too large for any.
    """
    for tile in _SIMULATED if device.is_simulated() else _TILES:
        if 4 * (3 * layout_of(tile, shape).words + tile.threads) <= _SHARED:
            return tile
    raise ValueError(
        f"window: found {shape.tall} x {shape.wide} pixels, expected at most about 40 x 40 on a GPU, whose thread "
        "blocks have little memory; set resources.device: cpu, or give arrays of the host"
    )
