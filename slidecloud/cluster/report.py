"""Dask's performance report of a run: where the time of scheduler, workers and tasks went, as one page of HTML."""

from __future__ import annotations

import datetime
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from slidecloud.pipeline.executors import DaskExecutor
from slidecloud.store.location import Location
from slidecloud.store.runs import REPORTS

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def reported(executor: DaskExecutor, run: Location) -> Iterator[str]:
    """Watch a cluster while the context lasts, and store what was seen in the run store, whatever ended it.

    A report that cannot be made or stored is a warning: it never takes the place of what ended the run.

    Parameters
    ----------
    executor
        On the cluster that is watched.
    run
        The run store.

    Yields
    ------
    str
        Key of the report in the store, ``.slidecloud/reports/<UTC time>.html``.

    Raises
    ------
    ModuleNotFoundError
        If bokeh, which draws it, is not installed (the extra ``viz``).
    """
    import bokeh  # noqa: F401 - better missed now than when the run has ended

    client = executor.client
    began, before = time.time(), executor.submitted
    client.get_task_stream(count=0)  # from now on the scheduler remembers what its tasks did
    key = f"{REPORTS}/{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}.html"
    try:
        yield key
    finally:
        try:
            if executor.submitted > before:  # else the store may not even be ours
                run.write(key, _page(client, began))
        except Exception as error:  # noqa: BLE001 - whatever it is, the run's own end matters more
            warnings.warn(
                f"The performance report of {run} could not be saved ({type(error).__name__}: {error}).", stacklevel=1
            )


def _page(client: Client, began: float) -> bytes:
    """What the scheduler has seen since then, in a page that needs no other file."""
    scheduler = client.scheduler
    if scheduler is None or client.status != "running":
        raise ConnectionError("the scheduler is gone")
    options = {"start": began, "last_count": 0, "code": "slidecloud run", "mode": "inline"}
    page: str = client.sync(scheduler.performance_report, **options)
    return page.encode()
