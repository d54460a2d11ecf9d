"""Workers of a real scheduler, as processes: they leave in order, run what their client runs, and offer their GPU."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slidecloud import logs
from slidecloud.cluster import connect
from slidecloud.cluster.preload import GRACE
from slidecloud.cluster.versions import EXPECTED, VersionError, Versions, here
from slidecloud.pipeline import executors

Start = Callable[..., subprocess.Popen[bytes]]
DASK = str(Path(sys.executable).with_name("dask"))
ROOT = str(Path(__file__).parents[2])
"""Workers import functions of this file by name, and an installed package does not bring its tests."""


class Cluster:
    """A scheduler that forgives no lost worker, and the workers a test starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._file = folder / "scheduler.json"
        strict = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        self._start(["scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0"], **strict)
        _until(self._file.exists)
        self.address: str = _until(lambda: json.loads(self._file.read_text() or "{}").get("address"))

    def worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker as a pod would."""
        plain = [
            "--no-nanny",
            "--nthreads",
            "1",
            "--dashboard-address",
            ":0",
            "--preload",
            "slidecloud.cluster.preload",
        ]
        return self._start(["worker", "--host", "127.0.0.1", *plain, *options], **environment)

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """What a process has printed."""
        return (self._folder / f"{self._processes.index(process)}.log").read_text()

    def dismiss(self) -> None:
        """End all workers, and wait until the scheduler knows."""
        for process in self._processes[1:]:
            process.kill()
            process.wait()
        with connect(self.address) as client:
            _until(lambda: not client.nthreads())

    def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.kill()
            process.wait()

    def _start(self, words: list[str], **environment: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{len(self._processes)}.log").open("wb")
        with log:
            self._processes.append(
                subprocess.Popen(
                    [DASK, *words, "--scheduler-file", str(self._file)],
                    env=os.environ | {"PYTHONPATH": ROOT} | environment,
                    stdout=log,
                    stderr=log,
                )
            )
        return self._processes[-1]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One scheduler for all tests."""
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def dask(scheduler: Cluster) -> Iterator[Cluster]:
    """It, without workers before and after the test."""
    yield scheduler
    scheduler.dismiss()


def _until(true: Callable[[], Any], patience: float = 60.0) -> Any:
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def _work(folder: str, number: int) -> tuple[int, int]:
    """Leave a mark that it began, wait until it may end, say where it ran."""
    (Path(folder) / f"began-{number}-{os.getpid()}").touch()
    _until((Path(folder) / "go").exists)
    return number, os.getpid()


@pytest.mark.parametrize("finish", [True, False], ids=["finished", "handed back"])
def test_sigterm_finishes_the_unit_or_hands_it_back(dask: Cluster, tmp_path: Path, finish: bool) -> None:
    """No task is lost or blamed although the scheduler forgives nothing, and none that was finished runs again."""
    leaving = dask.worker(**{GRACE: "60" if finish else "0.2"})
    with connect(dask.address) as client:
        client.wait_for_workers(1, timeout=60)
        futures = [client.submit(_work, str(tmp_path), number, pure=False) for number in range(3)]
        _until(lambda: list(tmp_path.glob(f"began-*-{leaving.pid}")))
        dask.worker()
        client.wait_for_workers(2, timeout=60)
        leaving.send_signal(signal.SIGTERM)
        if finish:
            (tmp_path / "go").touch()
        assert leaving.wait(60) == 0
        (tmp_path / "go").touch()
        found = client.gather(futures, errors="raise")
    assert [number for number, _ in found] == [0, 1, 2]
    finished = [number for number, process in found if process == leaving.pid]
    assert len(finished) == (1 if finish else 0)
    assert ("Unit finished" if finish else "Unit handed back") in dask.log(leaving)
    assert len(list(tmp_path.glob("began-*"))) == (3 if finish else 4)


def test_a_worker_of_another_version_says_so_and_ends(dask: Cluster) -> None:
    other = str(here()._replace(slidecloud="9.9.9"))
    worker = dask.worker(**{EXPECTED: other})
    assert worker.wait(60) != 0
    assert f"This worker has {here()}; its client has {other}" in dask.log(worker)


def test_workers_log_as_their_environment_asks(dask: Cluster) -> None:
    """Their own records and Dask's, each a line of JSON."""
    worker = dask.worker(**{logs.FORMAT: "json"})
    with connect(dask.address) as client:
        client.wait_for_workers(1, timeout=60)
        client.submit(_log_a_unit).result()
    found = [json.loads(line) for line in dask.log(worker).splitlines() if line.startswith("{")]
    assert {"distributed.worker", "slidecloud.worker"} <= {record["logger"] for record in found}
    (ours,) = (record for record in found if record["logger"] == "slidecloud.worker")
    assert (ours["run"], ours["stage"], ours["unit"], ours["level"]) == ("r", "s", "u", "info")


def _log_a_unit() -> None:
    logging.getLogger("slidecloud.worker").info("begins", extra={"run": "r", "stage": "s", "unit": "u"})


def test_a_client_refuses_workers_of_another_version(dask: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    dask.worker(**{EXPECTED: str(here())})
    with connect(dask.address) as client:
        client.wait_for_workers(1, timeout=60)
    from slidecloud.cluster import versions

    own = Versions("9.9.9", "1.0", "3.11")
    real = versions.here
    # The function is sent by name, so only this process reports another version of itself.
    monkeypatch.setattr(versions, "here", lambda: own if os.getpid() == _CLIENT else real())
    with (
        pytest.raises(VersionError, match=r"1 of the cluster's workers .* this client has slidecloud 9\.9\.9"),
        connect(dask.address),
    ):
        pass


_CLIENT = os.getpid()


def test_units_for_a_gpu_go_where_one_is_offered(dask: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "_GPU_PATIENCE", 1.0)
    dask.worker()
    with connect(dask.address) as client:
        client.wait_for_workers(1, timeout=60)
        executor = executors.dask(client, expected=5)
        assert executor.workers == 5
        with pytest.raises(RuntimeError, match=r"needs a GPU, and none of the cluster's 1 workers .*kubernetes\.gpu"):
            executor.submit(0, os.getpid, device="gpu")
        gpu = dask.worker("--resources", f"{executors.GPU}=1")
        client.wait_for_workers(2, timeout=60)
        for number in range(4):
            executor.submit(number, os.getpid, device="gpu")
        assert {executor.take() for _ in range(4)} == {(number, gpu.pid) for number in range(4)}
        executor.close()
