"""Unwrapped pairs as the stage ``timeseries`` reads them: of a burst stack, or of a patch that was unwrapped here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.tiles import Tile
from slidecloud.store.arrays import read, read_pairs, reader
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import REJECTED
from slidecloud.types import Float32, Float64


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which pairs to read, and how they hang together, in the order (reference, secondary).

    Attributes
    ----------
    stack, group
        Where they are: a store and a group of it.
    indices
        (pair,) places in it.
    reference, secondary
        (pair,) indices into ``years``, those of the dates.
    min_coherence
        Below, a pixel of a pair counts as missing.
    origin
        Row and column of what is stored at which tiles begin to count.
    phase, component
        Names of the arrays of unwrapped phase, and of connected components where they are known.
    cycles
        Name of the array of turns to add, where there is one.
    """

    stack: Location
    indices: tuple[int, ...]
    reference: tuple[int, ...]
    secondary: tuple[int, ...]
    years: tuple[float, ...]
    min_coherence: float
    group: str = ""
    origin: tuple[int, int] = (0, 0)
    phase: str = "unwrapped"
    component: str | None = None
    cycles: str | None = None

    @property
    def spans(self) -> Float64:
        """(pair,) years."""
        years = np.array(self.years)
        spans: Float64 = years[list(self.secondary)] - years[list(self.reference)]
        return spans

    def read(self, positions: NDArray[np.intp], tile: Tile) -> tuple[Float32, NDArray[np.uint8]]:
        """Unwrapped phase (NaN = missing) and coherence (0 = missing) of some pairs, shape (pair, pixel)."""
        phase, coherence = self.read_stored(positions, tile)
        for seen, quality in zip(phase, coherence, strict=True):
            quality[(quality < 255 * self.min_coherence) | ~np.isfinite(seen)] = 0
            seen[quality == 0] = np.nan
        return phase, coherence

    def read_stored(self, positions: NDArray[np.intp], tile: Tile) -> tuple[Float32, NDArray[np.uint8]]:
        """Unwrapped phase and coherence of some pairs as they are stored, shape (pair, pixel)."""
        coherence = self._read("coherence", positions, tile)
        phase = self._read(self.phase, positions, tile)
        if self.cycles is not None:
            for seen, turns in zip(phase, self._read(self.cycles, positions, tile), strict=True):
                add_turns(seen, turns)
        return phase, coherence

    def read_components(self, positions: NDArray[np.intp], tile: Tile) -> NDArray[np.uint8] | None:
        """Labels of the connected components (pair, pixel), or None where they are not known."""
        return None if self.component is None else self._read(self.component, positions, tile)

    def read_cycles(self, positions: NDArray[np.intp], tile: Tile) -> NDArray[np.int16] | None:
        """Turns to add (pair, pixel), REJECTED where they cannot be told, or None where loops were not looked at."""
        return None if self.cycles is None else self._read(self.cycles, positions, tile)

    def place(self) -> tuple[Float32, Float32] | None:
        """Latitude and longitude (y, x) that are stored with the pairs, degrees; None on a map grid."""
        stored = reader(self.stack, self.group)
        if "latitude" not in stored:
            return None
        latitude, longitude = (read(stored[name], (slice(None),) * 2) for name in ("latitude", "longitude"))  # type: ignore[arg-type]
        return latitude, longitude

    def _read(self, name: str, positions: NDArray[np.intp], tile: Tile) -> NDArray:  # type: ignore[type-arg]
        root, (top, left) = reader(self.stack, self.group), self.origin
        indices = np.array(self.indices, np.intp)[positions]
        rows, columns = slice(tile.top + top, tile.bottom + top), slice(tile.left + left, tile.right + left)
        return read_pairs(root[name], indices, rows, columns).reshape(len(positions), -1)  # type: ignore[arg-type]


def add_turns(phase: Float32, turns: NDArray[np.int16]) -> None:
    """Add whole turns to phase, in place; NaN where they are rejected."""
    moved = turns != 0
    phase[moved] = phase[moved].astype(np.float64) + 2 * np.pi * turns[moved]
    phase[turns == REJECTED] = np.nan


def of_stack(selection: Selection, min_coherence: float, *, origin: tuple[int, int] = (0, 0)) -> Pairs:
    """Pairs with the unwrapped phase of their burst stack; tiles count from ``origin``."""
    indices = tuple(int(i) for i in selection.indices)
    return Pairs(selection.location, indices, *_network(selection), min_coherence, origin=origin)


def of_patch(run: Location, group: str, selection: Selection, min_coherence: float) -> Pairs:
    """Pairs that were unwrapped in a patch, whose group holds them in the order of the selection."""
    indices, network = tuple(range(len(selection.pairs))), _network(selection)
    return Pairs(run, indices, *network, min_coherence, group, phase="phase", component="component", cycles="cycles")


def _network(selection: Selection) -> tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]:
    return (
        tuple(int(i) for i in selection.reference),
        tuple(int(i) for i in selection.secondary),
        tuple(float(y) for y in selection.years),
    )
