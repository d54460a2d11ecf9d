"""Killed processes: what was done stays done, and the end is the same to the last bit."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import runs

DASK = "resources: {executor: dask, workers: 2, memory: 2 GiB, tile: [32, 64]}"


@pytest.fixture(scope="module")
def reference(tmp_path_factory, source):
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("undisturbed")
    runs.compute(folder, source)
    return runs.objects(folder / "run.zarr")


@pytest.fixture
def folder(tmp_path, source):
    """A folder with an ingested stack and a configuration for two worker processes."""
    runs.ingest(source, str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    (tmp_path / "region.yaml").write_text(runs.yaml_text(tmp_path, DASK))
    return tmp_path


def seeds(count: int, first: int = 0):
    """Seeds, of which the first few run by default and the rest in the long campaign."""
    return [pytest.param(n, marks=() if n < first else pytest.mark.long) for n in range(count)]


@pytest.mark.parametrize("seed", seeds(10, first=2))
def test_killed_driver(folder, reference, seed):
    driver = start(folder)
    wait_for_records(folder, driver, random.Random(seed))
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    wait_for_orphans(driver)
    before = done(folder)
    finished = runs.call("run", str(folder / "region.yaml"))
    assert finished.returncode == 0, finished.stderr
    computed, skipped = counts(finished)
    assert skipped >= len(before)
    assert computed == len(done(folder)) - len(before)
    assert runs.whole(folder / "run.zarr") == reference


@pytest.mark.parametrize("seed", seeds(10, first=1))
def test_killed_worker(folder, reference, seed):
    choice = random.Random(100 + seed)
    driver = start(folder)
    wait_for_records(folder, driver, choice)
    children = workers(driver)
    if children:
        children[choice.randrange(len(children))].kill()
    _, errors = driver.communicate(timeout=300)
    assert driver.returncode == 0, errors
    assert "Traceback" not in errors
    assert runs.whole(folder / "run.zarr") == reference
    again = runs.call("run", str(folder / "region.yaml"))
    assert counts(again) == (0, len(done(folder)))


def test_killed_ingest(tmp_path, source, reference):
    """Ingest that dies between two batches goes on with the third."""
    script = (
        "import os, pickle, sys\n"
        "from slidecloud.pipeline import ingest as module\n"
        "from slidecloud.pipeline.batches import BatchWork\n"
        "original = BatchWork._write_band\n"
        "def dying(self, writer, rows, *rest):\n"
        "    if self.first >= 64 and rows.start > 0: os.kill(os.getpid(), 9)\n"
        "    return original(self, writer, rows, *rest)\n"
        "BatchWork._write_band = dying\n"
        "source = pickle.load(open(sys.argv[1], 'rb'))\n"
        f"module.ingest(source, sys.argv[2], chunks={runs.CHUNKS})\n"
    )
    import pickle
    import sys

    pickled = tmp_path / "source.pickle"
    pickled.write_bytes(pickle.dumps(source))
    killed = subprocess.run([sys.executable, "-c", script, pickled, tmp_path / "stacks"], check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(ValueError, match=r"has not finished.*slidecloud ingest"):
        runs.Stack(runs.locate(str(tmp_path / "stacks" / "sim_small.zarr"))).pair_digests  # noqa: B018
    summary = runs.ingest(source, str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    assert summary.skipped == 2
    runs.rerun(tmp_path)
    assert runs.objects(tmp_path / "run.zarr") == reference


def start(folder: Path) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    return subprocess.Popen(
        runs.command("run", str(folder / "region.yaml")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def done(folder: Path) -> set[str]:
    """Records of units, templates left out."""
    root = folder / "run.zarr" / ".slidecloud" / "done"
    return {str(path.relative_to(root)) for path in root.rglob("*.json") if "template" not in path.parts}


def wait_for_records(folder: Path, driver: subprocess.Popen[str], choice: random.Random) -> None:
    """Wait until a random number of units is done, and a random moment more."""
    wanted, deadline = choice.randrange(0, 28), time.monotonic() + 120
    while len(done(folder)) < wanted and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(choice.random() * 0.2)


def workers(driver: subprocess.Popen[str]) -> list[psutil.Process]:
    """Worker processes of a driver."""
    try:
        children = psutil.Process(driver.pid).children(recursive=True)
        return [child for child in children if any("spawn_main" in part for part in child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def wait_for_orphans(driver: subprocess.Popen[str]) -> None:
    """Wait until the workers of a dead driver have gone too; they notice within seconds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        orphans = [p for p in psutil.process_iter(["ppid", "cmdline"]) if _is_orphan(p)]
        if not orphans:
            return
        time.sleep(0.1)


def _is_orphan(process: psutil.Process) -> bool:
    return process.info["ppid"] == 1 and any("spawn_main" in part for part in process.info["cmdline"] or ())


def counts(finished: subprocess.CompletedProcess[str]) -> tuple[int, int]:
    """Units done now and before, from what the command printed."""
    found = re.search(r"(\d+) units done, (\d+) were done before", finished.stdout + finished.stderr)
    assert found is not None, finished.stdout + finished.stderr
    return int(found[1]), int(found[2])
