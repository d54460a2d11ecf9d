"""The memory that a burst takes while it is unwrapped, mended, levelled and inverted: no more than was planned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import runs
import steady

SHAPE = (768, 2816)
PROGRAM = """
import json, resource, sys
from slidecloud import config
from slidecloud.pipeline import drive, plan
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.run import run

settings = config.load(sys.argv[1])
perform, peaks = drive.perform, {}
def watched(location, unit, token):
    outcome = perform(location, unit, token)
    peaks["/".join(unit.name)] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return outcome
drive.perform = watched
summary = run(settings, executor=serial())
assert summary.exit_code == 0, summary.lines()
planned = {"/".join(unit.name): unit.peak_memory for unit in plan.make(settings).units}
print(json.dumps({name: [peak, planned[name]] for name, peak in peaks.items()}))
"""


@pytest.mark.long
def test_a_burst_takes_the_memory_that_was_planned(tmp_path, record_property):
    head = steady.header(SHAPE)
    made = steady.source(head, steady.velocity(SHAPE, (400, 1400), width=30.0), seed=1, links=[(0, 1), (1, 2), (0, 2)])
    assert runs.ingest(made, str(tmp_path / "stacks")).exit_code == 0
    file = tmp_path / "region.yaml"
    series = "timeseries: {where: everywhere, integrate: false, recovered: false}"
    resources = "resources: {executor: serial, memory: 4 GiB}"
    file.write_text(runs.yaml_text(tmp_path, "stages: [timeseries]", series, resources))
    root = str(Path(runs.__file__).parents[2])
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(file)], cwd=root, capture_output=True, text=True, timeout=1800, check=False
    )
    assert finished.returncode == 0, finished.stderr
    most = 0
    for name, (peak, planned) in json.loads(finished.stdout.splitlines()[-1]).items():
        record_property(name, f"{peak / 2**20:.0f} MiB, planned {planned / 2**20:.0f} MiB")
        # A process is said to hold what it has held at most: by this unit or by one before it.
        most = max(most, planned)
        assert peak < most, (name, peak, most)
