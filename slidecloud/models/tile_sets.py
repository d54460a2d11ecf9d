"""Folders of tiles: half-precision maps that are mapped into memory, and their truth.

``views.npy`` is float16 (tile, 5, 416, 416): gradients along x and y and their sigmas in 1e-4/yr, and coherence.
``truth.npz`` holds ``offsets`` int64 (tile + 1,) into ``boxes`` float32 (n, 4) and ``visible`` bool (n,), and for each
tile ``span`` (years), ``level`` (factor on the velocity of its slides), ``family`` (of generators), ``kind`` and
``geometry`` (``radar`` or ``map``, of the maps that were brought to the grid of the detector). It is written last: a
folder without it is not finished.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.views import GradientView
from slidecloud.models.tiles import Tile
from slidecloud.types import DataError, Float32

SIDE: Final = 416
"""Pixels along each side of a tile."""

FEATURES: Final = "features-*.npy"
"""What trainings keep beside the tiles; goes with them."""

_UNIT: Final = np.float32(1e-4)
_PER_TILE: Final = ("span", "level", "family", "kind", "geometry")
_WHOLE: Final = slice(0, SIDE)


class TileSet(Sequence[Tile]):
    """Tiles of one folder; nothing but the truth is read until a tile is asked for.

    Attributes
    ----------
    folder
        Where it lies.
    offsets, boxes, visible, span, level, family, kind, geometry
        The truth, as in the module's docstring.
    """

    def __init__(self, folder: Path, views: NDArray[np.float16], truth: dict[str, NDArray[Any]]) -> None:
        self.folder = folder
        self._views = views
        self.offsets: NDArray[np.int64] = truth["offsets"]
        self.boxes: Float32 = truth["boxes"]
        self.visible: NDArray[np.bool_] = truth["visible"]
        self.span, self.level, self.family, self.kind, self.geometry = (truth[name] for name in _PER_TILE)

    def __len__(self) -> int:
        return len(self._views)

    def __getitem__(self, index: int) -> Tile:  # type: ignore[override]  # no slices: they would read gigabytes
        if not -len(self) <= index < len(self):
            raise IndexError(f"tile {index} of {str(self.folder)!r}; expected one of {len(self)}")
        index %= len(self)
        return Tile(self.view(index), *self.truth(index))

    def __iter__(self) -> Iterator[Tile]:
        return (self[index] for index in range(len(self)))

    def truth(self, index: int) -> tuple[Float32, NDArray[np.bool_]]:
        """Boxes float32 (n, 4) of a tile, and which of them are visible."""
        part = slice(*self.offsets[index : index + 2])
        return self.boxes[part], self.visible[part]

    def view(self, index: int, rows: slice = _WHOLE, columns: slice = _WHOLE) -> GradientView:
        """A tile's maps in single precision, or a part of them; only that part is read."""
        maps = self._views[index, :, rows, columns].astype(np.float32)
        maps[:4] *= _UNIT
        x, y, x_sigma, y_sigma, coherence = maps
        return GradientView(x, y, x_sigma, y_sigma, coherence, float(self.span[index]))


class Selection(Sequence[Tile]):
    """Some tiles of several sets.

    Parameters
    ----------
    sets
        Tile sets.
    count
        How many tiles, spread evenly over all, as sets may be in order of difficulty; None takes all.

    Attributes
    ----------
    level, kind, geometry
        Of each tile.
    """

    def __init__(self, sets: Sequence[TileSet], count: int | None = None) -> None:
        self._sets = sets
        total = sum(map(len, sets))
        wanted = total if count is None else min(count, total)
        self._chosen = np.unique(np.linspace(0, total - 1, wanted).round().astype(np.int64))
        self._firsts = np.cumsum([0, *map(len, sets)])
        self.level, self.kind, self.geometry = (
            np.concatenate([getattr(tiles, name) for tiles in sets])[self._chosen]
            for name in ("level", "kind", "geometry")
        )

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Tile:  # type: ignore[override]  # no slices: they would read gigabytes
        place = int(self._chosen[index])
        number = int(np.searchsorted(self._firsts, place, side="right")) - 1
        return self._sets[number][place - int(self._firsts[number])]


