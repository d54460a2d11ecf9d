"""From the resources of a configuration to an executor, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from slidecloud.cluster.connect import connect
from slidecloud.cluster.local import local
from slidecloud.config_resources import ResourcesConfig
from slidecloud.pipeline import executors
from slidecloud.pipeline.executors import cores


@contextmanager
def executor(resources: ResourcesConfig) -> Iterator[executors.Executor]:
    """Open the executor that a configuration asks for, and close it at the end.

    Parameters
    ----------
    resources
        Executor kind, scheduler address, workers and memory.

    Raises
    ------
    ValueError
        If a scheduler is named for another executor than Dask.
    """
    if resources.scheduler is not None and resources.executor != "dask":
        raise ValueError(
            f"resources.scheduler is {resources.scheduler!r} with executor {resources.executor!r}; "
            "a scheduler goes with executor 'dask'. Leave one of them out."
        )
    workers = resources.workers or cores()
    if resources.executor == "serial":
        yield executors.serial()
    elif resources.executor == "threads":
        pool = executors.threads(workers)
        try:
            yield pool
        finally:
            pool.close()
    elif resources.scheduler is not None:
        with connect(resources.scheduler) as client:
            yield executors.dask(client, expected=resources.workers or 0)
    else:
        with local(workers, memory=resources.memory_bytes) as client:
            yield executors.dask(client)
