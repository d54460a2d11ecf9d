"""The field on which the fault campaign takes place: one store, one cluster, the undisturbed run, the losses."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import losses
import pytest
import runs
from cases import TILES, Case, objects
from processes import Cluster
from stores import Bucket, bucket

ROLES = ("worker-0", "worker-1", "balloon", "driver", "second")


class Field:
    """All that cases share.

    Attributes
    ----------
    expected
        Objects of the undisturbed run in each place.
    """

    def __init__(self, folder: Path, cluster: Cluster, store: Bucket) -> None:
        self.folder, self.cluster, self.bucket = folder, cluster, store
        self.expected: dict[str, dict[str, bytes]] = {}
        self._undisturbed: dict[str, list[float]] = {}
        self._number = 0

    @contextmanager
    def case(self, place: str, *, mount: str | None = None) -> Iterator[Case]:
        """A new case, with a file system of its own of so many bytes where that is asked for and allowed."""
        self.cluster.heal()
        self._number += 1
        folder = self.folder / f"case{self._number}"
        folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={mount}", "tmpfs", str(folder)]
        mounted = mount is not None and subprocess.run(words, capture_output=True, check=False).returncode == 0
        stacks = "s3://slides/stacks" if place == "bucket" else str(self.folder / "stacks")
        case = Case(self.cluster, self.bucket, f"case{self._number}", folder, place, stacks)
        try:
            yield case
        finally:
            if case.driver is not None:
                self.cluster.end(case.driver)
            if mounted:
                subprocess.run(["umount", "--lazy", str(folder)], check=True)

    def undisturbed(self, place: str, *, times: int = 1) -> float:
        """Seconds of a run that nothing disturbs: the median of what was measured, of so many at least."""
        measured = self._undisturbed.setdefault(place, [])
        while len(measured) < times:
            measured.append(self._run(place))
        return statistics.median(measured)

    def _run(self, place: str) -> float:
        with self.case(place) as case:
            started = time.monotonic()
            case.finish()
            seconds = time.monotonic() - started
            assert case.attempts == 1
            case.check(self.expected.setdefault(place, objects(case.location)))
        return seconds


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory, few_pairs: object) -> Iterator[Field]:
    """The field, with stacks in a folder and in the bucket, and one run behind it that has warmed it up."""
    folder = tmp_path_factory.mktemp("campaign")
    orders = folder / "orders"
    orders.mkdir()
    with bucket(folder / "store.log", roles=ROLES) as store:
        for stacks, place in ((runs.locate(str(folder / "stacks")), "folder"), (store.locate("stacks"), "bucket")):
            assert runs.ingest(few_pairs, stacks, chunks=(32, *TILES[place])).exit_code == 0
        cluster = Cluster(orders, {role: store.environment(role) for role in ROLES})
        try:
            made = Field(folder, cluster, store)
            made._run("folder")
            yield made
        finally:
            cluster.close()


@pytest.fixture(scope="session")
def few_pairs(source, interferograms, scene) -> object:
    """A source with 24 of the small scene's pairs."""
    return runs.subset(source, interferograms, scene, list(range(24)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the faults cost, also where the tests ran in several processes."""
    found = [
        losses.Loss(**value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "loss"
    ]
    if found:
        terminalreporter.section("what the faults cost")
        for line in losses.table(found):
            terminalreporter.write_line(line)
