"""Memory of the processes that do not compute: it follows the plan, and does not grow while units come and go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import large
import pytest
import runs

from slidecloud.cluster.settings import variables

MEASURE = (
    "import json, resource, subprocess, sys; "
    "ended = subprocess.run(sys.argv[1:], capture_output=True, text=True); "
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024; "
    "print(json.dumps([peak, ended.returncode, ended.stdout, ended.stderr]))"
)
"""Between the test and what it measures: a child begins with the memory of the process that started it."""


@contextmanager
def _scheduler(folder: Path, workers: int) -> Iterator[tuple[str, int]]:
    """A scheduler and workers as pods start them; the scheduler's address and process."""
    file = folder / "scheduler.json"
    support = str(Path(large.__file__).parent)
    environment = os.environ | variables() | {"PYTHONPATH": support}
    dask = str(Path(sys.executable).with_name("dask"))
    common = ("--host", "127.0.0.1", "--dashboard-address", ":0", "--scheduler-file", str(file))
    commands = [[dask, "scheduler", "--port", "0", *common]]
    commands += [[dask, "worker", "--no-nanny", "--nthreads", "1", *common]] * workers
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "dask.log").open("wb") as log:
            processes.extend(subprocess.Popen(words, env=environment, stdout=log, stderr=log) for words in commands)
        yield _address(file), processes[0].pid
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _address(file: Path) -> str:
    end = time.monotonic() + 120
    while not (file.exists() and file.read_text().endswith("}")):
        assert time.monotonic() < end
        time.sleep(0.1)
    return str(json.loads(file.read_text())["address"])


def _drive(folder: Path, *marks: int) -> dict[str, Any]:
    with _scheduler(folder, 2) as (address, process):
        words = [large.__file__, str(folder), address, str(process), *map(str, marks)]
        environment = os.environ | {"PYTHONPATH": str(Path(large.__file__).parent)}
        ended = subprocess.run(
            [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=4 * 3600, check=False
        )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["done"] == found["units"]
    return found


def _peak(*words: str, folder: Path) -> tuple[float, int, str]:
    """Greatest memory of a command, MiB, its exit code, and what it said."""
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, *runs.command(*words)],
        env=os.environ | {"KUBECONFIG": str(folder / "kubeconfig")},
        capture_output=True,
        text=True,
        timeout=1200,
        check=True,
    )
    peak, code, out, err = json.loads(measured.stdout)
    return peak, code, out + err


def test_driver_and_scheduler_forget_what_is_done(tmp_path: Path) -> None:
    """With all the messages that Dask keeps by itself both would grow by 27 kB a unit, 15 MB here."""
    large.describe(tmp_path, 2)
    found = _drive(tmp_path, 200, 750)
    for process in ("driver", "scheduler"):
        first, last = found[process]
        assert last - first < 6, found


def test_status_does_not_load_dask() -> None:
    program = "import slidecloud.pipeline.status, sys; print({'dask', 'distributed'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"


@pytest.mark.long
def test_a_run_of_20000_units(tmp_path: Path, record_property: pytest.RecordProperty) -> None:
    """Driver and scheduler grow by less than 20 MB; status and submit stay below 300 MB before and after it."""
    large.describe(tmp_path, 51)
    (tmp_path / "kubeconfig").write_text(json.dumps(NOWHERE))
    region, run = str(tmp_path / "region.yaml"), str(tmp_path / "run.zarr")
    submitted = _peak("submit", region, "--fit", folder=tmp_path)
    found = _drive(tmp_path, 1, 2_000, 20_000)
    assert found["units"] == 51 * large.UNITS
    status = _peak("status", run, folder=tmp_path)
    record_property("memory", {**found, "submit": submitted[0], "status": status[0]})
    assert submitted[1] == 1  # nobody answers, after all that is there to load is loaded
    assert "Could not speak to the cluster" in submitted[2]
    assert status[1] == 0, status[2]
    assert f"{51 * 361} of {51 * 361} units done" in status[2]
    for process in ("driver", "scheduler"):
        assert found[process][2] - found[process][1] < 20, found
    assert max(submitted[0], status[0]) < 300, (submitted, status)


NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "x",
    "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "x", "user": {"token": "none"}}],
    "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
}
