"""How fast a GPU inverts series: data in its memory beside a copy there, data of the host beside the copies alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import device, sbas
from slidecloud.pipeline.bench_copies import RESIDENT, copy_rates
from slidecloud.pipeline.bench_networks import Network, network, unwrapped
from slidecloud.pipeline.bench_sbas import SOLVE, SOLVE_ROBUST
from slidecloud.pipeline.bench_timing import race
from slidecloud.pipeline.rates import SERIES, Measurement
from slidecloud.types import Float32

_DRAWN = 4096
"""Pixels that are drawn; the others repeat them."""


class _Sample(NamedTuple):
    """Phase float32 rad and weight uint8, (pair, pixel), as stores hold them, in pinned pages."""

    phase: Float32
    weight: NDArray[np.uint8]


def measure_sbas_gpu(
    seconds: float, *, dates: int = 98, connections: int = 3, pixels: int = 2**21, batches: int = 4
) -> list[Measurement]:
    """Weighted inversion on the current GPU, from float32 phase and uint8 weights.

    Beside rates on data in the GPU's memory stands the rate at which a copy there would move the same bytes, input and
    results once: the ratio is the fraction of the memory's bandwidth. Beside the rate from the host, with copies of
    input and series, stands that of copying the input alone.

    Parameters
    ----------
    seconds
        For data on the GPU, and as much again for data of the host.
    dates, connections
        Acquisitions, 12 days apart, each paired with the next so many.
    pixels
        On the GPU at once.
    batches
        Into how many equal parts the pixels are cut when they come from the host.

    Raises
    ------
    RuntimeError
        If there is no GPU.
    """
    device.require_gpu("bench")
    chosen = network(dates, connections)
    pairs = len(chosen.reference)
    sample = _draw(chosen, pixels)
    memory, link = copy_rates(seconds / 4, size=sample.phase.nbytes)
    moved = {SERIES: 5 * pairs + 9 * dates + 34, SOLVE: 5 * pairs + 4 * dates, SOLVE_ROBUST: 5 * pairs + 4 * dates}
    ends: dict[str, Any] = {"reference": chosen.reference, "secondary": chosen.secondary, "time": chosen.time}
    there = [device.to_device(field) for field in sample]
    solvers: dict[str, Callable[[], object]] = {
        SERIES: partial(sbas.invert, *there, **ends),
        SOLVE: partial(sbas.solve, *there, **ends),
        SOLVE_ROBUST: partial(sbas.solve, *there, robust=True, **ends),
    }
    best = race({name: partial(_finish, solver) for name, solver in solvers.items()}, seconds)
    measured = partial(Measurement, unit="pixels/s", device=device.name(), dates=dates, pairs=pairs)
    found = [
        measured(
            f"{name}, {RESIDENT}",
            rate=pixels / time,
            alternative="a copy of the same bytes",
            alternative_rate=memory / moved[name],
        )
        for name, time in best.items()
    ]
    del there, solvers
    parts = _cut(sample, batches)
    time = race({SERIES: _from_host(parts, ends, dates)}, seconds)[SERIES]
    copy = partial(measured, alternative="copying the input alone", alternative_rate=link / (5 * pairs))
    return [copy(SERIES, rate=pixels / time), *found]


def _draw(chosen: Network, pixels: int) -> _Sample:
    drawn, _ = unwrapped(chosen, min(pixels, _DRAWN))
    weights = np.random.default_rng(1).integers(20, 256, drawn.shape, np.uint8)
    repeats = -(-pixels // drawn.shape[1])
    return _Sample(np.tile(drawn, repeats)[:, :pixels], np.tile(weights, repeats)[:, :pixels])


def _cut(sample: _Sample, batches: int) -> list[_Sample]:
    """The sample in equal parts, each contiguous and in pinned pages."""
    columns = np.split(np.arange(sample.phase.shape[1]), batches)
    return [_Sample(*(_pin(field[:, part[0] : part[-1] + 1]) for field in sample)) for part in columns]


def _pin(values: NDArray[Any]) -> NDArray[Any]:
    pages = device.pinned(values.shape, values.dtype)
    pages[...] = values
    return pages


def _finish(solver: Callable[[], object]) -> None:
    solver()
    device.cuda().synchronize()


def _from_host(parts: list[_Sample], ends: dict[str, Any], dates: int) -> Callable[[], None]:
    """What inverts the parts in turn while the next is on its way, and brings the series back."""
    cuda = device.cuda()
    copying, computing = cuda.stream(), cuda.stream()
    home = device.pinned((dates, parts[0].phase.shape[1]), np.float32)
    slots = [[device.empty(field.shape, field.dtype) for field in parts[0]] for _ in range(2)]

    def send(place: int) -> None:
        for room, field in zip(slots[place % 2], parts[place], strict=True):
            room.copy_to_device(field, stream=copying)

    def work() -> None:
        send(0)
        for place in range(len(parts)):
            copying.synchronize()
            if place + 1 < len(parts):
                send(place + 1)
            found = sbas.invert(*(room.bind(computing) for room in slots[place % 2]), **ends)
            series: Any = found.series
            series.copy_to_host(home, stream=computing)
            computing.synchronize()

    return work
