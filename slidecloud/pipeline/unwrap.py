"""The stage ``unwrap``: phase of a patch is unwrapped, or fetched, into the patch's own store; its loops are mended."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.kernels.closure import triplets
from slidecloud.kernels.cycles import mend
from slidecloud.kernels.unwrapping import unwrap
from slidecloud.kernels.unwrapping_parts import LARGEST, unwrap_in_parts
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.samples import PairSamples, samples_of
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.unwrapped_pairs import Pairs, of_patch, of_stack
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import REJECTED, patch_group
from slidecloud.store.specs import PAIR_BATCH
from slidecloud.types import DataError, Float32

STAGE: Final = "unwrap"
GROUP: Final = "unwrapped"
Method = Literal["whirlwind", "snaphu", "stored"]
_PROGRAM_BYTES: Final = 150
"""Bytes a pixel while one pair is unwrapped (measured 60 to 80)."""
_PAIR_BYTES: Final = 6
_TOGETHER: Final = 20_000_000
"""Pair-pixels of a unit: minutes."""
_MENDED: Final = 60_000_000
"""Pair-pixels whose loops are looked at together; larger patches by chunks."""
_MEND_BYTES, _LOOP_BYTES = 25, 4
"""Bytes a pixel for each pair and for each loop of three while loops are mended (measured 24 and below 4)."""


@dataclass(frozen=True, slots=True)
class UnwrapWork:
    """Unwrap some pairs of a patch, or fetch their unwrapped phase; ``first`` is the place of the first of them."""

    samples: PairSamples
    stored: Pairs
    group: str
    first: int
    tile: Tile
    looks: float
    method: Method
    goldstein: float

    def __call__(self, writer: Writer) -> dict[str, Any]:
        phase, component, coherence = self._fetched() if self.method == "stored" else self._unwrapped()
        for name, values in (("phase", phase), ("component", component), ("coherence", coherence)):
            writer.write(f"{self.group}/{name}", values, (self.first, 0, 0))
        known = np.isfinite(phase)
        connected = float((component[known] > 0).mean()) if known.any() else 0.0
        return {"pairs": len(phase), "share_connected": round(connected, 4)}

    def _unwrapped(self) -> tuple[Float32, NDArray[np.uint8], NDArray[np.uint8]]:
        angles, coherence = self.samples.read(self.tile)
        assert self.method != "stored"
        program = partial(unwrap, looks=self.looks, method=self.method, goldstein=self.goldstein)
        phase, component = np.empty(angles.shape, np.float32), np.empty(angles.shape, np.uint8)
        for number, (angle, quality) in enumerate(zip(angles, coherence, strict=True)):
            phase[number], component[number] = unwrap_in_parts(angle, quality, program)
        return phase, component, coherence

    def _fetched(self) -> tuple[Float32, NDArray[np.uint8], NDArray[np.uint8]]:
        """The stack's own; which of its pixels hang together is not known."""
        shape = (self.tile.bottom - self.tile.top, self.tile.right - self.tile.left)
        phase, coherence = self.stored.read_stored(np.arange(len(self.stored.indices)), self.tile)
        none = np.zeros((len(phase), *shape), np.uint8)
        return phase.reshape(none.shape), none, coherence.reshape(none.shape)


@dataclass(frozen=True, slots=True)
class CyclesWork:
    """Find the turns that loops of pairs show missing, over one tile of a patch."""

    pairs: Pairs
    group: str
    tile: Tile

    def __call__(self, writer: Writer) -> dict[str, Any]:
        every = np.arange(len(self.pairs.indices))
        phase, _ = self.pairs.read(every, self.tile)
        component = self.pairs.read_components(every, self.tile)
        shape = (self.tile.bottom - self.tile.top, self.tile.right - self.tile.left)
        found = mend(phase, component, np.array(self.pairs.reference), np.array(self.pairs.secondary), shape=shape)
        cycles = np.where(found.rejected, np.int16(REJECTED), found.cycles).reshape(-1, *shape)
        writer.write(f"{self.group}/cycles", cycles, (0, self.tile.top, self.tile.left))
        known = max(1, int(np.isfinite(phase).sum()))
        return {
            "share_mended": round(float(np.count_nonzero(found.cycles)) / known, 6),
            "share_rejected": round(float(np.count_nonzero(found.rejected)) / known, 6),
            "pairs_unverifiable": int((~found.verifiable).sum()),
        }


def group(burst: str, patch: Patch) -> str:
    """Path of the unwrapped phase of a patch."""
    return f"{patch_group(burst, patch.name)}/{GROUP}"


