"""What an inversion on the device needs to know of its network, and the memory it works in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from slidecloud.kernels import device
from slidecloud.kernels._sbas_check import Network
from slidecloud.kernels._sbas_quality import SUMS
from slidecloud.kernels._sbas_stage import Observations
from slidecloud.types import Float64

LONGEST = 64
"""Date steps of the longest pair: windows of longer ones do not fit the local memory of all threads that run."""
QUICK_BATCH, CAREFUL_BATCH = 1 << 22, 1 << 20
"""Pixels at most: more do not make a launch cheaper."""
SHARE = 0.4
"""Of the free memory, what the scratch of either way takes at most."""


class Plan(NamedTuple):
    """The network on the device, int32 and float64.

    ``rows[c, i]`` is the row of the pair that ends at date c + 1 and spans i + 1 steps, -1 if there is none; ``places``
    the same in network order, in which ``order``, ``reference`` and ``secondary`` are. ``used`` are the rows of dates.
    Everything runs on ``stream``, 0 for the one that is always there.
    """

    half: int
    rows: Any
    places: Any
    order: Any
    reference: Any
    secondary: Any
    used: Any
    time: Any
    ratio: Any
    stream: Any


class Quick(NamedTuple):
    """Scratch of the quick way; last axis a thread."""

    scratch: Any
    information: Any
    sums: Any
    sound: Any
    chosen: Any


class Careful(NamedTuple):
    """Scratch of the careful way; last axis a thread. See `_sbas_cuda_links.link` and `_sbas_cuda_exact`.

    ``sound`` stands where kernels that serve both ways take one, and is never looked at.
    """

    value: Any
    w: Any
    parent: Any
    label: Any
    sequence: Any
    information: Any
    level: Any
    scratch: Any
    sums: Any
    linked: Any
    dates: Any
    steps: Any
    slot: Any
    moving: Any
    later: Any
    covered: Any
    ridge: Any
    score: Any
    trace: Any
    factor: Any
    sound: Any


def lay_plan(network: Network, phase: Any) -> Plan:
    """The plan of a network, on the stream of ``phase``; refuses one with a pair of more than `LONGEST` dates."""
    span = network.secondary - network.reference
    half = int(span.max()) - 1
    if half >= LONGEST:
        raise ValueError(
            f"network: found a pair of {half + 1} date steps, expected at most {LONGEST} on a GPU; "
            "drop such pairs, or pass arrays of the host"
        )
    places = np.full((network.time.size - 1, half + 1), -1, np.int32)
    places[network.secondary - 1, span - 1] = np.arange(span.size)
    rows = np.where(places >= 0, network.order[places], -1)
    interval = np.diff(network.time)
    index = (rows, places, network.order, network.reference, network.secondary, network.used)
    ratio: Float64 = (np.median(interval) / interval) ** 2
    numbers = [array.astype(np.int32) for array in index] + [network.time, ratio]
    fields = [device.to_device(array, stream=phase.stream) for array in numbers]
    return Plan._make([half, *fields, phase.stream])


def lay_pairs(observed: Observations) -> Observations:
    """Pairs as the kernels take them: all of it on the device."""
    phase, weight, offset, scale, table = observed
    shown: Any = device.as_device(phase, name="phase", dtype=phase.dtype, ndim=2)
    rated: Any = device.as_device(weight, name="weight", dtype=weight.dtype, ndim=2)
    lower, known = (device.to_device(values, stream=shown.stream) for values in (offset, table))
    return Observations(shown, rated, lower, scale, known)


def make_room(layout: dict[str, tuple[tuple[int, ...], type]], most: int) -> dict[str, Any]:
    """Scratch arrays of the given shapes, less the last axis, for ``most`` pixels or what memory has room for."""
    each = sum(int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in layout.values())
    batch = max(1, min(most, int(SHARE * device.free_memory() / each)))
    return {name: device.empty((*shape, batch), kind) for name, (shape, kind) in layout.items()}


def make_quick(plan: Plan, pixels: int) -> Quick:
    """Room for the quick way."""
    steps = plan.used.size - 1
    room = make_room(
        {
            "scratch": ((steps, plan.half + 2), np.float32),
            "information": ((steps,), np.float32),
            "sums": ((SUMS,), np.float32),
            "sound": ((), np.bool_),
            "chosen": ((), np.int32),
        },
        min(pixels, QUICK_BATCH),
    )
    return Quick(**room)


def make_careful(plan: Plan, pixels: int) -> Careful:
    """Room for the careful way."""
    dates, pairs = plan.used.size, plan.order.size
    tables = {"value": pairs, "w": pairs, "information": dates - 1, "sums": SUMS}
    layout: dict[str, tuple[tuple[int, ...], type]] = {name: ((rows,), np.float32) for name, rows in tables.items()}
    layout |= dict.fromkeys(("parent", "label", "sequence"), ((dates,), np.int16))
    layout |= {"level": ((2, dates), np.float64), "scratch": ((dates, plan.half + 2), np.float64)}
    layout |= dict.fromkeys(("linked", "dates", "steps", "slot", "moving", "later"), ((), np.int32))
    layout |= dict.fromkeys(("ridge", "score", "trace", "factor"), ((), np.float64))
    layout |= {"covered": ((), np.float32), "sound": ((), np.bool_)}
    return Careful(**make_room(layout, min(pixels, CAREFUL_BATCH)))


def trim(room: Any, size: int) -> Any:
    """The same room for ``size`` threads: arrays of one axis end there, the others are longer than needed."""
    return type(room)(*(array[:size] if array.ndim == 1 else array for array in room))
