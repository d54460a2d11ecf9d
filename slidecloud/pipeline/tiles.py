"""Cutting a burst into tiles of whole chunks that fit a worker's memory."""

from __future__ import annotations

from dataclasses import dataclass

BASE_MEMORY = 340_000_000
"""Bytes of a worker process before it has any data: Python, numba, the kernels it has loaded, Zarr and Dask."""

SHARE = 0.6
"""Share of a worker's memory that a unit may plan for; allocators and codecs need the rest."""

LARGEST_INPUT = 500_000_000
"""Bytes a unit should read at most, so that losing one costs seconds."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows and columns of a unit, half-open."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    @property
    def rows(self) -> slice:
        """Rows as a slice."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Columns as a slice."""
        return slice(self.left, self.right)

    def __str__(self) -> str:
        return f"y{self.top}-{self.bottom}x{self.left}-{self.right}"

    def padded(self, before: tuple[int, int], after: tuple[int, int], shape: tuple[int, int]) -> Tile:
        """The tile with a halo (y, x), cut at the burst's borders."""
        return Tile(
            max(self.top - before[0], 0),
            min(self.bottom + after[0], shape[0]),
            max(self.left - before[1], 0),
            min(self.right + after[1], shape[1]),
        )


def cut(
    shape: tuple[int, int],
    chunks: tuple[int, int],
    *,
    read_per_pixel: int,
    memory_per_pixel: int,
    memory: int,
    tile: tuple[int, int] | None = None,
) -> list[Tile]:
    """Tiles of a burst in row-major order.

    Parameters
    ----------
    shape
        Rows and columns of the burst.
    chunks
        Rows and columns of a chunk; tiles begin and end on chunk borders.
    read_per_pixel, memory_per_pixel
        Bytes a unit reads and needs for a pixel.
    memory
        Bytes of a worker.
    tile
        Rows and columns to use instead of choosing.

    Raises
    ------
    ValueError
        If ``tile`` is not made of whole chunks.
    """
    height, width = tile or _largest(shape, chunks, read_per_pixel, memory_per_pixel, memory)
    if height % chunks[0] or width % chunks[1]:
        raise ValueError(
            f"resources.tile is [{height}, {width}]; the stack's chunks are {list(chunks)}. Use multiples, or null."
        )
    return [
        Tile(top, min(top + height, shape[0]), left, min(left + width, shape[1]))
        for top in range(0, shape[0], height)
        for left in range(0, shape[1], width)
    ]


def _largest(
    shape: tuple[int, int], chunks: tuple[int, int], read_per_pixel: int, memory_per_pixel: int, memory: int
) -> tuple[int, int]:
    """The largest tile that fits: whole rows of chunks first, since those read without waste."""
    room = min((SHARE * memory - BASE_MEMORY) / memory_per_pixel, LARGEST_INPUT / read_per_pixel)
    across = -(-shape[1] // chunks[1])
    down = -(-shape[0] // chunks[0])
    columns = max(1, min(across, int(room // (chunks[0] * chunks[1]))))
    rows = max(1, min(down, int(room // (chunks[0] * columns * chunks[1])))) if columns == across else 1
    return rows * chunks[0], columns * chunks[1]
