"""Velocity of a patch without unwrapping, from the gradients of its pairs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.kernels.injection import inject, recovered
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.pipeline.wrapped_patch import Wrapped
from slidecloud.store import records
from slidecloud.store.arrays import Writer


@dataclass(frozen=True, slots=True)
class IntegrateWork:
    """Velocity from gradients of one season's pairs, and the share of a known slide that it gives back."""

    wrapped: Wrapped
    group: str
    inject: bool

    def __call__(self, writer: Writer) -> dict[str, Any]:
        phase, coherence = self.wrapped.read()
        still = ~self.wrapped.patch.mask()
        rates = self.wrapped.rates(phase, coherence)
        found = self.wrapped.integrated(rates, still)
        fraction = math.nan
        if self.inject:
            rate = self.wrapped.slide(coherence)
            more = inject(phase, rate, self.wrapped.spans, wavelength=self.wrapped.header.wavelength)
            # Both without knowing that the ground of the slide rests: what noise does there is no part of the slide.
            free = still & (rate == 0)
            gained = self.wrapped.integrated(self.wrapped.rates(more, coherence), free, draws=0)
            before = self.wrapped.integrated(rates, free, draws=0)
            fraction = recovered(gained.velocity, before.velocity, rate).fraction
        writer.write(f"{self.group}/velocity_integrated", found.velocity)
        writer.write(f"{self.group}/velocity_integrated_sigma", found.sigma)
        writer.write(f"{self.group}/integrated_false_offset", np.array(found.false_offset, np.float32))
        writer.write(f"{self.group}/recovered_fraction_integrated", np.array(fraction, np.float32))
        return {"false_offset": _plain(found.false_offset), "recovered_fraction": _plain(fraction)}


def integrating(
    burst: str,
    group: str,
    wrapped: Wrapped,
    *,
    inject: bool,
    signature: Sequence[Any],
    after: Sequence[tuple[str, str]],
) -> Unit:
    """The unit that integrates the gradients of a patch."""
    patch, count = wrapped.patch, len(wrapped.reference)
    parts = ["integrated/3", signature, dataclasses.astuple(patch.window), patch.moving, wrapped.window, wrapped.gap]
    return Unit(
        records.Key("timeseries", f"{burst}/{patch.name}/integrated", records.digest([*parts, inject])),
        IntegrateWork(wrapped, group, inject),
        requires=tuple(after),
        bytes_read=wrapped.samples.read_per_pixel * patch.window.pixels,
        bytes_written=8 * patch.window.pixels,
        peak_memory=BASE_MEMORY + patch.window.pixels * (wrapped.samples.memory_per_pixel + 2 * count + 1200),
        kernel="gradients",
        samples=(1 + inject) * (count + 200) * patch.window.pixels,
    )


def _plain(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None
