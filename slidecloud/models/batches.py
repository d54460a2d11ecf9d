"""Batches of tiles for training: turned, mixed, and the same for the same seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.models.prepared import Prepared
from slidecloud.models.tile_sets import SIDE
from slidecloud.types import Float32

_CUT: Final = 0.7
_LOST: Final = 0.1
_MIDDLE: Final = (SIDE * 3 // 10, SIDE * 7 // 10)


class Sample(NamedTuple):
    """Features float16 (channel, y, x) of one tile, its boxes float32 (n, 4), and which of them are visible."""

    features: NDArray[np.float16]
    boxes: Float32
    visible: NDArray[np.bool_]


class Batch(NamedTuple):
    """Tiles for one step.

    Attributes
    ----------
    features
        float16 (tile, channel, y, x).
    image
        int64 (n,): the tile of each slide.
    boxes
        float32 (n, 4).
    visible
        bool (n,).
    """

    features: NDArray[np.float16]
    image: NDArray[np.int64]
    boxes: Float32
    visible: NDArray[np.bool_]


class Turn(NamedTuple):
    """Features seen otherwise: mirrored along their axes, or with uplift for subsidence."""

    rows: bool
    columns: bool
    sign: bool

    def maps(self, maps: NDArray[np.float16], odd: NDArray[np.bool_]) -> NDArray[np.float16]:
        """Maps (channel, y, x) turned; ``odd`` (channel, 3) as in `Inputs`."""
        turned = maps[:, :: -1 if self.rows else 1, :: -1 if self.columns else 1].copy()
        against = np.logical_xor.reduce(odd & np.array(self), axis=1)
        np.negative(turned, out=turned, where=against[:, None, None])
        return turned

    def boxes(self, boxes: Float32, shape: tuple[int, int]) -> Float32:
        """Boxes (n, 4) of a view of this shape turned."""
        top, left, bottom, right = boxes.T
        if self.rows:
            top, bottom = shape[0] - bottom, shape[0] - top
        if self.columns:
            left, right = shape[1] - right, shape[1] - left
        return np.stack([top, left, bottom, right], 1)


def batch(sets: Sequence[Prepared], *, size: int, seed: int, step: int, mosaic: float) -> Batch:
    """The tiles of one training step; depends on nothing but what is given.

    Parameters
    ----------
    sets
        Tiles are drawn from all of them alike.
    size
        Number of tiles.
    seed, step
        Of the draw.
    mosaic
        Share of tiles that are put together from parts of four.
    """
    samples = []
    for number in range(size):
        random = np.random.default_rng([seed, step, number])
        samples.append(_mosaic(sets, random) if random.random() < mosaic else _single(sets, random))
    return collate(samples)


def collate(samples: Sequence[Sample]) -> Batch:
    """Samples side by side."""
    return Batch(
        np.stack([sample.features for sample in samples]),
        np.repeat(np.arange(len(samples)), [len(sample.boxes) for sample in samples]),
        np.concatenate([sample.boxes for sample in samples]),
        np.concatenate([sample.visible for sample in samples]),
    )


def crop(boxes: Float32, visible: NDArray[np.bool_], window: tuple[int, int, int, int]) -> Sample:
    """Boxes cut at a window (top, left, bottom, right) and counted from its corner, with empty features.

    What keeps less than a tenth of its area is gone; what loses more than 30 % is no longer asked for.
    """
    top, left, bottom, right = window
    low, high = np.array([top, left, top, left], np.float32), np.array([bottom, right, bottom, right], np.float32)
    cut = np.clip(boxes, low, high)
    before, after = ((part[:, 2:] - part[:, :2]).prod(1) for part in (boxes, cut))
    kept = after > _LOST * before
    clear = visible & (after >= _CUT * before)
    return Sample(np.empty((0, 0, 0), np.float16), (cut - low)[kept], clear[kept])


def _single(sets: Sequence[Prepared], random: np.random.Generator) -> Sample:
    return _part(sets, random, (SIDE, SIDE))


def _mosaic(sets: Sequence[Prepared], random: np.random.Generator) -> Sample:
    """Parts of four tiles around a point near the middle."""
    row, column = (int(cut) for cut in random.integers(*_MIDDLE, size=2))
    mixed = np.empty((sets[0].channels, SIDE, SIDE), np.float16)
    boxes, visible = [], []
    for top, bottom in ((0, row), (row, SIDE)):
        for left, right in ((0, column), (column, SIDE)):
            part = _part(sets, random, (bottom - top, right - left))
            mixed[:, top:bottom, left:right] = part.features
            boxes.append(part.boxes + np.array([top, left, top, left], np.float32))
            visible.append(part.visible)
    return Sample(mixed, np.concatenate(boxes), np.concatenate(visible))


def _part(sets: Sequence[Prepared], random: np.random.Generator, shape: tuple[int, int]) -> Sample:
    """Any place of this shape of any tile, turned any way."""
    tiles, index = _draw(sets, random)
    top, left = (int(random.integers(SIDE - side + 1)) for side in shape)
    turn = Turn(*(bool(side) for side in random.integers(2, size=3)))
    bottom, right = top + shape[0], left + shape[1]
    maps = tiles.features(index, slice(top, bottom), slice(left, right))
    cut = crop(*tiles.truth(index), (top, left, bottom, right))
    return Sample(turn.maps(maps, tiles.odd), turn.boxes(cut.boxes, shape), cut.visible)


def _draw(sets: Sequence[Prepared], random: np.random.Generator) -> tuple[Prepared, int]:
    index = int(random.integers(sum(map(len, sets))))
    for tiles in sets:
        if index < len(tiles):
            return tiles, index
        index -= len(tiles)
    raise ValueError("there are no tiles to draw from; give tile sets that are not empty")
