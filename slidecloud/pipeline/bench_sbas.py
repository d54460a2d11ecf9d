"""How fast series are inverted: beside the ways others do it, robustly beside plainly, on two cores beside one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from slidecloud.kernels import sbas
from slidecloud.pipeline import plain_sbas
from slidecloud.pipeline.bench_networks import Network, network, unwrapped
from slidecloud.pipeline.bench_timing import PROCESSOR, race, race_threads
from slidecloud.pipeline.rates import ROBUST, SERIES, Measurement
from slidecloud.types import Float32

SOLVE = "sbas, series only"
SOLVE_ROBUST = "sbas, series only, robust"
_ONE_BY_ONE = 4
"""Pixels for the alternatives that take one after the other: calls are to be short."""
_DEAR = 4
"""Part of the pixels for what takes much longer than the series alone."""

Solver = Callable[[Float32, Float32], object]
"""Inverts phase and weight (pair, pixel)."""


def measure_sbas(
    seconds: float, *, dates: int, connections: int, pixels: int, threads: bool = False
) -> list[Measurement]:
    """Weighted inversion of noisy series with some pairs a cycle wrong.

    Parameters
    ----------
    seconds
        For the alternatives, and as much again for the threads.
    dates, connections
        Acquisitions, 12 days apart, each paired with the next so many.
    pixels
        Of a call.
    threads
        Measure two threads too.
    """
    chosen = network(dates, connections)
    samples = unwrapped(chosen, pixels)
    together, one_by_one = _together(chosen), _one_by_one(chosen)
    counts = dict.fromkeys(together, pixels) | dict.fromkeys(one_by_one, min(_ONE_BY_ONE, pixels))
    counts |= dict.fromkeys((SERIES, ROBUST, SOLVE_ROBUST), pixels // _DEAR)
    works = {
        name: partial(solver, *(np.ascontiguousarray(field[:, : counts[name]]) for field in samples))
        for name, solver in {**together, **one_by_one}.items()
    }
    rates = {name: counts[name] / time for name, time in race(works, seconds, clock=PROCESSOR).items()}
    measured = partial(Measurement, unit="pixels/s", dates=dates, pairs=len(chosen.reference))

    def beside(name: str, other: str) -> Measurement:
        return measured(name, rate=rates[name], alternative=other, alternative_rate=rates[other])

    others = [name for name in rates if name not in (SERIES, SOLVE, ROBUST, SOLVE_ROBUST)]
    found = [beside(SERIES, SOLVE), *(beside(SOLVE, other) for other in others)]
    found += [beside(SOLVE_ROBUST, SOLVE), beside(ROBUST, SERIES)]
    halves = [[np.ascontiguousarray(half) for half in np.array_split(field, 2, axis=1)] for field in samples]
    for name in (SERIES, SOLVE) if threads else ():
        one, two = race_threads([partial(together[name], *half) for half in zip(*halves, strict=True)], seconds / 2)
        rate, single = pixels / two, pixels / one
        found.append(measured(f"{name}, 2 threads", rate=rate, alternative="1 thread", alternative_rate=single))
    return found


def _together(chosen: Network) -> Mapping[str, Solver]:
    """What takes many pixels at once."""
    arguments: dict[str, Any] = {"reference": chosen.reference, "secondary": chosen.secondary, "time": chosen.time}
    return {
        SERIES: partial(sbas.invert, **arguments),
        SOLVE: partial(sbas.solve, **arguments),
        SOLVE_ROBUST: partial(sbas.solve, robust=True, **arguments),
        ROBUST: partial(sbas.invert, robust=True, **arguments),
        "unweighted, one matrix product": partial(
            _multiply, plain_sbas.shared_inverse(chosen.reference, chosen.secondary)
        ),
    }


def _multiply(inverse: Float32, phase: Float32, weight: Float32) -> Float32:  # noqa: ARG001
    product: Float32 = inverse @ phase
    return product


def _one_by_one(chosen: Network) -> Mapping[str, Solver]:
    """What takes one pixel after the other."""
    ends: dict[str, Any] = {"reference": chosen.reference, "secondary": chosen.secondary}
    solvers: dict[str, Solver] = {"numpy.linalg.lstsq, per pixel": partial(plain_sbas.lstsq_series, **ends)}
    mintpy = plain_sbas.mintpy_solver(chosen.reference, chosen.secondary, chosen.time)
    if mintpy is not None:
        solvers["MintPy, weighted, per pixel"] = mintpy
    return solvers
