"""How fast all cores together read and write arrays of a store: what bounds many workers."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any

from numpy.typing import NDArray

from slidecloud.pipeline.bench_store import read_arrays, template, typical_arrays, write_arrays
from slidecloud.pipeline.rates import READ, READ_TOGETHER, WRITE, WRITE_TOGETHER, Measurement
from slidecloud.store.location import Location

_PATIENCE = 300.0

_barrier: Barrier


def measure_streams(
    folder: Location, alone: Mapping[str, float], *, cores: int, objects: int, repeats: int
) -> list[Measurement]:
    """One process a core, each with arrays of its own, all at the same time.

    Parameters
    ----------
    folder
        Where they are written and read; the caller removes it.
    alone
        MB/s of one process for `READ` and `WRITE`.
    cores
        Processes.
    objects
        Blocks of 12.6 MB that each writes.
    repeats
        Times each writes and reads them; the best counts.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(cores)
    places = [folder / f"stream{number}.zarr" for number in range(cores)]
    with ProcessPoolExecutor(cores, mp_context=context, initializer=_share, initargs=(barrier,)) as pool:
        times = list(pool.map(partial(_stream, objects=objects, repeats=repeats), places))
    size = cores * sum(values.nbytes for values in typical_arrays(objects).values()) / 1e6
    best = {name: min(max(taken[name][k] for taken in times) for k in range(repeats)) for name in (READ, WRITE)}
    return [
        Measurement(together, "MB/s", size / best[name], "one core", alone[name])
        for name, together in ((READ, READ_TOGETHER), (WRITE, WRITE_TOGETHER))
    ]


def _share(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _stream(place: Location, *, objects: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of each writing and reading of one process, all begun at the same moment."""
    data = typical_arrays(objects)
    place.write_many(template(objects))
    write_arrays(place, data)  # imports and opens what it needs
    return {name: [_time(work, place, data) for _ in range(repeats)] for name, work in _WORKS.items()}


def _time(work: Callable[..., None], place: Location, data: Mapping[str, NDArray[Any]]) -> float:
    _barrier.wait(_PATIENCE)
    began = time.perf_counter()
    work(place, data)
    return time.perf_counter() - began


_WORKS: Mapping[str, Callable[..., None]] = {WRITE: write_arrays, READ: read_arrays}
