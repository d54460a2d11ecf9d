"""Networks and samples that the measurements work on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.pipeline.inputs import DAYS_PER_YEAR
from slidecloud.simulate.calendar import acquisition_dates, neighbours
from slidecloud.types import Float32, Float64

PHASE_STEP = np.float32(np.pi / 32768)


class Network(NamedTuple):
    """Date indices of the pairs, int64 (pair,), and the dates in years (date,)."""

    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    time: Float64

    @property
    def span(self) -> Float64:
        """Years between the dates of each pair, (pair,)."""
        spans: Float64 = self.time[self.secondary] - self.time[self.reference]
        return spans


def network(dates: int, connections: int) -> Network:
    """Acquisitions every 12 days, each paired with the next few."""
    times = acquisition_dates(dates)
    ends = neighbours(times, connections=connections, max_days=12.0 * connections)
    first, last = np.array(ends, np.int64).T
    years = (times - times[0]) / np.timedelta64(1, "s") / (86400 * DAYS_PER_YEAR)
    return Network(first, last, years)


def interferograms(pairs: int, shape: tuple[int, int]) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Phase and coherence (pair, y, x) of noise without gaps: rates do not depend on what the pixels mean."""
    generator = np.random.default_rng(0)
    phase = generator.integers(-32768, 32768, (pairs, *shape), np.int16)
    return phase, generator.integers(20, 256, phase.shape, np.uint8)


def unwrapped(chosen: Network, pixels: int) -> tuple[Float32, Float32]:
    """Phase and weight (pair, pixel): a walk, noise, and one pair in fifty a cycle wrong, as unwrapping leaves them."""
    generator = np.random.default_rng(0)
    series = generator.normal(scale=0.5, size=(len(chosen.time), pixels)).cumsum(0)
    phase = series[chosen.secondary] - series[chosen.reference]
    phase += generator.normal(scale=0.3, size=phase.shape)
    phase += 2 * np.pi * generator.choice([-1, 0, 1], p=[0.01, 0.98, 0.01], size=phase.shape)
    return phase.astype(np.float32), generator.uniform(0.1, 1.0, phase.shape).astype(np.float32)
