"""Displacement of a patch without what is smooth in space and quick in time: a second series beside the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from slidecloud.kernels.atmosphere_filter import noise_of_dates
from slidecloud.pipeline.atmosphere import LEAST_COHERENCE
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.types import Float32

LEAST_DATES: Final = 8
LEAST_WIDTHS: Final = 4
"""Times the filter's width in time that a series must last."""


@dataclass(frozen=True, slots=True)
class FilterWork:
    """Write ``displacement_filtered`` of a patch, once its tiles are inverted.

    ``name`` is for messages, ``years`` (date,) when, ``pixels`` and ``width`` the filter's in space and time.
    """

    run: Location
    group: str
    name: str
    years: tuple[float, ...]
    pixels: float
    width: float

    def __call__(self, writer: Writer) -> dict[str, Any]:
        if len(self.years) < LEAST_DATES or self.years[-1] - self.years[0] < LEAST_WIDTHS * self.width:
            return self._without(
                f"{len(self.years)} dates over {self.years[-1] - self.years[0]:.2f} years, expected at least "
                f"{LEAST_DATES} over {LEAST_WIDTHS * self.width:.2f}"
            )
        stored = reader(self.run, self.group)
        displacement = read(stored["displacement"], (slice(None),) * 3)  # type: ignore[arg-type]
        coherence, moving = (read(stored[name], (slice(None),) * 2) for name in ("temporal_coherence", "moving"))  # type: ignore[arg-type]
        still = (moving == 0) & ~(coherence < LEAST_COHERENCE) & np.isfinite(displacement).any(axis=0)
        if not still.any():
            return self._without("no coherent ground at rest")
        noise = noise_of_dates(displacement, self.years, mask=still, distance_pixels=self.pixels, years=self.width)
        writer.write(f"{self.group}/displacement_filtered", _since_first(displacement, noise), (0, 0, 0))
        return {"filtered_rms": round(float(np.sqrt(np.mean(noise[:, still] ** 2))), 6)}

    def _without(self, reason: str) -> dict[str, Any]:
        return {"note": f"{self.name} has no displacement_filtered: {reason}."}


def _since_first(displacement: Float32, noise: Float32) -> Float32:
    """Displacement less noise, 0 at the first date with data of each pixel as before."""
    first = np.argmax(np.isfinite(displacement), axis=0)
    return displacement - (noise - np.take_along_axis(noise, first[None], axis=0))
