"""Velocity of a patch without unwrapping, and how much of a known slide each of its velocities gives back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import components, gradients, levels, sbas
from slidecloud.kernels.cycles import mend
from slidecloud.kernels.date_corrections import take_off
from slidecloud.kernels.injection import inject, place_like, recovered, standard_slide
from slidecloud.kernels.integration import DRAWS, Integrated, Rates, gradient_rates, integrate
from slidecloud.kernels.unwrapping import Method, unwrap
from slidecloud.kernels.weights import weight_table
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.samples import PairSamples, samples_of
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import window_header
from slidecloud.types import DataError, Float32, StackHeader

INJECTED: Final = 0.05
"""m/yr of the slide that is put into the pairs."""
_SIDES: Final = 8, 40
"""Least and largest side, pixels, of that slide; between them it is as large as what was found."""
_CROP: Final = 192
"""Rows and columns around it that are unwrapped again."""
_PAIR_BYTES: Final = 40


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Wrapped pairs of a patch: where they are read, their dates, and what moves.

    Attributes
    ----------
    samples
        The pairs.
    reference, secondary, years
        Date indices of the pairs, and years of the dates.
    header
        Of the patch.
    patch
        Its window.
    window, gap
        Pixels, as gradients are stacked.
    """

    samples: PairSamples
    reference: tuple[int, ...]
    secondary: tuple[int, ...]
    years: tuple[float, ...]
    header: StackHeader
    patch: Patch
    window: tuple[int, int]
    gap: tuple[int, int]

    def read(self) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """Phase and coherence (pair, y, x) of the patch."""
        window = self.patch.window
        return self.samples.read(Tile(window.top, window.bottom, window.left, window.right))

    @property
    def spans(self) -> NDArray[np.float64]:
        """(pair,) years."""
        years = np.array(self.years)
        spans: NDArray[np.float64] = years[list(self.secondary)] - years[list(self.reference)]
        return spans

    def slide(self, coherence: NDArray[np.uint8]) -> Float32:
        """Rate (y, x) m/yr of a slide like those that were found, on still ground as coherent as they are."""
        moving = self.patch.mask()
        mean = coherence.mean(axis=0, dtype=np.float32) / 255
        mean[mean == 0] = np.nan
        if not (np.isfinite(mean) & ~moving).any():
            raise DataError(
                f"Patch {self.patch.name} of stack {self.header.id} has no pixel with data outside its detections. "
                "Raise timeseries.halo."
            )
        side = math.sqrt(moving.sum() / max(1, len(self.patch.moving)))
        side = float(np.clip(side, _SIDES[0], min(_SIDES[1], max(_SIDES[0], 0.4 * min(self.header.shape)))))
        there = mean[moving & np.isfinite(mean)]
        wanted = float(there.mean()) if there.size else float(np.nanmean(mean))
        centre = place_like(mean, stable=~moving, wanted=wanted, length=side, width=side)
        return standard_slide(self.header.shape, centre, length=side, width=side, rate=INJECTED)

    def rates(self, phase: NDArray[np.int16], coherence: NDArray[np.uint8]) -> Rates:
        """Gradients of velocity from these pairs."""
        found = gradients.stack(
            phase, coherence, reference=list(self.reference), secondary=list(self.secondary), span=self.spans,
            window=self.window, gap=self.gap,
        )  # fmt: skip
        return gradient_rates(found, wavelength=self.header.wavelength)

    def integrated(self, rates: Rates, still: NDArray[np.bool_], *, draws: int = DRAWS) -> Integrated:
        """Velocity from its gradients; ``draws`` as `integrate` takes them."""
        try:
            return integrate(*rates, stable=still, window=self.window, gap=self.gap, draws=draws)
        except ValueError as error:
            raise DataError(
                f"Patch {self.patch.name} of stack {self.header.id} has no velocity from gradients: {error}. "
                "Raise timeseries.halo, or set timeseries.integrate to false."
            ) from None


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
        return {"recovered_fraction": _plain(fraction)}

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


def wrapped_of(
    selection: Selection,
    patch: Patch,
    *,
    window: tuple[int, int],
    gap: tuple[int, int],
    chosen: NDArray[np.intp] | None,
) -> Wrapped:
    """Pairs of a patch, all or those chosen, before they are unwrapped."""
    pairs = selection if chosen is None else selection.subset(chosen)
    return Wrapped(
        samples_of(pairs),
        tuple(int(i) for i in pairs.reference),
        tuple(int(i) for i in pairs.secondary),
        tuple(float(y) for y in pairs.years),
        window_header(selection.header, patch.window),
        patch,
        window,
        gap,
    )


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
    parts = ["recovered/1", [unit.key.digest for unit in tiles], how, patch.moving]
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


def _plain(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None
