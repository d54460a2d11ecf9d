"""Patches come out the same however they are done: in two sessions, by threads, after a killed driver."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import patched
import pytest
import runs

from slidecloud.pipeline.executors import threads
from slidecloud.pipeline.status import status


@pytest.mark.long
def test_the_same_by_threads_in_two_sessions_and_small_memory(patched_run, patched_source, tmp_path):
    """The first session only detects; the second finds what is done and goes on."""
    lines = [line for line in patched.lines() if not line.startswith("resources")]
    first = [
        line.replace("timeseries]", "]").replace(", ]", "]") if line.startswith("stages") else line for line in lines
    ]
    runs.compute(tmp_path, patched_source, *first, "resources: {executor: serial, memory: 2 GiB}")
    before = status(str(tmp_path / "run.zarr")).stages
    assert {stage.stage for stage in before} == {"gradients", "detect", "merge"}
    summary = runs.rerun(tmp_path, *lines, "resources: {executor: threads, memory: 800 MiB}", executor=threads(2))
    assert summary.exit_code == 0
    one, other = (runs.arrays(folder / "run.zarr" / "bursts") for folder in (patched_run, tmp_path))
    assert {n for n in one if "/patches/" in n} == {n for n in other if "/patches/" in n}
    assert one == other


@pytest.mark.long
@pytest.mark.parametrize("stage", ["unwrap", "timeseries"])
def test_killed_in_the_second_round_and_taken_up_again(patched_run, patched_source, tmp_path, stage):
    """Rounds: detections, then the patches that follow from them. What was done before the end is not done again."""
    runs.ingest(patched_source, str(tmp_path / "stacks"), chunks=runs.CHUNKS)
    (tmp_path / "region.yaml").write_text(runs.yaml_text(tmp_path, *patched.lines()))
    records = tmp_path / "run.zarr/.slidecloud/done"
    driver = subprocess.Popen(runs.command("run", str(tmp_path / "region.yaml")), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while driver.poll() is None and not any((records / stage).rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    before = {path: path.read_bytes() for path in records.rglob("*.json")}
    summary = runs.rerun(tmp_path, *patched.lines())
    assert summary.exit_code == 0
    assert summary.done > 0
    assert all(path.read_bytes() == data for path, data in before.items())
    units = [path for path in records.rglob("*.json") if path.relative_to(records).parts[0] != "template"]
    old = [path for path in before if path.relative_to(records).parts[0] != "template"]
    assert summary.done == len(units) - len(old)
    assert runs.whole(tmp_path / "run.zarr") == runs.objects(patched_run / "run.zarr")
