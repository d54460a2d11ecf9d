"""The stage ``unwrap``: wrapped phase of a patch is unwrapped, some pairs at a time, into the patch's own store."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.kernels.unwrapping import unwrap
from slidecloud.kernels.unwrapping_parts import LARGEST, unwrap_in_parts
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.samples import PairSamples, samples_of
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.store.patch_specs import patch_group
from slidecloud.store.specs import PAIR_BATCH

STAGE: Final = "unwrap"
GROUP: Final = "unwrapped"
_PROGRAM_BYTES: Final = 150
"""Bytes a pixel while one pair is unwrapped (measured 60 to 80)."""
_PAIR_BYTES: Final = 6
_TOGETHER: Final = 20_000_000
"""Pair-pixels of a unit: minutes."""


@dataclass(frozen=True, slots=True)
class UnwrapWork:
    """Unwrap some pairs of a patch; ``first`` is the place of the first of them."""

    samples: PairSamples
    group: str
    first: int
    tile: Tile
    looks: float
    method: Literal["whirlwind", "snaphu"]
    goldstein: float

    def __call__(self, writer: Writer) -> dict[str, Any]:
        phase, coherence = self.samples.read(self.tile)
        program = partial(unwrap, looks=self.looks, method=self.method, goldstein=self.goldstein)
        unwrapped = np.empty(phase.shape, np.float32)
        component = np.empty(phase.shape, np.uint8)
        for number, (angle, quality) in enumerate(zip(phase, coherence, strict=True)):
            unwrapped[number], component[number] = unwrap_in_parts(angle, quality, program)
        layers: dict[str, NDArray[Any]] = {"phase": unwrapped, "component": component, "coherence": coherence}
        for name, values in layers.items():
            writer.write(f"{self.group}/{name}", values, (self.first, 0, 0))
        known = np.isfinite(unwrapped)
        return {
            "pairs": len(phase),
            "share_connected": round(float((component[known] > 0).mean()), 4) if known.any() else 0.0,
        }


def group(burst: str, patch: Patch) -> str:
    """Path of the unwrapped phase of a patch."""
    return f"{patch_group(burst, patch.name)}/{GROUP}"


def batch_of(patch: Patch) -> int:
    """Pairs in a chunk of a patch: fewer where it is large, so that a unit takes minutes."""
    return max(1, min(PAIR_BATCH, _TOGETHER // patch.window.pixels))


def plan(
    selection: Selection, patch: Patch, config: TimeseriesConfig, *, after: Sequence[tuple[str, str]] = ()
) -> list[Unit]:
    """Units of one patch, each with some of the pairs.

    Parameters
    ----------
    selection
        The pairs.
    patch
        The patch.
    config
        Method and filter.
    after
        Units that must be done before: those that form the pairs, where the run stores them.
    """
    batch = batch_of(patch)
    together = batch * max(1, _TOGETHER // (patch.window.pixels * batch))
    count = len(selection.pairs)
    return [
        _unit(selection, patch, config, first, min(first + together, count), tuple(after))
        for first in range(0, count, together)
    ]


def _unit(
    selection: Selection,
    patch: Patch,
    config: TimeseriesConfig,
    first: int,
    end: int,
    after: tuple[tuple[str, str], ...],
) -> Unit:
    header, window = selection.header, patch.window
    chosen = selection.subset(np.arange(first, end))
    samples = samples_of(chosen)
    tile = Tile(window.top, window.bottom, window.left, window.right)
    work = UnwrapWork(
        samples, group(header.id, patch), first, tile, header.effective_looks, config.unwrapper, config.goldstein
    )
    parts = [
        "unwrap/1", chosen.signature, chosen.place, dataclasses.astuple(window), header.effective_looks,
        config.unwrapper, config.goldstein, first, batch_of(patch),
    ]  # fmt: skip
    pixels, pairs = window.pixels, end - first
    reading = pixels * (samples.memory_per_pixel + _PAIR_BYTES * pairs)
    return Unit(
        records.Key(STAGE, f"{header.id}/{patch.name}/pairs{first:05d}", records.digest(parts)),
        work,
        requires=after,
        bytes_read=samples.read_per_pixel * pixels,
        bytes_written=_PAIR_BYTES * pairs * pixels,
        peak_memory=BASE_MEMORY + reading + min(pixels, LARGEST) * _PROGRAM_BYTES,
        kernel="unwrap",
        samples=(pairs + samples.forming_per_pixel // 50) * pixels,
    )
