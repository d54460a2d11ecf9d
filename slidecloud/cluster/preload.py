"""What every worker of a cluster does first, as Dask's ``--preload``: check versions, and learn to leave in order.

A node that is about to be taken away, or a pod that is scaled down, gets SIGTERM. Left alone, a worker without a nanny
then drops its unit and its results. With this preload it takes no new unit, finishes the one it has if it can in
``SLIDECLOUD_GRACE`` seconds, hands back the rest, copies its last results to other workers, and goes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Final

from slidecloud import logs
from slidecloud.cluster.versions import EXPECTED, here

if TYPE_CHECKING:
    from distributed import Worker

GRACE: Final = "SLIDECLOUD_GRACE"
"""Environment variable with the seconds a worker may take to finish its unit."""

_DEFAULT_GRACE: Final = 25.0
_LOOK: Final = 0.1
_log = logging.getLogger("distributed.worker.slidecloud")


def dask_setup(worker: Worker) -> None:
    """Called by Dask on a worker that starts."""
    _log_as_asked()
    found, expected = str(here()), os.environ.get(EXPECTED)
    if expected is not None and found != expected:
        # Dask only logs what a preload raises, unless it ends the process.
        raise SystemExit(
            f"This worker has {found}; its client has {expected}. Start client and workers from the same image."
        )
    _log.info("Worker %s has %s", worker.address, found)
    if threading.current_thread() is threading.main_thread():
        _leave_in_order(worker)


def _log_as_asked() -> None:
    """Print records of slidecloud as the environment asks for, and Dask's own in the same form."""
    asked = logs.asked()
    if asked is None:
        return
    logs.start(*asked)
    for name in ("distributed", "bokeh", "tornado"):
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(logs.formatter(asked[0]))


async def drain(worker: Worker, *, grace: float) -> bool:
    """Let a worker finish what it computes, hand back the rest, and close it.

    Parameters
    ----------
    worker
        In its own event loop.
    grace
        Seconds it may take to finish.

    Returns
    -------
    bool
        True if its unit was finished, False if it was handed back.
    """
    from distributed import Status

    # No new unit comes, and what waits here is given to others when the scheduler lets the worker go.
    worker.status = Status.closing_gracefully
    loop = asyncio.get_running_loop()
    end = loop.time() + grace
    while worker.state.executing_count and loop.time() < end:
        await asyncio.sleep(_LOOK)
    finished = worker.state.executing_count == 0
    _log.info("Unit %s; retiring", "finished" if finished else "handed back")
    await worker.scheduler.retire_workers(workers=[worker.address], close_workers=False, remove=True)
    await worker.close(reason="SIGTERM", executor_wait=finished)
    return finished


def _leave_in_order(worker: Worker) -> None:
    loop = asyncio.get_running_loop()
    grace = float(os.environ.get(GRACE, _DEFAULT_GRACE))
    tasks: set[asyncio.Task[bool]] = set()

    def begin() -> None:
        if not tasks:
            tasks.add(loop.create_task(drain(worker, grace=grace)))

    def handle(_signal: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin)

    signal.signal(signal.SIGTERM, handle)
