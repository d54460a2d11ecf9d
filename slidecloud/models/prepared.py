"""Features of tiles, made once for all trainings that look at them alike: they cost as much as a step of learning."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.models.features import Inputs, features
from slidecloud.models.tile_sets import FEATURES, SIDE, TileSet
from slidecloud.types import DataError, Float32

LOOK: Final = 1
"""Raised when the same view gives other features."""


class Prepared:
    """A tile set with the features of its views.

    Parameters
    ----------
    tiles
        The set.
    maps
        float16 (tile, channel, y, x).
    odd
        bool (channel, 3): which maps change sign when turned, as in `Inputs`.
    """

    def __init__(self, tiles: TileSet, maps: NDArray[np.float16], odd: NDArray[np.bool_]) -> None:
        self._tiles = tiles
        self._maps = maps
        self.odd = odd

    @property
    def channels(self) -> int:
        """Number of maps."""
        return len(self.odd)

    def __len__(self) -> int:
        return len(self._maps)

    def truth(self, index: int) -> tuple[Float32, NDArray[np.bool_]]:
        """Boxes float32 (n, 4) of a tile, and which of them are visible."""
        return self._tiles.truth(index)

    def features(self, index: int, rows: slice, columns: slice) -> NDArray[np.float16]:
        """float16 (channel, y, x) of a part of a tile; only that part is read."""
        return self._maps[index, :, rows, columns]


def prepare(tiles: TileSet, inputs: Inputs, *, tell: Callable[[int], None] | None = None) -> Prepared:
    """Features of a tile set, kept beside it as ``features-*.npy``; made where they are not there yet.

    Parameters
    ----------
    tiles
        The set.
    inputs
        Which features.
    tell
        Is told of how many tiles they are made.

    Raises
    ------
    DataError
        If they cannot be written.
    """
    name = hashlib.sha256(repr([LOOK, inputs]).encode()).hexdigest()[:12]
    path = tiles.folder / FEATURES.replace("*", name)
    shape = (len(tiles), inputs.channels, SIDE, SIDE)
    if not path.is_file():
        partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.npy")
        try:
            maps = np.lib.format.open_memmap(partial, "w+", dtype=np.float16, shape=shape)
            for index in range(len(tiles)):
                maps[index] = features(tiles.view(index), inputs)
                if tell is not None:
                    tell(index + 1)
            maps.flush()
            partial.replace(path)
        except OSError as error:
            raise DataError(
                f"Features of the tiles in {str(tiles.folder)!r} cannot be kept beside them ({error}). "
                f"They need {np.prod(shape) * 2 / 1e9:.1f} GB there."
            ) from None
        finally:
            partial.unlink(missing_ok=True)
    try:
        maps = np.load(path, mmap_mode="r")
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{str(path)!r} cannot be read ({error}). Remove it, it is made again.") from None
    if maps.shape != shape or maps.dtype != np.float16:
        raise DataError(f"{str(path)!r} is {maps.dtype} {maps.shape}; expected float16 {shape}. Remove it.")
    return Prepared(tiles, maps, inputs.odd)
