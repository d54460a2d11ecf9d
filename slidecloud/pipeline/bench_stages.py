"""How fast the work between the kernels is: maps of a burst from its bins, and the levels of its pairs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import gradients, levels
from slidecloud.pipeline.bench_networks import interferograms, network, unwrapped
from slidecloud.pipeline.bench_timing import PROCESSOR, race
from slidecloud.pipeline.rates import LEVELS, MAPS, Measurement
from slidecloud.types import Float32, Float64

_BINS = 4
_CONNECTIONS = 3


def measure_stages(seconds: float, *, shape: tuple[int, int], dates: int) -> list[Measurement]:
    """What the units ``maps`` and ``levels`` compute, on one core and in memory.

    Parameters
    ----------
    seconds
        For both together.
    shape
        Rows and columns.
    dates
        Acquisitions, 12 days apart, each paired with the next three.
    """
    chosen = network(dates, _CONNECTIONS)
    pairs: dict[str, Any] = {"reference": chosen.reference, "secondary": chosen.secondary, "span": chosen.span}
    sums = gradients.accumulate(*interferograms(len(chosen.reference), shape), **pairs)
    phase, weight = unwrapped(chosen, shape[0] * shape[1])
    quality = (weight * 255).astype(np.uint8)
    best = race(
        {MAPS: partial(_make_maps, sums), LEVELS: partial(_level, phase, quality, chosen.span)},
        seconds,
        clock=PROCESSOR,
    )
    pixels = shape[0] * shape[1]
    return [
        Measurement(MAPS, "bin-pixels/s", _BINS * pixels / best[MAPS]),
        # The unit goes through the pairs twice, once for the stable area and once for the levels.
        Measurement(LEVELS, "pair-pixels/s", 2 * phase.size / best[LEVELS]),
    ]


def _make_maps(sums: Any) -> None:
    """Bins merged, then maps over all bins and over each season: every bin is finished twice."""
    merged: Any = sums
    for _ in range(_BINS - 1):
        merged = gradients.merge(merged, sums)
    gradients.finish(merged)
    for _ in range(2):
        gradients.mean_rate((gradients.finish(sums) for _ in range(_BINS)), [0.5] * _BINS)


def _level(phase: Float32, coherence: NDArray[np.uint8], spans: Float64) -> None:
    everywhere = np.ones(phase.shape[1], np.bool_)
    medians = levels.pair_median(phase, everywhere)
    sums = levels.add_rates(None, phase, offset=medians, interval=spans)
    quality = np.zeros(phase.shape[1])
    for layer in coherence:
        quality += layer
    stable = levels.least_moving(levels.mean_rate(sums), quality, fraction=0.05)
    levels.pair_median(phase, stable)
