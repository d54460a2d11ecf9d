"""Rates of this machine: how fast it stacks gradients, unwraps, inverts series, and reads and writes a store.

``estimate`` turns these rates into hours. Each kernel also runs against plain formulations of the same work in the same
call, one BLAS thread and one core each, so that a slow machine and a slow kernel can be told apart.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from slidecloud.kernels.device import find_lack
from slidecloud.pipeline.bench_finders import measure_finders
from slidecloud.pipeline.bench_gradients import measure_gradients
from slidecloud.pipeline.bench_gradients_gpu import measure_gradients_gpu
from slidecloud.pipeline.bench_runs import measure_runs, measure_tasks
from slidecloud.pipeline.bench_sbas import measure_sbas
from slidecloud.pipeline.bench_sbas_gpu import measure_sbas_gpu
from slidecloud.pipeline.bench_stages import measure_stages
from slidecloud.pipeline.bench_store import measure_store, remove
from slidecloud.pipeline.bench_streams import measure_streams
from slidecloud.pipeline.bench_unwrapping import measure_unwrapping
from slidecloud.pipeline.executors import Executor, cores
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.rates import Measurement, Rates
from slidecloud.store.location import Location, locate


class Effort(NamedTuple):
    """How much is measured.

    ``seconds`` for each comparison; ``shape`` (rows, columns) and ``dates`` of the gradient stack; ``pixels`` of an
    inversion; ``objects`` of 12.6 MB in the store; ``repeats`` of what runs in processes of its own; ``tasks`` sent to
    a cluster.
    """

    seconds: float = 6.0
    shape: tuple[int, int] = (384, 1408)
    dates: int = 24
    pixels: int = 8192
    objects: int = 8
    repeats: int = 3
    tasks: int = 1000


FULL = Effort()
QUICK = Effort(seconds=1.0, shape=(256, 512), dates=12, pixels=2048, objects=2, repeats=1, tasks=200)

Step = Callable[[], list[Measurement]]


def bench(
    location: str | os.PathLike[str] | None = None,
    *,
    storage_options: dict[str, Any] | None = None,
    effort: Effort = FULL,
    progress: Progress | None = None,
    cluster: Callable[[], AbstractContextManager[Executor]] | None = None,
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
    cluster
        Opens the Dask cluster whose scheduler is measured; None leaves it out.

    Returns
    -------
    Rates
        Nothing is saved: call `Rates.save`.
    """
    where = locate(location or Path.cwd(), storage_options)
    shown = progress or Silent()
    scratch = where / f".slidecloud-bench-{uuid.uuid4().hex}"
    steps = _steps(scratch, storage_options or {}, effort, cluster)
    shown.start(units=len(steps), bytes=0, label="bench")
    began, found = time.perf_counter(), []
    try:
        with threadpool_limits(1):
            for name, step in steps.items():
                found += step()
                shown.advance(unit=name, bytes=0)
    finally:
        shown.stop()
        remove(scratch)
    return Rates(
        tuple(found),
        location=where.url,
        machine=_machine(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        seconds=time.perf_counter() - began,
        versions=_versions(),
    )


def _steps(
    folder: Location,
    storage_options: dict[str, Any],
    effort: Effort,
    cluster: Callable[[], AbstractContextManager[Executor]] | None,
) -> Mapping[str, Step]:
    """The comparisons in the order they are made: a kernel is added with one line."""
    seconds, pixels, shape, dates = effort.seconds, effort.pixels, effort.shape, effort.dates
    steps: dict[str, Step] = {
        "store": lambda: _store(folder, effort),
        "gradients": lambda: measure_gradients(seconds, shape=shape, dates=dates),
        "sbas": lambda: measure_sbas(seconds, dates=145, connections=3, pixels=pixels, threads=True),
        "sbas, wider band": lambda: measure_sbas(seconds, dates=62, connections=5, pixels=pixels),
        "maps and levels": lambda: measure_stages(seconds, shape=shape, dates=dates),
        "landslides": lambda: measure_finders(seconds),
        "unwrapping": lambda: measure_unwrapping(seconds),
        "runs": lambda: measure_runs(folder / "runs", storage_options=storage_options, repeats=effort.repeats),
    }
    if cluster is not None:
        steps["tasks"] = lambda: _tasks(cluster, effort)
    if not find_lack():
        steps["gradients on the GPU"] = lambda: measure_gradients_gpu(seconds)
        steps["sbas on the GPU"] = lambda: measure_sbas_gpu(seconds)
    return steps


def _store(folder: Location, effort: Effort) -> list[Measurement]:
    alone = measure_store(effort.seconds, folder / "store", objects=effort.objects)
    rates = {m.name: m.rate for m in alone}
    place = folder / "streams"
    return alone + measure_streams(place, rates, cores=cores(), objects=effort.objects, repeats=effort.repeats)


def _tasks(cluster: Callable[[], AbstractContextManager[Executor]], effort: Effort) -> list[Measurement]:
    with cluster() as executor:
        return measure_tasks(executor, tasks=effort.tasks)


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
