"""Costs of units and workers by measured rates: what `slidecloud.pipeline.scale` simulates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from slidecloud.config_resources import Device
from slidecloud.pipeline.progress import duration
from slidecloud.pipeline.rates import (
    BLOBS,
    GRADIENTS,
    LEVELS,
    MAPS,
    NET,
    READ_TOGETHER,
    ROBUST,
    SERIES,
    START,
    TASK,
    UNIT,
    UNWRAP,
    WRITE_TOGETHER,
    Rates,
)
from slidecloud.pipeline.scale import Cost, Crew, Forecast
from slidecloud.pipeline.units import Unit


def speeds(rates: Rates, device: Device = "cpu") -> Mapping[str, float]:
    """Samples per second of each kernel that units name; those of a GPU where it is asked for and was measured."""
    gpu = rates.on_gpu(GRADIENTS) if device == "gpu" else None
    return {
        "gradients": gpu.rate if gpu else rates.gradients,
        "sbas": rates.of(SERIES),
        "robust": rates.of(ROBUST),
        "maps": rates.of(MAPS),
        "levels": rates.of(LEVELS),
        "net": rates.of(NET),
        "blobs": rates.of(BLOBS),
        "unwrap": rates.of(UNWRAP),
    }


def cost(unit: Unit, rates: Rates, speed: Mapping[str, float]) -> Cost:
    """What a unit takes on one core."""
    seconds = rates.of(UNIT) + (unit.samples / speed[unit.kernel] if unit.kernel else 0.0)
    return Cost(unit.name, seconds, unit.bytes_read / 1e6, unit.bytes_written / 1e6, unit.waits_for)


def crew(
    rates: Rates,
    workers: int,
    *,
    throughput: float | None = None,
    preemption: float = 0.0,
    replacement: float = 120.0,
) -> Crew:
    """Workers like the cores that were measured, on the store that was measured.

    Parameters
    ----------
    rates
        Of one core and of the store. A local disk gives all workers no more than it gave all cores together; of a
        bucket no such limit is known.
    workers
        How many.
    throughput
        MB/s that the store gives all workers together, reading or writing, in place of what was measured.
    preemption, replacement
        See `slidecloud.pipeline.scale.Crew`.
    """
    bucket = "://" in rates.location
    limits = [math.inf if bucket else rates.of(name) for name in (READ_TOGETHER, WRITE_TOGETHER)]
    reading, writing = limits if throughput is None else (throughput, throughput)
    return Crew(
        workers, rates.of(START), rates.of(TASK), rates.read, rates.write, reading, writing, preemption, replacement
    )


def limits(one: Crew) -> str:
    """What the store gives all workers, in words; empty where no limit is known."""
    if not math.isfinite(one.read_limit):
        return ""
    return f"All workers together read at most {one.read_limit:.0f} MB/s and write {one.write_limit:.0f} MB/s."


def lines(forecasts: Sequence[Forecast], *, price: float | None = None) -> list[str]:
    """Forecasts as a table; with the price of a worker's hour also what they cost."""
    head = f"{'workers':>8} {'wall time':>14} {'idle':>6} {'lost':>6} {'taken away':>11}"
    rows = [
        f"{f.workers:>8} {duration(f.seconds):>14} {f.idle:>6.0%} {f.lost:>6.1%} {f.preemptions:>11}" for f in forecasts
    ]
    if price is None:
        return [head, *rows]
    costs = [f"{f.worker_seconds / 3600 * price:>10.2f}" for f in forecasts]
    return [f"{head} {'cost':>10}", *(f"{row} {text}" for row, text in zip(rows, costs, strict=True))]
