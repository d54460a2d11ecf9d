"""Rates of this machine: how fast it stacks gradients, inverts series, and reads and writes a store.

``estimate`` turns these rates into hours. Each kernel also runs against plain formulations of the same work in the same
call, one BLAS thread and one core each, so that a slow machine and a slow kernel can be told apart.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from slidecloud.kernels.device import find_lack
from slidecloud.pipeline.bench_gradients import measure_gradients
from slidecloud.pipeline.bench_gradients_gpu import measure_gradients_gpu
from slidecloud.pipeline.bench_sbas import measure_sbas
from slidecloud.pipeline.bench_sbas_gpu import measure_sbas_gpu
from slidecloud.pipeline.bench_store import measure_store
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.rates import Measurement, Rates
from slidecloud.store.location import Location, locate


class Effort(NamedTuple):
    """How much is measured.

    ``seconds`` for each comparison; ``shape`` (rows, columns) and ``dates`` of the gradient stack; ``pixels`` of an
    inversion; ``objects`` of 12.6 MB in the store.
    """

    seconds: float = 6.0
    shape: tuple[int, int] = (384, 1408)
    dates: int = 24
    pixels: int = 8192
    objects: int = 8


FULL = Effort()
QUICK = Effort(seconds=1.0, shape=(256, 512), dates=12, pixels=2048, objects=2)

Step = Callable[[], list[Measurement]]


def bench(
    location: str | os.PathLike[str] | None = None,
    *,
    storage_options: dict[str, Any] | None = None,
    effort: Effort = FULL,
    progress: Progress | None = None,
) -> Rates:
    """Measure the rates of this machine.

    Parameters
    ----------
    location
        Folder or URL whose speed counts, best the bucket of the stacks; by default the current folder. A few objects of
        12.6 MB are written there, read back and removed.
    storage_options
        How to reach it, see `slidecloud.store.locate`.
    effort
        How much is measured: `FULL`, or `QUICK`, which is rough.
    progress
        Told after each comparison.

    Returns
    -------
    Rates
        Nothing is saved: call `Rates.save`.
    """
    where = locate(location or Path.cwd(), storage_options)
    shown = progress or Silent()
    steps = _steps(where, effort)
    shown.start(units=len(steps), bytes=0, label="bench")
    began, found = time.perf_counter(), []
    try:
        with threadpool_limits(1):
            for name, step in steps.items():
                found += step()
                shown.advance(unit=name, bytes=0)
    finally:
        shown.stop()
    return Rates(
        tuple(found),
        location=where.url,
        machine=_machine(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        seconds=time.perf_counter() - began,
        versions=_versions(),
    )


def _steps(where: Location, effort: Effort) -> Mapping[str, Step]:
    """The comparisons in the order they are made: a kernel is added with one line."""
    seconds, pixels = effort.seconds, effort.pixels
    on_gpu: dict[str, Step] = {
        "gradients on the GPU": lambda: measure_gradients_gpu(seconds),
        "sbas on the GPU": lambda: measure_sbas_gpu(seconds),
    }
    return {
        "store": lambda: measure_store(seconds, where, objects=effort.objects),
        "gradients": lambda: measure_gradients(seconds, shape=effort.shape, dates=effort.dates),
        "sbas": lambda: measure_sbas(seconds, dates=145, connections=3, pixels=pixels, threads=True),
        "sbas, wider band": lambda: measure_sbas(seconds, dates=62, connections=5, pixels=pixels),
        **({} if find_lack() else on_gpu),
    }


def _machine() -> str:
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("slidecloud", "numpy", "scipy", "numba", "zarr"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
