"""Prometheus: the driver's counters say what the summary says, and Dask serves its own."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import endings
import pytest
from prometheus_client.parser import text_string_to_metric_families

from slidecloud.cluster import local
from slidecloud.pipeline import metrics
from slidecloud.pipeline.progress import Silent

Samples = dict[tuple[str, str], float]


def _scrape(port: int) -> Samples:
    """Values by name and outcome or stage."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples]
    return {(s.name, s.labels.get("outcome", s.labels.get("le", s.labels.get("stage", "")))): s.value for s in samples}


class Looking(Silent):
    """Scrapes after each unit."""

    def __init__(self, port: int) -> None:
        self.seen: list[Samples] = []
        self._port = port

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:
        self.seen.append(_scrape(self._port))


def test_counters_are_those_of_the_summary(tmp_path: Path) -> None:
    with metrics.serve(0, host="127.0.0.1") as port:
        looking = Looking(port)
        summary = endings.drive_all(tmp_path, looking)
        found = _scrape(port)
    units = {outcome: value for (name, outcome), value in found.items() if name == "slidecloud_units_total"}
    kinds = [item.kind for item in summary.quarantined]
    assert units["done"] == summary.done == 2
    assert units["quarantined"] == kinds.count("data") == 1
    assert units["failed"] == kinds.count("failed") == 1
    assert units["retried"] == 2
    assert found["slidecloud_bytes_read_total", "test"] == summary.bytes_read == 3
    assert found["slidecloud_bytes_written_total", "test"] == summary.bytes_written == 30
    assert found["slidecloud_unit_seconds_count", "test"] == summary.done
    assert [seen["slidecloud_units_ahead", ""] for seen in looking.seen] == [5, 4, 3, 2]
    assert found["slidecloud_units_ahead", ""] == 0
    assert metrics.served() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(OSError, match=rf"served at port {port} of 127\.0\.0\.1: .*Choose another"),
            metrics.serve(port, host="127.0.0.1"),
        ):
            pass
    assert metrics.served() is None


def test_dask_serves_its_own() -> None:
    with local(1) as client:
        client.submit(sum, [1, 2]).result()
        page = str(client.dashboard_link).replace("/status", "/metrics")
        with urllib.request.urlopen(page, timeout=60) as answer:
            text = answer.read().decode()
    assert "dask_scheduler_workers" in text
