"""A cluster of processes on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from slidecloud.cluster.allocator import ALLOCATOR
from slidecloud.cluster.settings import SETTINGS
from slidecloud.pipeline.executors import GPU, cores

if TYPE_CHECKING:
    from distributed import Client

ALLOWED_FAILURES = 20
"""Workers a task may lose before Dask gives it up: units are idempotent, and preemption is no fault of theirs."""


@contextmanager
def local(workers: int | None = None, *, memory: int | None = None) -> Iterator[Client]:
    """Start worker processes on this machine, one thread each.

    Each offers the machine's GPU, if there is one, and units of all of them share it at the same time: ask for no more
    workers than its memory has room for, or start workers of your own, one a card (``CUDA_VISIBLE_DEVICES``,
    ``--resources GPU=1``), and `connect` to their scheduler.

    Parameters
    ----------
    workers
        Number of processes; by default the cores this process may use.
    memory
        Bytes of each worker; by default the machine's memory is shared out.

    Yields
    ------
    distributed.Client
        Closed, with its cluster, when the context ends.
    """
    import dask
    from distributed import Client, LocalCluster

    settings = {
        **SETTINGS,
        "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
        # A unit's memory is known before it starts; spilling or pausing would only hide a wrong figure.
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.pause": False,
        "distributed.nanny.pre-spawn-environ": dask.config.get("distributed.nanny.pre-spawn-environ") | ALLOCATOR,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers or cores(),
            threads_per_worker=1,
            memory_limit=memory if memory is not None else "auto",
            dashboard_address=":0",
            silence_logs=50,
            resources={GPU: 1},  # that of this machine, if there is one: a unit that misses it says so
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
