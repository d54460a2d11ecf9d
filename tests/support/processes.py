"""The processes of a run as they are on a cluster: a scheduler, workers, drivers; killed, and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import inside
import psutil
from stores import free_port, until

from slidecloud.cluster.local import ALLOWED_FAILURES
from slidecloud.cluster.preload import GRACE

_SUPPORT = str(Path(inside.__file__).parent)
_QUIET = {f"DASK_DISTRIBUTED__WORKER__MEMORY__{name}": "False" for name in ("TARGET", "SPILL", "PAUSE")}
Process = subprocess.Popen[bytes]


class Cluster:
    """A scheduler at an address that stays, and a worker for each role, as Kubernetes would keep them.

    Parameters
    ----------
    folder
        For orders and logs.
    environment
        Of each role.
    """

    def __init__(self, folder: Path, environment: Mapping[str, Mapping[str, str]]) -> None:
        self.folder = folder
        self._environment = environment
        self._port = free_port()
        self._number = 0
        self.workers: dict[str, Process] = {}
        self._logs: dict[int, Path] = {}
        self.scheduler = self._start_scheduler()

    @property
    def address(self) -> str:
        """Of the scheduler, whichever process it is."""
        return f"tcp://127.0.0.1:{self._port}"

    def heal(self, roles: tuple[str, ...] = ("worker-0", "worker-1")) -> None:
        """Start again what is gone, and wait until it is there; end workers of other roles."""
        if self.scheduler.poll() is not None:
            self.scheduler = self._start_scheduler()
            for role in list(self.workers):
                self.end(self.workers.pop(role))
        for role in set(self.workers) - set(roles):
            self.end(self.workers.pop(role))
        for role in roles:
            worker = self.workers.get(role)
            if worker is None or worker.poll() is not None:
                self.workers[role] = self._start_worker(role)
        for role in roles:
            until(lambda role=role: "Registered to:" in self.log(self.workers[role]))

    def run(self, *words: str, role: str = "driver", **environment: str) -> Process:
        """Start ``slidecloud WORD...``."""
        return self._start(role, "slidecloud", *words, **environment)

    def log(self, process: Process) -> str:
        """What a process has printed."""
        return self._logs[process.pid].read_text(errors="replace")

    def end(self, process: Process) -> None:
        """Kill a process and the children it has."""
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for child in children:
                child.kill()
        process.wait()

    def close(self) -> None:
        """End all."""
        for process in (*self.workers.values(), self.scheduler):
            self.end(process)

    def _start_scheduler(self) -> Process:
        words = ("scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard")
        failures = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(ALLOWED_FAILURES)}
        started = self._start("scheduler", "dask", *words, **failures)
        until(lambda: "Scheduler at:" in self.log(started))
        return started

    def _start_worker(self, role: str) -> Process:
        words = ["worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"]
        words += ["--preload", "slidecloud.cluster.preload", "--preload", "inside"]
        words += ["--nanny", "--memory-limit", "900 MiB"] if role == "balloon" else ["--no-nanny"]
        words += ["--death-timeout", "120", "--local-directory", str(self.folder / "scratch")]
        return self._start(role, "dask", *words, **_QUIET, **{GRACE: "5"})

    def _start(self, role: str, module: str, *words: str, **environment: str) -> Process:
        self._number += 1
        path = self.folder / f"{self._number}-{role}.log"
        ours = {"CAMPAIGN": str(self.folder), "ROLE": role, "PYTHONPATH": _SUPPORT, "COLUMNS": "500"}
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, inside.__file__, module, *words],
                env=os.environ | ours | self._environment.get(role, {}) | environment,
                stdout=log,
                stderr=log,
            )
        self._logs[process.pid] = path
        return process
