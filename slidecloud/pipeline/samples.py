"""Where a unit takes its interferograms from: a burst stack, or the single-look images they are formed from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import interferograms
from slidecloud.pipeline.device_runner import Read
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.tiles import Tile
from slidecloud.store.arrays import read_pairs, reader
from slidecloud.store.location import Location
from slidecloud.store.slc import SlcStack

FORMING = 2
"""Pairs that are stacked in the time one pair is formed of 16 looks, two or three pairs an image (measured 1.6)."""


class PairSamples(Protocol):
    """Interferograms of some pairs, read tile by tile.

    Attributes
    ----------
    read_per_pixel, memory_per_pixel
        Bytes read and bytes needed at most for a pixel of a tile.
    forming_per_pixel
        Work of forming the pairs of a pixel, counted in pairs that could be stacked in the same time.
    batch
        Pairs that lie together where they are read.
    """

    @property
    def batch(self) -> int: ...

    @property
    def read_per_pixel(self) -> int: ...

    @property
    def memory_per_pixel(self) -> int: ...

    @property
    def forming_per_pixel(self) -> int: ...

    def read(self, tile: Tile) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """Phase (binary angle) and coherence (0 = no data) of a tile, (pair, y, x)."""
        ...

    def reader(self, tile: Tile) -> Read:
        """A function that puts chosen pairs of a tile into two arrays."""
        ...


@dataclass(frozen=True, slots=True)
class StoredPairs:
    """Pairs of a burst stack: their places, and how many lie in a chunk."""

    stack: Location
    pairs: tuple[int, ...]
    batch: int

    @property
    def read_per_pixel(self) -> int:
        return 3 * len(self.pairs)

    @property
    def memory_per_pixel(self) -> int:
        # A tenth for the blocks that chunks are decoded into, which are gone when the kernel begins.
        return math.ceil(3.3 * len(self.pairs))

    @property
    def forming_per_pixel(self) -> int:
        return 0

    def read(self, tile: Tile) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        root, indices = reader(self.stack), np.array(self.pairs, np.intp)
        phase, coherence = (
            read_pairs(root[name], indices, tile.rows, tile.columns)  # type: ignore[arg-type]
            for name in ("phase", "coherence")
        )
        return phase, coherence

    def reader(self, tile: Tile) -> Read:
        root, indices = reader(self.stack), np.array(self.pairs, np.intp)
        stored: list[Any] = [root[name] for name in ("phase", "coherence")]

        def read(chosen: NDArray[np.int64], into: Sequence[NDArray[Any]]) -> None:
            for array, out in zip(stored, into, strict=True):
                read_pairs(array, indices[chosen], tile.rows, tile.columns, out=out)

        return read


@dataclass(frozen=True, slots=True)
class FormedPairs:
    """Pairs formed from an SLC stack; each image is read once for all of them.

    Attributes
    ----------
    stack
        The SLC stack.
    images
        (date,) places of the images in it.
    reference, secondary
        (pair,) indices into ``images``.
    shape
        Rows and columns of the multilooked burst.
    looks, coherence_window
        As `slidecloud.kernels.interferograms.form_pairs` takes them.
    sample_bytes
        Bytes of a sample.
    """

    stack: Location
    images: tuple[int, ...]
    reference: tuple[int, ...]
    secondary: tuple[int, ...]
    shape: tuple[int, int]
    looks: tuple[int, int]
    coherence_window: tuple[int, int]
    sample_bytes: int

    @property
    def batch(self) -> int:
        return 1

    @property
    def read_per_pixel(self) -> int:
        return len(self.images) * self._cell

    @property
    def memory_per_pixel(self) -> int:
        # A second image is in memory while it is decoded; a coherence window makes a copy of the part that is wanted.
        return (len(self.images) + 2) * self._cell + 6 * len(self.reference)

    @property
    def forming_per_pixel(self) -> int:
        return FORMING * len(self.reference)

    @property
    def _cell(self) -> int:
        return self.looks[0] * self.looks[1] * self.sample_bytes

    def read(self, tile: Tile) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        rows, columns, wanted = interferograms.samples(
            (tile.rows, tile.columns), self.shape, looks=self.looks, coherence_window=self.coherence_window
        )
        images = SlcStack(self.stack).read(self.images, rows, columns)
        formed = interferograms.form_pairs(
            images.samples,
            reference=np.array(self.reference),
            secondary=np.array(self.secondary),
            looks=self.looks,
            coherence_window=self.coherence_window,
            flattening=images.flattening,
        )
        return formed.phase[:, *wanted], formed.coherence[:, *wanted]

    def reader(self, tile: Tile) -> Read:
        formed: tuple[NDArray[Any], ...] = self.read(tile)

        def read(chosen: NDArray[np.int64], into: Sequence[NDArray[Any]]) -> None:
            for values, out in zip(formed, into, strict=True):
                np.take(values, chosen, axis=0, out=out, mode="clip")

        return read


def samples_of(selection: Selection) -> PairSamples:
    """Where the pairs of a selection come from."""
    forming = selection.forming
    if forming is None:
        return StoredPairs(selection.location, tuple(int(i) for i in selection.indices), selection.chunks[0])
    days = (str(day).replace("-", "") for day in selection.dates.astype("datetime64[D]"))
    return FormedPairs(
        selection.location,
        tuple(forming.place[day] for day in days),
        tuple(int(i) for i in selection.reference),
        tuple(int(i) for i in selection.secondary),
        selection.header.shape,
        forming.looks,
        forming.coherence_window,
        forming.sample_bytes,
    )
