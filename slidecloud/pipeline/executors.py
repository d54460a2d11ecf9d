"""Serial, threads and Dask behind one interface: submit work, take the next result."""

from __future__ import annotations

import os
import pickle
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from slidecloud.config_resources import Device

if TYPE_CHECKING:
    from distributed import Client

GPU: Final = "GPU"
"""Dask's name for a GPU: workers offer it, units ask for it."""

Result = Any
_PATIENCE = 2.0
_COUNT_AGAIN = 5.0
_GPU_PATIENCE = 600.0
_GONE = "The Dask scheduler is gone. What was done is stored: start a cluster and give the same command again."


class Executor(Protocol):
    """Somewhere to run functions.

    Attributes
    ----------
    shares_memory
        True where they share the memory of one process.
    dashboard
        Address of a page that shows the work, or None.
    """

    shares_memory: bool
    dashboard: str | None

    @property
    def workers(self) -> int:
        """Functions that run at the same time."""
        ...

    def submit(self, number: int, function: Callable[..., Result], *arguments: Any, device: Device = "cpu") -> None:
        """Start ``function(*arguments)`` under a number, where there is the device it needs."""

    def take(self) -> tuple[int, Result | BaseException]:
        """Wait for the next result: its number, and what was returned or raised."""

    def close(self) -> None:
        """Drop what has not begun and wait for the rest."""


class SerialExecutor:
    """Runs each function when its result is asked for."""

    workers = 1
    shares_memory = True
    dashboard: str | None = None

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Callable[..., Result], tuple[Any, ...]]] = deque()

    def submit(
        self,
        number: int,
        function: Callable[..., Result],
        *arguments: Any,
        device: Device = "cpu",  # noqa: ARG002 - this process has what it has, and a unit that misses it says so
    ) -> None:
        """Queue a function."""
        self._waiting.append((number, function, arguments))

    def take(self) -> tuple[int, Result | BaseException]:
        """Run the oldest function."""
        number, function, arguments = self._waiting.popleft()
        try:
            return number, function(*arguments)
        except Exception as error:  # noqa: BLE001 - the driver decides about retries
            return number, error

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


class ThreadExecutor:
    """Runs functions in threads of this process; the kernels release the interpreter lock."""

    shares_memory = True
    dashboard: str | None = None

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="slidecloud")
        self._results: queue.SimpleQueue[tuple[int, Future[Result]]] = queue.SimpleQueue()

    def submit(
        self,
        number: int,
        function: Callable[..., Result],
        *arguments: Any,
        device: Device = "cpu",  # noqa: ARG002 - this process has what it has, and a unit that misses it says so
    ) -> None:
        """Hand a function to the pool."""
        future = self._pool.submit(function, *arguments)
        future.add_done_callback(lambda finished: self._results.put((number, finished)))

    def take(self) -> tuple[int, Result | BaseException]:
        """Wait for the next thread that finishes."""
        number, future = self._results.get()
        error = future.exception()
        return number, future.result() if error is None else error

    def close(self) -> None:
        """Cancel what has not begun and wait for what has."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class DaskExecutor:
    """Runs functions on a Dask cluster; only numbers come back, results are in the store.

    Attributes
    ----------
    client
        The connection to the cluster.
    submitted
        Functions sent so far.
    """

    shares_memory = False

    def __init__(self, client: Client, *, expected: int = 0) -> None:
        self.client = client
        self._expected = expected
        self._flying: dict[str, tuple[int, Any]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.submitted = 0
        self._counted = (0.0, 0)
        self._gpu_seen = False
        self.dashboard: str | None = client.dashboard_link

    @property
    def workers(self) -> int:
        """Threads of the cluster now, which may grow and shrink, or those that are expected where these are more."""
        when, threads = self._counted
        if self.client.status == "running" and (not threads or time.monotonic() - when > _COUNT_AGAIN):
            with suppress(OSError, TimeoutError):  # a scheduler that is gone is named where a result is taken
                threads = sum(self.client.nthreads().values())
                self._counted = (time.monotonic(), threads)
        return max(1, threads, self._expected)

    def submit(self, number: int, function: Callable[..., Result], *arguments: Any, device: Device = "cpu") -> None:
        """Send a function to the cluster, to a worker that offers a GPU if it needs one.

        Raises
        ------
        RuntimeError
            If it needs one, and no worker that offers one comes.
        """
        self.submitted += 1
        key = f"slidecloud-{id(self)}-{self.submitted}"
        resources = None
        if device == "gpu":
            resources = {GPU: 1}
            self._await_gpu()
        # The scheduler unpacks what it is sent, and holds it until the task is forgotten: a parcel it leaves alone.
        from distributed.protocol.pickle import dumps

        parcel = dumps((function, arguments))
        future = self.client.submit(call, parcel, key=key, pure=False, resources=resources)
        self._flying[key] = (number, future)
        future.add_done_callback(lambda ended: self._ended.put(str(ended.key)))

    def take(self) -> tuple[int, Result | BaseException]:
        """Wait for the next task that finishes, fails or is lost.

        Raises
        ------
        ConnectionError
            If the scheduler is gone; what was done is in the store.
        """
        while True:
            self._check_scheduler()
            try:
                key = self._ended.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if key in self._flying:
                break
        number, future = self._flying.pop(key)
        if future.status == "finished":
            try:
                return number, future.result()
            except OSError:  # it is fetched by way of the scheduler, which has gone meanwhile
                raise ConnectionError(_GONE) from None
        if future.status == "error":
            return number, future.exception()
        self._check_scheduler()
        return number, RuntimeError("the scheduler lost the task")

    def close(self) -> None:
        """Cancel all tasks that have not finished."""
        futures = [future for _, future in self._flying.values()]
        self._flying.clear()
        if self.client.status == "running":
            self.client.cancel(futures)

    def _await_gpu(self) -> None:
        """Without a worker that offers a GPU, Dask would let the task wait for ever and say nothing."""
        end = time.monotonic() + _GPU_PATIENCE
        while not self._gpu_seen:
            self._check_scheduler()
            workers = self.client.scheduler_info()["workers"].values()
            self._gpu_seen = any(worker["resources"].get(GPU, 0) >= 1 for worker in workers)
            if self._gpu_seen:
                return
            if time.monotonic() > end:
                raise RuntimeError(
                    f"A unit needs a GPU, and none of the cluster's {len(workers)} workers offers one within "
                    f"{_GPU_PATIENCE:.0f} s. Start workers with '--resources {GPU}=1' (kubernetes.gpu_workers), "
                    "or ask for the CPU."
                )
            time.sleep(_PATIENCE)

    def _check_scheduler(self) -> None:
        if self.client.status != "running":
            raise ConnectionError(_GONE)


def call(parcel: bytes) -> Result:
    """Unpack a function and its arguments, and call it."""
    function, arguments = pickle.loads(parcel)
    return function(*arguments)


def serial() -> SerialExecutor:
    """An executor that runs one function after the other in this thread."""
    return SerialExecutor()


def threads(workers: int) -> ThreadExecutor:
    """An executor of so many threads."""
    return ThreadExecutor(workers)


def dask(client: Client, *, expected: int = 0) -> DaskExecutor:
    """An executor on the cluster that a client is connected to.

    ``expected`` is the number of threads an elastic cluster may grow to: so much work is kept ready for it to ask for.
    """
    return DaskExecutor(client, expected=expected)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
