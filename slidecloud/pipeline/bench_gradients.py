"""How fast gradients are stacked: beside NumPy and SciPy, beside reading the input once, on two cores beside one."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels import gradients
from slidecloud.pipeline import plain_gradients
from slidecloud.pipeline.bench_networks import interferograms, network
from slidecloud.pipeline.bench_timing import PROCESSOR, race, race_threads
from slidecloud.pipeline.rates import GRADIENTS, Measurement

_UNIT = "pair-pixels/s"
_CONNECTIONS = 3


def measure_gradients(seconds: float, *, shape: tuple[int, int], dates: int) -> list[Measurement]:
    """Stacking by the default estimator with sigma, mean coherence and all other maps.

    Parameters
    ----------
    seconds
        For the alternatives, and as much again for the threads.
    shape
        Rows and columns.
    dates
        Acquisitions, 12 days apart, each paired with the next three.
    """
    chosen = network(dates, _CONNECTIONS)
    samples = interferograms(len(chosen.reference), shape)
    pairs: dict[str, Any] = {"reference": chosen.reference, "secondary": chosen.secondary, "span": chosen.span}
    best = race(
        {
            "kernel": partial(gradients.stack, *samples, **pairs),
            "NumPy + SciPy": partial(plain_gradients.stack, *samples, **pairs, precision=np.float64),
            "NumPy + SciPy in float32": partial(plain_gradients.stack, *samples, **pairs),
            "reading the input once": partial(read_once, *samples),
            "NumPy's sums of the input": partial(_numpy_sums, *samples),
        },
        seconds,
        clock=PROCESSOR,
    )
    size = samples[0].size
    rate = size / best.pop("kernel")
    found = [Measurement(GRADIENTS, _UNIT, rate, name, size / time) for name, time in best.items()]
    middle = shape[0] // 2
    halves: list[list[Any]] = [
        [np.ascontiguousarray(field[:, rows]) for field in samples]
        for rows in (slice(0, middle), slice(middle, shape[0]))
    ]
    one, two = race_threads([partial(gradients.stack, *half, **pairs) for half in halves], seconds)
    return [*found, Measurement(f"{GRADIENTS}, 2 threads", _UNIT, size / two, "1 thread", size / one)]


def _numpy_sums(phase: NDArray[np.int16], coherence: NDArray[np.uint8]) -> int:
    """Reading as NumPy does it: slower than memory, because it widens each sample."""
    return int(phase.sum()) + int(coherence.sum())


@njit(nogil=True, cache=True)
def read_once(phase, coherence):  # type: ignore[no-untyped-def]
    """Sum all samples (pair, y, x) in vectors, as fast as memory gives them: the least that any stacking must do."""
    total = 0
    for k in range(phase.shape[0]):
        for i in range(phase.shape[1]):
            angles, shares = phase[k, i], coherence[k, i]
            for j in range(angles.size):
                total += angles[j]
            for j in range(shares.size):
                total += shares[j]
    return total