def method_of(selection: Selection, config: TimeseriesConfig) -> Method:
    """How the phase of a burst comes to be unwrapped.

    Raises
    ------
    DataError
        If the stack's own unwrapped phase is asked for and it has none.
    """
    has = selection.header.has_unwrapped
    if config.phase == "stored" and not has:
        raise DataError(
            f"Stack {selection.header.id} has no unwrapped phase and timeseries.phase is 'stored'; "
            "choose 'auto' or 'unwrap', or ingest products that bring it."
        )
    return "stored" if has and config.phase != "unwrap" else config.unwrapper


def batch_of(patch: Patch) -> int:
    """Pairs in a chunk of a patch: fewer where it is large, so that a unit takes minutes."""
    return max(1, min(PAIR_BATCH, _TOGETHER // patch.window.pixels))


def plan(
    run: Location,
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    *,
    after: Sequence[tuple[str, str]] = (),
) -> list[Unit]:
    """Units of one patch, each with some of the pairs, and then those that mend its loops.

    Parameters
    ----------
    run, selection, patch
        The run store, the pairs, and the patch.
    config
        Method and filter.
    after
        Units that must be done before: those that form the pairs, where the run stores them.
    """
    batch = batch_of(patch)
    together = batch * max(1, _TOGETHER // (patch.window.pixels * batch))
    count = len(selection.pairs)
    first = [
        _unit(selection, patch, config, start, min(start + together, count), tuple(after))
        for start in range(0, count, together)
    ]
    return [*first, *_mending(run, selection, patch, config, first)]


def _unit(
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    first: int,
    end: int,
    after: tuple[tuple[str, str], ...],
) -> Unit:
    header, window, method = selection.header, patch.window, method_of(selection, config)
    chosen = selection.subset(np.arange(first, end))
    samples = samples_of(chosen)
    tile = Tile(window.top, window.bottom, window.left, window.right)
    work = UnwrapWork(
        samples, of_stack(chosen, 0.0), group(header.id, patch), first, tile, header.effective_looks, method,
        config.goldstein,
    )  # fmt: skip
    how = [header.effective_looks, method, config.goldstein] if method != "stored" else [method]
    parts = ["unwrap/1", chosen.signature, chosen.place, dataclasses.astuple(window), how, first, batch_of(patch)]
    pixels, pairs = window.pixels, end - first
    reading = pixels * (max(samples.memory_per_pixel, 5 * pairs) + _PAIR_BYTES * pairs)
    return Unit(
        records.Key(STAGE, f"{header.id}/{patch.name}/pairs{first:05d}", records.digest(parts)),
        work,
        requires=after,
        bytes_read=samples.read_per_pixel * pixels,
        bytes_written=_PAIR_BYTES * pairs * pixels,
        peak_memory=BASE_MEMORY + reading + min(pixels, LARGEST) * _PROGRAM_BYTES,
        kernel="levels" if method == "stored" else "unwrap",
        samples=pairs * pixels,
    )


def _mending(
    run: Location, selection: Selection, patch: Patch, config: TimeseriesConfig, before: Sequence[Unit]
) -> list[Unit]:
    header, count, shape = selection.header, len(selection.pairs), patch.window.shape
    pairs = of_patch(run, group(header.id, patch), selection, config.min_coherence)
    pairs = dataclasses.replace(pairs, cycles=None)
    loops = len(triplets(selection.reference, selection.secondary))
    per_pixel = _MEND_BYTES * count + _LOOP_BYTES * loops
    whole = count * patch.window.pixels <= _MENDED
    chunks = selection.chunks[1:]
    tile = tuple(-(-size // chunk) * chunk for size, chunk in zip(shape, chunks, strict=True)) if whole else chunks
    tiles = cut(shape, chunks, read_per_pixel=1, memory_per_pixel=1, memory=1, tile=(tile[0], tile[1]))
    inputs = [unit.key.digest for unit in before]
    return [
        Unit(
            records.Key(
                STAGE,
                f"{header.id}/{patch.name}/cycles/{part}",
                records.digest(["cycles/2", inputs, config.min_coherence, str(part)]),
            ),
            CyclesWork(pairs, group(header.id, patch), part),
            requires=tuple(unit.name for unit in before),
            bytes_read=6 * count * part.pixels,
            bytes_written=2 * count * part.pixels,
            peak_memory=BASE_MEMORY + part.pixels * per_pixel,
            kernel="levels",
            samples=4 * count * part.pixels,
        )
        for part in tiles
    ]
