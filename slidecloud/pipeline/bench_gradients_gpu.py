"""How fast a GPU stacks gradients: in its own memory beside its bandwidth, and from the host's beside the copies."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import device
from slidecloud.kernels.gradients_device import RunningSums
from slidecloud.pipeline.bench_copies import RESIDENT, copy_rates
from slidecloud.pipeline.bench_networks import interferograms, network
from slidecloud.pipeline.device_runner import stream_gradients
from slidecloud.pipeline.rates import GRADIENTS, Measurement

INSTRUCTIONS = 170
"""That a sample takes with window 10 and no holes, its share of the halo included, counted in the code for Hopper."""
LANES = 128
"""Instructions that a multiprocessor starts a clock, times the 32 threads they are for."""
_UNIT, _SAMPLE_BYTES, _CONNECTIONS = "pair-pixels/s", 3, 3


def measure_gradients_gpu(
    seconds: float, *, shape: tuple[int, int] = (768, 2816), dates: int = 24
) -> list[Measurement]:
    """Stacking by the default estimator with sigma and all other maps, on the current GPU.

    The first measurement is from host memory to host memory, beside the time of copying its input alone. The others
    are in device memory, until the last pair is added: beside its bandwidth, each byte of the input counted once,
    which is measured by copying, and beside what the processors could do if they never waited.

    Parameters
    ----------
    seconds
        For each measurement.
    shape
        Rows and columns.
    dates
        Acquisitions, 12 days apart, each paired with the next three.

    Raises
    ------
    RuntimeError
        If there is no GPU.
    """
    device.require_gpu("bench")
    chosen = network(dates, _CONNECTIONS)
    options: dict[str, Any] = {"reference": chosen.reference, "secondary": chosen.secondary, "span": chosen.span}
    samples = interferograms(len(chosen.reference), shape)
    card, size = device.name(), samples[0].size
    memory, link = copy_rates(seconds, size=samples[0].nbytes)
    streamed = size / _best(lambda: lambda: _stream(samples, shape, options), seconds)
    there = [device.to_device(field) for field in samples]
    inside = size / _best(lambda: _adding(there, shape, options), seconds)
    name = f"{GRADIENTS}, {RESIDENT}"
    return [
        Measurement(GRADIENTS, _UNIT, streamed, "copying the input alone", link / _SAMPLE_BYTES, card),
        Measurement(name, _UNIT, inside, "memory bandwidth, each byte once", memory / _SAMPLE_BYTES, card),
        Measurement(name, _UNIT, inside, f"{INSTRUCTIONS} instructions a sample", _arithmetic_limit(), card),
    ]


def _best(prepare: Callable[[], Callable[[], object]], seconds: float) -> float:
    """Shortest time of what ``prepare`` gives, until the device is done; at least three, the first compiles."""
    cuda, best, end, rounds = device.cuda(), math.inf, time.perf_counter() + seconds, 0
    while rounds < 3 or time.perf_counter() < end:
        work = prepare()
        cuda.synchronize()
        began = time.perf_counter()
        work()
        cuda.synchronize()
        best = min(best, time.perf_counter() - began)
        rounds += 1
    return best


def _adding(there: Sequence[Any], shape: tuple[int, int], options: dict[str, Any]) -> Callable[[], object]:
    running = RunningSums(shape, **options)
    return lambda: running.add_all(*there)


def _stream(samples: Sequence[NDArray[Any]], shape: tuple[int, int], options: dict[str, Any]) -> None:
    def read(chosen: NDArray[np.int64], into: Sequence[NDArray[Any]]) -> None:
        for field, out in zip(samples, into, strict=True):
            np.take(field, chosen, axis=0, out=out, mode="clip")

    stream_gradients(read, shape, **options)


def _arithmetic_limit() -> float:
    """Samples a second if every multiprocessor started all the instructions it can; NaN in the simulator."""
    if device.is_simulated():
        return math.nan
    card = device.cuda().get_current_device()
    return float(card.MULTIPROCESSOR_COUNT * LANES * card.CLOCK_RATE * 1e3 / INSTRUCTIONS)