def open_tiles(folder: str | os.PathLike[str]) -> TileSet:
    """Open a folder of tiles.

    Raises
    ------
    FileNotFoundError
        If there is no finished tile set.
    DataError
        If its files do not belong together.
    """
    place = Path(folder)
    for name in ("views.npy", "truth.npz"):
        if not (place / name).is_file():
            raise FileNotFoundError(f"There is no tile set in {str(place)!r}: {name} is missing. Make it first.")
    try:
        views = np.load(place / "views.npy", mmap_mode="r")
        with np.load(place / "truth.npz") as stored:
            truth = {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"The tile set {str(place)!r} cannot be read ({error}). Make it again.") from None
    _check(place, views, truth)
    return TileSet(place, views, truth)


def write(
    folder: str | os.PathLike[str],
    tiles: Iterable[Tile],
    *,
    level: Sequence[float],
    family: Sequence[str],
    kind: Sequence[str],
    geometry: Sequence[str],
) -> TileSet:
    """Write tiles one after the other, and open the set.

    Parameters
    ----------
    folder
        Is made; a set that is there is replaced.
    tiles
        As many as there are levels; held in memory one at a time.
    level, family, kind, geometry
        Of each tile.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    (place / "truth.npz").unlink(missing_ok=True)
    for derived in place.glob(FEATURES):
        derived.unlink()
    partial = place / f".views.{uuid.uuid4().hex}.npy"
    try:
        views = np.lib.format.open_memmap(partial, "w+", dtype=np.float16, shape=(len(level), 5, SIDE, SIDE))
        boxes, visible, span = [], [], []
        for maps, tile in zip(views, tiles, strict=True):
            maps[:4] = np.stack(tile.view[:4]) / _UNIT
            maps[4] = tile.view.coherence
            boxes.append(np.asarray(tile.boxes, np.float32).reshape(-1, 4))
            visible.append(np.asarray(tile.visible, bool))
            span.append(tile.view.span)
        views.flush()
        partial.replace(place / "views.npy")
    finally:
        partial.unlink(missing_ok=True)
    truth = {
        "offsets": np.cumsum([0, *map(len, boxes)]),
        "boxes": np.concatenate([np.empty((0, 4), np.float32), *boxes]),
        "visible": np.concatenate([np.empty(0, bool), *visible]),
        "span": np.array(span, np.float64),
        "level": np.array(level, np.float64),
        "family": np.array(family, np.str_),
        "kind": np.array(kind, np.str_),
        "geometry": np.array(geometry, np.str_),
    }
    unfinished = place / f".truth.{uuid.uuid4().hex}.npz"
    np.savez(unfinished, **truth)  # type: ignore[arg-type]
    unfinished.replace(place / "truth.npz")
    return open_tiles(place)


def _check(place: Path, views: NDArray[Any], truth: dict[str, NDArray[Any]]) -> None:
    if views.dtype != np.float16 or views.shape[1:] != (5, SIDE, SIDE):
        raise DataError(
            f"views.npy of {str(place)!r} is {views.dtype} {views.shape}; expected float16 (tile, 5, {SIDE}, {SIDE})."
        )
    missing = {"offsets", "boxes", "visible", *_PER_TILE} - truth.keys()
    if missing:
        raise DataError(f"truth.npz of {str(place)!r} lacks {', '.join(sorted(missing))}. Make the tile set again.")
    lengths = {name: len(truth[name]) for name in _PER_TILE} | {"offsets": len(truth["offsets"]) - 1}
    wrong = [f"{length} {name}" for name, length in lengths.items() if length != len(views)]
    if wrong:
        raise DataError(f"The tile set {str(place)!r} has {len(views)} tiles, but {', '.join(wrong)}. Make it again.")
    if not len(truth["boxes"]) == len(truth["visible"]) == truth["offsets"][-1]:
        raise DataError(f"The boxes of {str(place)!r} do not belong to its tiles. Make the tile set again.")
