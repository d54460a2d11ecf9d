"""How much of a known slide the series of a patch give back: its pairs are unwrapped and inverted with it once more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import components, levels, sbas
from slidecloud.kernels.cycles import mend
from slidecloud.kernels.date_corrections import take_off
from slidecloud.kernels.injection import inject, recovered
from slidecloud.kernels.unwrapping import Method, unwrap
from slidecloud.kernels.weights import weight_table
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.wrapped_patch import Wrapped
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.types import Float32

_CROP: Final = 192
"""Rows and columns around the slide that are unwrapped again."""
_PAIR_BYTES: Final = 40


@dataclass(frozen=True, slots=True)
class RecoverWork:
    """The share of a known slide that comes back when the pairs are unwrapped and inverted with it once more."""

    wrapped: Wrapped
    run: Location
    group: str
    method: Method
    goldstein: float
    min_coherence: float
    robust: bool

    def __call__(self, writer: Writer) -> dict[str, Any]:
        phase, coherence = self.wrapped.read()
        rate = self.wrapped.slide(coherence)
        crop = self._crop(rate)
        still = ~self.wrapped.patch.mask()[crop] & (rate[crop] == 0)
        stored = reader(self.run, self.group)
        used = read(stored["pair_used"], (slice(None),)) > 0  # type: ignore[arg-type]
        before = read(stored["velocity"], crop)  # type: ignore[arg-type]
        more = inject(phase[:, *crop], rate[crop], self.wrapped.spans, wavelength=self.wrapped.header.wavelength)
        feigned = read(stored["correction"], (slice(None), *crop)) if "correction" in stored else None  # type: ignore[arg-type]
        after = self._velocity(more[used], coherence[:, *crop][used], used, still, feigned)
        both = still & np.isfinite(after) & np.isfinite(before)
        level = np.float32(np.median((after - before)[both])) if both.any() else np.float32(np.nan)
        fraction = recovered(after - level, before, rate[crop]).fraction
        writer.write(f"{self.group}/recovered_fraction", np.array(fraction, np.float32))
        return {"recovered_fraction": round(float(fraction), 5) if math.isfinite(fraction) else None}

    def _crop(self, rate: Float32) -> tuple[slice, slice]:
        """Rows and columns around the slide."""
        parts = []
        for axis, size in enumerate(rate.shape):
            middle = int(np.flatnonzero(rate.any(axis=1 - axis)).mean())
            start = max(0, min(middle - _CROP // 2, size - _CROP))
            parts.append(slice(start, min(size, start + _CROP)))
        return parts[0], parts[1]

    def _velocity(
        self,
        phase: NDArray[np.int16],
        coherence: NDArray[np.uint8],
        used: NDArray[np.bool_],
        still: NDArray[np.bool_],
        feigned: Float32 | None,
    ) -> Float32:
        """Velocity (y, x) m/yr of pairs, by the steps of the stages unwrap and timeseries, less what is feigned."""
        looks, count = self.wrapped.header.effective_looks, len(phase)
        found = [
            unwrap(angle, quality, looks=looks, method=self.method, goldstein=self.goldstein)
            for angle, quality in zip(phase, coherence, strict=True)
        ]
        values = np.stack([one.phase.ravel() for one in found])
        labels = np.stack([one.component.ravel() for one in found])
        reference, secondary = (np.array(dates)[used] for dates in (self.wrapped.reference, self.wrapped.secondary))
        values = mend(values, labels, reference, secondary, shape=phase.shape[1:]).phase
        for pair in range(count):
            taken = components.turns(values[pair], labels[pair], still.ravel())
            values[pair] = components.levelled(values[pair], labels[pair], taken)
        if feigned is not None:
            dates = feigned.reshape(len(feigned), -1)
            take_off(values, dates, reference, secondary, wavelength=self.wrapped.header.wavelength)
        inversion = sbas.invert(
            values,
            coherence.reshape(count, -1),
            reference,
            secondary,
            time=np.array(self.wrapped.years),
            offset=levels.pair_median(values, still.ravel()).astype(np.float32),
            weight_table=weight_table(looks=looks, least=self.min_coherence),
            robust=self.robust,
        )
        metres = np.float32(-self.wrapped.header.wavelength / (4 * math.pi))
        return (inversion.velocity * metres).reshape(phase.shape[1:])


def recovering(
    run: Location,
    burst: str,
    group: str,
    wrapped: Wrapped,
    *,
    how: tuple[Method, float, float, bool],
    tiles: Sequence[Unit],
) -> Unit:
    """The unit that measures what the series of a patch give back; ``how`` as `RecoverWork` takes it."""
    patch, count = wrapped.patch, len(wrapped.reference)
    parts = ["recovered/2", [unit.key.digest for unit in tiles], how, patch.moving]
    area = min(patch.window.shape[0], _CROP) * min(patch.window.shape[1], _CROP)
    memory = patch.window.pixels * (wrapped.samples.memory_per_pixel + count) + area * count * _PAIR_BYTES
    return Unit(
        records.Key("timeseries", f"{burst}/{patch.name}/recovered", records.digest(parts)),
        RecoverWork(wrapped, run, group, *how),
        requires=tuple(unit.name for unit in tiles),
        bytes_read=wrapped.samples.read_per_pixel * patch.window.pixels,
        peak_memory=BASE_MEMORY + memory,
        kernel="unwrap",
        samples=count * area,
    )
