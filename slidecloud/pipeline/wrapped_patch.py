"""Wrapped pairs of a patch, and what is made of them without unwrapping: gradients, and a known slide put in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import gradients
from slidecloud.kernels.injection import place_like, standard_slide
from slidecloud.kernels.integration import DRAWS, Integrated, Rates, gradient_rates, integrate
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.samples import PairSamples, samples_of
from slidecloud.pipeline.tiles import Tile
from slidecloud.store.patch_specs import window_header
from slidecloud.types import DataError, Float32, StackHeader

INJECTED: Final = 0.05
"""m/yr of the slide that is put into the pairs."""
_SIDES: Final = 8, 40
"""Least and largest side, pixels, of that slide; between them it is as large as what was found."""


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
