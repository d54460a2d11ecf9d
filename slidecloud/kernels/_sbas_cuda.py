"""The inversion on the device: `sbas.invert` and `sbas.solve` for device arrays, in batches that fit its memory.

A batch of pixels goes the quick way; those it leaves, gathered side by side, go the careful way. Every value is
computed from its own pixel alone: neither batches nor the order in which pixels are gathered show in it. It differs
from the CPU's by rounding, by less than the tolerances to which the tests hold both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from slidecloud.kernels import device
from slidecloud.kernels._sbas_check import Network, refuse_values
from slidecloud.kernels._sbas_cuda_exact import ROUND, fitting, judge, settling
from slidecloud.kernels._sbas_cuda_finish import finishing
from slidecloud.kernels._sbas_cuda_links import collect, gathering, link
from slidecloud.kernels._sbas_cuda_plan import (
    Careful,
    Pairs,
    Plan,
    Quick,
    lay_pairs,
    lay_plan,
    make_careful,
    make_quick,
    trim,
)
from slidecloud.kernels._sbas_cuda_quality import robust_factor, summarise
from slidecloud.kernels._sbas_cuda_quick import quick_inversion, quick_series
from slidecloud.kernels._sbas_cuda_spread import spreading, store_series
from slidecloud.kernels._sbas_exact import MOST_STEPS
from slidecloud.kernels._sbas_increments import WIDEST
from slidecloud.types import Float64

THREADS = 128


def solve(phase: Any, weight: Any, network: Network, dates: int, *, table: Any, offset: Any, robust: bool) -> Any:
    """Series (date, pixel) float32 on the device; parameters as `sbas.solve`, checked."""
    pairs, plan = lay_pairs(phase, weight, table, offset), lay_plan(network)
    series = _rows_of(dates, phase.shape[1], network, np.nan)
    solver = quick_series(plan.half, _is_coded(pairs)) if _is_swift(plan, robust) else None

    def quick(room: Quick, first: int, fault: Any) -> None:
        scratch = (room.scratch, series, room.sound, fault)
        _launch(solver, room.sound.size, *pairs, plan.rows, plan.used, first, *scratch)

    _run(pairs, plan, robust, series, quick if solver else None, None)
    return series


def invert(
    phase: Any,
    weight: Any,
    network: Network,
    dates: int,
    design: Float64,
    *,
    table: Any,
    offset: Any,
    robust: bool,
    minimum_norm: bool,
    flat: float,
    least_rms: float,
) -> tuple[Any, ...]:
    """The fields of an `Inversion`, in order, on the device; parameters as `sbas.invert`, checked.

    ``design`` (column, date) are the terms fitted to the series, ``flat`` the prior density of growth, ``least_rms``
    what residuals are never taken to be below.
    """
    pairs, plan = lay_pairs(phase, weight, table, offset), lay_plan(network)
    pixels = phase.shape[1]
    series, sigma = (_rows_of(dates, pixels, network, np.nan) for _ in range(2))
    velocity, velocity_sigma, coherence, rms = (device.empty(pixels) for _ in range(4))
    redundancy, subset = device.empty(pixels, np.int16), _rows_of(dates, pixels, network, 0, np.uint8)
    recovered, variance_factor, date_sigma, drift = (device.empty(pixels) for _ in range(4))
    maps = (velocity, velocity_sigma, coherence, rms, redundancy, subset, recovered, variance_factor, date_sigma, drift)
    fitted = (device.to_device(design), robust, minimum_norm, flat, least_rms, series, sigma, *maps)
    solver = quick_inversion(plan.half, _is_coded(pairs)) if _is_swift(plan, robust) else None
    nothing = make_careful(plan, 1)

    def quick(room: Quick, first: int, fault: Any) -> None:
        scratch = (room.scratch, room.information, series, sigma, room.sums, room.sound, fault)
        _launch(solver, room.sound.size, *pairs, plan.rows, plan.used, first, *scratch)
        finish = finishing(design.shape[0], False)
        unbroken = (nothing.label, nothing.sequence, nothing.linked, nothing.dates, nothing.covered, nothing.factor)
        place = (room.sound, plan.used, first, _count_up(room.sound.size))
        _launch(finish, room.sound.size, room.sums, room.information, *unbroken, *place, *fitted)

    def careful(room: Careful, first: int, chosen: Any) -> None:
        network = (plan.reference, plan.secondary)
        place = (plan.used, first, chosen)
        spread = spreading(plan.half)
        _launch(spread, chosen.size, room.w, plan.places, room.label, *place, room.scratch, sigma)
        _launch(summarise, chosen.size, room.value, room.w, *network, *place, series, room.sums)
        if robust:
            fit = (room.level, room.slot, room.linked, room.sums, room.factor)
            _launch(robust_factor, chosen.size, room.value, room.w, *network, *fit)
        finish = finishing(design.shape[0], True)
        room.sound[:] = True
        broken = (room.label, room.sequence, room.linked, room.dates, room.covered, room.factor, room.sound)
        _launch(finish, chosen.size, room.sums, room.information, *broken, *place, *fitted)

    _run(pairs, plan, robust, series, quick if solver else None, careful)
    return (series, sigma, *maps)


def _run(
    pairs: Pairs,
    plan: Plan,
    robust: bool,
    series: Any,
    quick: Callable[[Quick, int, Any], None] | None,
    careful: Callable[[Careful, int, Any], None] | None,
) -> None:
    """Every pixel the ``quick`` way, where there is one, and those that it leaves the careful way, then ``careful``."""
    pixels = pairs.phase.shape[1]
    fault = device.zeros(2, np.int32)
    room, slow = make_quick(plan, pixels), None
    batch = room.sound.size
    for first in range(0, pixels, batch):
        own = trim(room, min(batch, pixels - first))
        chosen = _count_up(own.sound.size)
        if quick is not None:
            quick(own, first, fault)
            count = device.zeros(1, np.int32)
            _launch(collect, own.sound.size, own.sound, own.chosen, count)
            chosen = own.chosen[: int(device.to_host(count)[0])]
        if not chosen.size:
            continue
        slow = slow or make_careful(plan, batch)
        for start in range(0, chosen.size, slow.sound.size):
            part = chosen[start : start + slow.sound.size]
            held = trim(slow, part.size)
            _fit(pairs, plan, held, first, part, robust, fault)
            _launch(store_series, part.size, held.level, held.slot, held.label, plan.used, first, part, series)
            if careful is not None:
                careful(held, first, part)
    infinite_phase, wrong_weight = device.to_host(fault)
    refuse_values(phase=bool(infinite_phase), weight=bool(wrong_weight))


def _fit(pairs: Pairs, plan: Plan, room: Careful, first: int, chosen: Any, robust: bool, fault: Any) -> None:
    """Subsets and series, in ``level[slot]``, of the pixels ``first + chosen``."""
    size = chosen.size
    gather = gathering(_is_coded(pairs))
    _launch(gather, size, *pairs, plan.order, first, chosen, room.value, room.w, fault)
    order = (plan.reference, plan.secondary)
    names = (room.parent, room.label, room.sequence, room.information, room.linked, room.dates, room.steps)
    _launch(link, size, room.w, *order, plan.time, *names, room.ridge, room.covered)
    _launch(fitting(plan.half), size, room.value, room.w, plan.places, plan.ratio, room.ridge, room.level, room.scratch)
    state = (room.level, room.slot, room.score, room.trace)
    _launch(judge, size, room.value, room.w, *order, *state, room.moving)
    moving, later, left = room.moving, room.later, size if robust else 0
    for _ in range(0, MOST_STEPS, ROUND):
        if not left:
            break
        count = device.zeros(1, np.int32)
        fixed = (room.value, room.w, *order, plan.places, plan.ratio, room.steps)
        _launch(settling(plan.half), left, *fixed, *state, room.scratch, moving, left, later, count)
        moving, later, left = later, moving, int(device.to_host(count)[0])


def _launch(kernel: Any, threads: int, *arguments: Any) -> None:
    kernel[-(-threads // THREADS), THREADS](*arguments)


def _is_coded(pairs: Pairs) -> bool:
    return bool(pairs.weight.dtype == np.uint8)


def _is_swift(plan: Plan, robust: bool) -> bool:
    return plan.half <= WIDEST and not robust


def _count_up(size: int) -> Any:
    return device.to_device(np.arange(size, dtype=np.int32))


def _rows_of(dates: int, pixels: int, network: Network, missing: float, dtype: type = np.float32) -> Any:
    """A result (date, pixel) whose rows of dates in no pair are ``missing``."""
    rows = device.empty((dates, pixels), dtype)
    for date in np.setdiff1d(np.arange(dates), network.used):
        rows[int(date)][:] = missing
    return rows
