"""The inversion on the device: `sbas.invert` and `sbas.solve` for device arrays, in batches that fit its memory.

A batch of pixels goes the quick way; those it leaves, gathered side by side, go the careful way. Every value is
computed from its own pixel alone: neither batches nor the order in which pixels are gathered show in it. It differs
from the CPU's by rounding, by less than the tolerances to which the tests hold both. All is done on the stream to which
``phase`` belongs, so that other streams can bring the next pixels meanwhile; the call waits for it where it must know
how many pixels are left, and at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import device
from slidecloud.kernels._sbas_check import Network, refuse_values
from slidecloud.kernels._sbas_cuda_exact import ROUND, fitting, judge, settling
from slidecloud.kernels._sbas_cuda_finish import finishing
from slidecloud.kernels._sbas_cuda_links import collect, gathering, link
from slidecloud.kernels._sbas_cuda_pairs import Stored
from slidecloud.kernels._sbas_cuda_plan import (
    Careful,
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
from slidecloud.kernels._sbas_increments import WIDEST
from slidecloud.kernels._sbas_robust import MOST_STEPS
from slidecloud.kernels._sbas_stage import Observations
from slidecloud.types import Float64

THREADS = 128


class Trend(NamedTuple):
    """What is fitted to series: the ``design`` (column, date), whether one intercept holds for all subsets, the prior
    density of growth, and what residuals are never taken to be below, in rad."""

    design: Float64
    minimum_norm: bool
    flat: float
    least_rms: float


def solve(observed: Observations, network: Network, dates: int, *, robust: bool) -> Any:
    """Series (date, pixel) float32 on the device, as `sbas.solve`; ``dates`` counts all, used or not."""
    pairs = lay_pairs(observed)
    plan = lay_plan(network, pairs.phase)
    fault = _put(plan, np.zeros(2))
    series = _table(dates, pairs.phase.shape[1], network, np.nan)

    def quick(room: Quick, first: int) -> None:
        kernel = quick_series(plan.half, _how_stored(pairs))
        place = (plan.rows, plan.used, first)
        _launch(plan, kernel, room.sound.size, *pairs, *place, room.scratch, series, room.sound, fault)

    _run(_Task(pairs, plan, robust, series, fault, quick, lambda *_: None))
    return series


def invert(observed: Observations, network: Network, dates: int, trend: Trend, *, robust: bool) -> tuple[Any, ...]:
    """The fields of an `Inversion`, in order, on the device, as `sbas.invert`; ``dates`` counts all, used or not."""
    pairs = lay_pairs(observed)
    plan = lay_plan(network, pairs.phase)
    fault = _put(plan, np.zeros(2))
    pixels, columns = pairs.phase.shape[1], trend.design.shape[0]
    series, sigma = (_table(dates, pixels, network, np.nan) for _ in range(2))
    velocity, velocity_sigma, coherence, rms = (device.empty(pixels) for _ in range(4))
    redundancy, subset = device.empty(pixels, np.int16), _table(dates, pixels, network, 0, np.uint8)
    recovered, variance_factor, date_sigma, drift = (device.empty(pixels) for _ in range(4))
    maps = (velocity, velocity_sigma, coherence, rms, redundancy, subset, recovered, variance_factor, date_sigma, drift)
    terms = device.to_device(trend.design, stream=plan.stream)
    options = (terms, robust, *trend[1:])
    order, unlinked = (plan.reference, plan.secondary), make_careful(plan, 1)

    def quick(room: Quick, first: int) -> None:
        size, kernel = room.sound.size, quick_inversion(plan.half, _how_stored(pairs))
        found = (room.information, series, sigma, room.sums, room.sound)
        _launch(plan, kernel, size, *pairs, plan.rows, plan.used, first, room.scratch, *found, fault)
        place = (room.sound, plan.used, first, unlinked.moving)
        told = (room.sums, room.information, *_links(unlinked))
        _launch(plan, finishing(columns, False), size, *told, *place, *options, series, sigma, *maps)

    def careful(room: Careful, first: int, chosen: Any) -> None:
        size, place = chosen.size, (plan.used, first, chosen)
        _launch(plan, spreading(plan.half), size, room.w, plan.places, room.label, *place, room.scratch, sigma)
        _launch(plan, summarise, size, room.value, room.w, *order, *place, series, room.sums)
        if robust:
            fit = (room.level, room.slot, room.linked, room.sums, room.factor)
            _launch(plan, robust_factor, size, room.value, room.w, *order, *fit)
        told = (room.sums, room.information, *_links(room), room.sound)
        _launch(plan, finishing(columns, True), size, *told, *place, *options, series, sigma, *maps)

    _run(_Task(pairs, plan, robust, series, fault, quick, careful))
    return (series, sigma, *maps)


def _links(room: Careful) -> tuple[Any, ...]:
    return room.label, room.sequence, room.linked, room.dates, room.covered, room.factor


class _Task(NamedTuple):
    """What to invert, and what to do with a batch the ``quick`` way and with one that went the ``careful`` way."""

    pairs: Observations
    plan: Plan
    robust: bool
    series: Any
    fault: Any
    quick: Callable[[Quick, int], None]
    careful: Callable[[Careful, int, Any], None]


def _run(task: _Task) -> None:
    """Every pixel the quick way unless that cannot be, those that it leaves the careful way."""
    plan, pixels = task.plan, task.pairs.phase.shape[1]
    if plan.half > WIDEST or task.robust:
        slow = make_careful(plan, pixels)
        every, batch = _put(plan, np.arange(slow.sound.size)), slow.sound.size
        for first in range(0, pixels, batch):
            _take_care(task, slow, first, every[: min(batch, pixels - first)])
    else:
        _run_quick(task)
    infinite_phase, wrong_weight = _get(plan, task.fault)
    if infinite_phase or wrong_weight:
        refuse_values(infinite_phase=bool(infinite_phase))


def _run_quick(task: _Task) -> None:
    plan, pixels = task.plan, task.pairs.phase.shape[1]
    room, slow = make_quick(plan, pixels), None
    batch = room.sound.size
    for first in range(0, pixels, batch):
        own = trim(room, min(batch, pixels - first))
        task.quick(own, first)
        count = _put(plan, np.zeros(1))
        _launch(plan, collect, own.sound.size, own.sound, own.chosen, count)
        left = int(_get(plan, count)[0])
        if left:
            slow = slow or make_careful(plan, batch)
            _take_care(task, slow, first, own.chosen[:left])


def _take_care(task: _Task, room: Careful, first: int, chosen: Any) -> None:
    """The pixels ``first + chosen`` the careful way, as many at a time as there is room for."""
    for start in range(0, chosen.size, room.sound.size):
        part = chosen[start : min(start + room.sound.size, chosen.size)]
        own = trim(room, part.size)
        _fit(task, own, first, part)
        fitted = (own.level, own.slot, own.label, task.plan.used, first, part, task.series)
        _launch(task.plan, store_series, part.size, *fitted)
        task.careful(own, first, part)


def _fit(task: _Task, room: Careful, first: int, chosen: Any) -> None:
    """Subsets and series, in ``level[slot]``, of the pixels ``first + chosen``."""
    plan, size, seen = task.plan, chosen.size, (room.value, room.w)
    order = (plan.reference, plan.secondary)
    gather = gathering(_how_stored(task.pairs))
    _launch(plan, gather, size, *task.pairs, plan.order, first, chosen, *seen, task.fault)
    names = (room.parent, room.label, room.sequence, room.information, room.linked, room.dates, room.steps)
    _launch(plan, link, size, room.w, *order, plan.time, *names, room.ridge, room.covered)
    _launch(plan, fitting(plan.half), size, *seen, plan.places, plan.ratio, room.ridge, room.level, room.scratch)
    state = (room.level, room.slot, room.score, room.trace)
    _launch(plan, judge, size, *seen, *order, *state, room.moving)
    moving, later, left = room.moving, room.later, size if task.robust else 0
    for _ in range(0, MOST_STEPS, ROUND):
        if left:
            count = _put(plan, np.zeros(1))
            fixed = (*seen, *order, plan.places, plan.ratio, room.steps)
            _launch(plan, settling(plan.half), left, *fixed, *state, room.scratch, moving, left, later, count)
            moving, later, left = later, moving, int(_get(plan, count)[0])


def _launch(plan: Plan, kernel: Any, threads: int, *arguments: Any) -> None:
    kernel[-(-threads // THREADS), THREADS, plan.stream](*arguments)


def _put(plan: Plan, values: NDArray[Any]) -> Any:
    """Whole numbers to the device, in the order of what its stream does."""
    return device.to_device(values.astype(np.int32), stream=plan.stream)


def _get(plan: Plan, array: Any) -> NDArray[np.int32]:
    """What the device holds when its stream has done what was asked before; other streams go on."""
    values: NDArray[np.int32] = array.copy_to_host(stream=plan.stream)
    if plan.stream:
        plan.stream.synchronize()
    return values


def _how_stored(pairs: Observations) -> Stored:
    return Stored(bool(pairs.phase.dtype == np.int16), bool(pairs.weight.dtype == np.uint8))


def _table(dates: int, pixels: int, network: Network, missing: float, dtype: type = np.float32) -> Any:
    """A result (date, pixel) whose rows of dates in no pair are ``missing``."""
    rows = device.empty((dates, pixels), dtype)
    for date in np.setdiff1d(np.arange(dates), network.used):
        rows[int(date)][:] = missing
    return rows
