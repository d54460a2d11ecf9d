"""Counters of this process' runs for Prometheus: units by outcome, bytes, units that lie ahead, seconds of a unit.

They count from `serve` on, in the process that drives; Dask's scheduler and workers serve theirs beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

Ending = Literal["done", "failed", "quarantined", "retried"]

_SECONDS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)


class Metrics:
    """The counters, in a registry of their own.

    Raises
    ------
    ModuleNotFoundError
        If prometheus-client is not installed (the extra ``k8s``).
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        common: dict[str, Any] = {"registry": self.registry}
        by_stage = ("run", "stage")
        self._units = Counter(
            "slidecloud_units", "Units that ended or were tried again.", (*by_stage, "outcome"), **common
        )
        self._read = Counter(
            "slidecloud_bytes_read",
            "Bytes read by units done; uncompressed, of source files theirs.",
            by_stage,
            **common,
        )
        self._written = Counter(
            "slidecloud_bytes_written", "Uncompressed bytes written by units done.", by_stage, **common
        )
        self._ahead = Gauge("slidecloud_units_ahead", "Units not ended yet.", ("run",), **common)
        self._seconds = Histogram(
            "slidecloud_unit_seconds", "Seconds a unit took on its worker.", by_stage, buckets=_SECONDS, **common
        )

    def lie_ahead(self, run: str, units: int) -> None:
        """So many units of a run have not ended."""
        self._ahead.labels(run).set(units)

    def count(self, run: str, stage: str, ending: Ending) -> None:
        """A unit ended, or failed and is tried again."""
        self._units.labels(run, stage, ending).inc()

    def done(self, run: str, stage: str, *, read: int, written: int, seconds: float) -> None:
        """A unit is done: what it moved, bytes, and how long it took."""
        self.count(run, stage, "done")
        self._read.labels(run, stage).inc(read)
        self._written.labels(run, stage).inc(written)
        self._seconds.labels(run, stage).observe(seconds)


class _Served:
    """The counters of this process, while they are served."""

    metrics: Metrics | None = None


def served() -> Metrics | None:
    """The counters, or None where nobody asked for them."""
    return _Served.metrics


@contextmanager
def serve(port: int, *, host: str = "0.0.0.0") -> Iterator[int]:
    """Count, and serve the counters at ``http://host:port/metrics`` while the context lasts.

    Parameters
    ----------
    port
        TCP port; 0 takes one that is free.
    host
        Address to listen at.

    Yields
    ------
    int
        The port.

    Raises
    ------
    ModuleNotFoundError
        If prometheus-client is not installed (the extra ``k8s``).
    OSError
        If the port is taken.
    """
    metrics = Metrics()
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        raise OSError(
            f"Metrics cannot be served at port {port} of {host}: {error.strerror}. Choose another port."
        ) from None
    _Served.metrics = metrics
    try:
        yield server.server_port
    finally:
        _Served.metrics = None
        server.shutdown()
        server.server_close()
        thread.join()
