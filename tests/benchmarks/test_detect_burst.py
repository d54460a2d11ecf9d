"""A burst of realistic size is searched for landslides: memory of the whole process, and how fast."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from slidecloud import config
from slidecloud.network import pairs as make_pairs
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.ingest import ingest
from slidecloud.pipeline.run import run
from slidecloud.pipeline.units import perform
from slidecloud.stack import ArraySource
from slidecloud.store import lease, locate, open_run
from slidecloud.types import Grid, StackHeader

folder, method, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
shape = (768, 2816)
settings = config.parse(f"run: {folder}/run.zarr\\nstacks: {folder}/stacks\\nstages: [gradients, detect]\\n"
    f"detect: {{method: {method}}}\\nresources: {{memory: 4 GiB, executor: serial}}")
if step == "prepare":
    header = StackHeader("t001_000001_iw1", "map", shape, (40.0, 40.0), 0.05546576, 8, 2, 16.0, -12.3, "right",
        "ascending", 8.8e5, "noise", "simulated", False, False, Grid("EPSG:32648", 5e5, 3e6, 40.0, -40.0, *shape))
    dates = np.datetime64("2019-01-03T23:00:00") + 60 * np.timedelta64(1, "D") * np.arange(7)
    network = make_pairs(dates, max_days=60)
    draw = np.random.default_rng(0)
    size = (len(network.pairs), *shape)
    phase = draw.normal(0, 5000, size).astype(np.int16)
    coherence = np.full(size, 180, np.uint8)
    row, column = np.indices(shape)
    for k in range(60):
        y, x = draw.integers(30, shape[0] - 30), draw.integers(30, shape[1] - 30)
        bump = 9000 * np.exp(-((row[y-30:y+30, x-30:x+30] - y)**2 + (column[y-30:y+30, x-30:x+30] - x)**2) / 100)
        phase[:, y-30:y+30, x-30:x+30] += bump.astype(np.int16)
    source = ArraySource(header, network.pairs, phase, coherence, None, {})
    ingest(source, str(folder / "stacks"))
    first = settings.model_copy(update={"stages": ("gradients",)})
    assert run(first, executor=serial()).exit_code == 0
    print("{}")
    sys.exit()
units = [unit for unit in planning.make(settings).units if unit.key.stage == "detect"]
location = locate(str(folder / "run.zarr"))
times = []
with lease.hold(location) as token:
    for _ in range(2):
        start = time.perf_counter()
        outcome = perform(location, units[0], token)
        times.append(time.perf_counter() - start)
assert outcome.reason is None, outcome.reason
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": times[1], "peak_gib": peak / 2**30, "planned_gib": units[0].peak_memory / 2**30,
    "samples_s": units[0].samples / times[1], **outcome.facts["seen"], "detections": outcome.facts["detections"]}))
"""


@pytest.mark.long
@pytest.mark.parametrize("method", ["classical", "net"])
def test_a_burst_is_searched_within_two_gib(tmp_path, capsys, method):
    for step in ("prepare", "search"):
        finished = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path), method, step],
            capture_output=True, text=True, check=False, timeout=1800,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    with capsys.disabled():
        told = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
        print(f"\nburst 768 x 2816, {method}: {told}")  # noqa: T201
    assert found["peak_gib"] < 2
    # The plan must know the memory beforehand: never less than it takes.
    assert found["peak_gib"] < 1.05 * found["planned_gib"]
