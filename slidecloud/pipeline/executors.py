"""Serial, threads and Dask behind one interface: submit work, take the next result."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from distributed import Client

Result = Any


class Executor(Protocol):
    """Somewhere to run functions.

    Attributes
    ----------
    workers
        Functions that run at the same time.
    shares_memory
        True where they share the memory of one process.
    dashboard
        Address of a page that shows the work, or None.
    """

    workers: int
    shares_memory: bool
    dashboard: str | None

    def submit(self, number: int, function: Callable[..., Result], *arguments: Any) -> None:
        """Start ``function(*arguments)`` under a number."""

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

    def submit(self, number: int, function: Callable[..., Result], *arguments: Any) -> None:
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

    def submit(self, number: int, function: Callable[..., Result], *arguments: Any) -> None:
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
    """Runs functions on a Dask cluster; only numbers come back, results are in the store."""

    shares_memory = False

    def __init__(self, client: Client) -> None:
        from distributed import as_completed

        self._client = client
        self._numbers: dict[str, int] = {}
        self._submitted = 0
        self._completed = as_completed()
        self.dashboard: str | None = client.dashboard_link
        threads = client.nthreads()
        self.workers = max(1, sum(threads.values()))

    def submit(self, number: int, function: Callable[..., Result], *arguments: Any) -> None:
        """Send a function to the cluster."""
        self._submitted += 1
        future = self._client.submit(
            function, *arguments, key=f"slidecloud-{id(self)}-{self._submitted}", pure=False, retries=0
        )
        self._numbers[str(future.key)] = number
        self._completed.add(future)

    def take(self) -> tuple[int, Result | BaseException]:
        """Wait for the next task that finishes, fails or is lost."""
        future = next(self._completed)
        number = self._numbers.pop(str(future.key))
        if future.status == "finished":
            return number, future.result()
        if future.status == "cancelled":
            return number, RuntimeError("the Dask scheduler lost the task; is the cluster still there?")
        return number, future.exception()

    def close(self) -> None:
        """Cancel all tasks that have not finished."""
        self._completed.clear()
        self._numbers.clear()


def serial() -> SerialExecutor:
    """An executor that runs one function after the other in this thread."""
    return SerialExecutor()


def threads(workers: int) -> ThreadExecutor:
    """An executor of so many threads."""
    return ThreadExecutor(workers)


def dask(client: Client) -> DaskExecutor:
    """An executor on the cluster that a client is connected to."""
    return DaskExecutor(client)
