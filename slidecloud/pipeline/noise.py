"""The stage ``noise``: how far neighbour noise of a stack reaches, measured once its pairs are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.kernels.closure import triplets
from slidecloud.kernels.noise_reach import MOST_LAG, noise_reach
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read_pairs, reader
from slidecloud.store.location import Location

STAGE = "noise"
_TRIPLETS = 12


@dataclass(frozen=True, slots=True)
class NoiseWork:
    """Measure the reach on a few triplets in the middle of a stack."""

    location: Location
    pairs: tuple[int, ...]
    loops: tuple[tuple[int, int, int], ...]
    rows: tuple[int, int]
    columns: tuple[int, int]

    def __call__(self, _: Writer) -> dict[str, Any]:
        root, indices = reader(self.location), np.array(self.pairs, np.intp)
        phase, coherence = (
            read_pairs(root[name], indices, slice(*self.rows), slice(*self.columns))  # type: ignore[arg-type]
            for name in ("phase", "coherence")
        )
        reach = noise_reach(phase, coherence, np.array(self.loops, np.int64).reshape(-1, 3))
        return {"reach": list(reach), "triplets": len(self.loops)}


def plan(selection: Selection) -> Unit:
    """The unit that measures a stack."""
    loops = triplets(selection.reference, selection.secondary)
    chosen = loops[np.unique(np.linspace(0, len(loops) - 1, _TRIPLETS).astype(int))] if len(loops) else loops
    needed = np.unique(chosen)
    rows, columns = (
        _middle(size, chunk) for size, chunk in zip(selection.header.shape, selection.chunks[1:], strict=True)
    )
    work = NoiseWork(
        selection.location,
        tuple(int(i) for i in selection.indices[needed]),
        tuple((int(a), int(b), int(c)) for a, b, c in np.searchsorted(needed, chosen)),
        rows,
        columns,
    )
    pixels = (rows[1] - rows[0]) * (columns[1] - columns[0])
    parts = ["noise/1", [selection.signature[i] for i in needed], rows, columns]
    return Unit(
        records.Key(STAGE, "reach", records.digest(parts)),
        work,
        bytes_read=3 * len(needed) * pixels,
        peak_memory=BASE_MEMORY + pixels * (3 * len(needed) + 100),
    )


def known_reach(location: Location) -> tuple[int, int]:
    """Reach (y, x) in pixels as ingest measured it; 0 where it did not."""
    for key in records.done(location, stage=STAGE):
        record = records.read(location, key)
        if record is not None:
            y, x = record.facts["reach"]
            return y, x
    return 0, 0


def warning(stack: str, reach: tuple[int, int], gap: tuple[int, int]) -> str | None:
    """What to tell where noise reaches across the gap of the estimator, or None."""
    if all(far <= wide for far, wide in zip(reach, gap, strict=True)):
        return None
    least = "at least " if max(reach) == MOST_LAG else ""
    return (
        f"Stack {stack}: noise of neighbouring pixels is correlated over {least}{max(reach)} pixels, and the gap "
        f"between the blocks of the gradient estimator is {max(gap)}: gradients come out too small where coherence is "
        "low. Unfiltered interferograms are better; else raise gradients.gap and the window."
    )


def _middle(size: int, chunk: int) -> tuple[int, int]:
    """One chunk in the middle of an axis."""
    first = (size // chunk) // 2 * chunk
    return first, min(first + chunk, size)
