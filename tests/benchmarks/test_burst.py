"""A burst of realistic size through the gradient stage: memory of the whole process, and rates of its parts."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = '''
import json, resource, sys, time
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from slidecloud import config, simulate
from slidecloud.kernels import gradients as kernel
from slidecloud.network import pairs as make_pairs
from slidecloud.pipeline import gradients, plan as planning
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.ingest import ingest
from slidecloud.pipeline.run import run
from slidecloud.store import Stack, locate
from slidecloud.store.arrays import Writer, read_pairs
from slidecloud.types import Grid, PairBlock, SourcePair, StackHeader

folder, shape, count = Path(sys.argv[1]), (768, 2816), 348

@dataclass
class Noise:
    """Random phase and coherence: rates do not depend on what the pixels mean."""

    header: StackHeader
    pairs: tuple
    rejected: tuple = ()

    def static(self):
        return {}

    def read(self, pair, rows):
        number = next(i for i, item in enumerate(self.pairs) if item is pair)
        size = (rows.stop - rows.start, shape[1])
        draw = np.random.default_rng([number, rows.start])
        phase = draw.integers(-32768, 32768, size, np.int16)
        return PairBlock(phase, draw.integers(1, 256, size, np.uint8), None)

dates = np.datetime64("2015-01-03T23:00:00") + 12 * np.timedelta64(1, "D") * np.arange(145)
network = make_pairs(dates, max_days=36)
chosen = tuple(SourcePair(pair, (), "") for pair in network.pairs[:count])
header = StackHeader("t001_000001_iw1", "map", shape, (40.0, 40.0), 0.05546576, 8, 2, 16.0, -12.3, "right", "ascending",
    8.8e5, "noise", "simulated", False, False, Grid("EPSG:32648", 5e5, 3e6, 40.0, -40.0, *shape))
def clock(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result

out = {"pixels": count * shape[0] * shape[1]}
out["ingest_s"], _ = clock(lambda: ingest(Noise(header, chosen), str(folder / "stacks")))
settings = config.parse(f"run: {folder}/run.zarr\\nstacks: {folder}/stacks\\nstages: [gradients]\\n"
    "gradients: {window_pixels: 10}\\nresources: {memory: 4 GiB}")
warm = np.zeros((2, 32, 32), np.int16), np.full((2, 32, 32), 200, np.uint8)
kernel.stack(*warm, reference=[0, 0], secondary=[1, 2])
out["stage_s"], summary = clock(lambda: run(settings, executor=serial()))
assert summary.exit_code == 0, summary.lines()
out["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
units = planning.make(settings).units
out["planned_peak"] = max(unit.peak_memory for unit in units)
stack = Stack(locate(str(folder / "stacks" / "t001_000001_iw1.zarr")))
work = next(unit for unit in units if unit.kernel).work
indices = np.array(work.samples.pairs)
part = len(indices) * work.tile.pixels
def read():
    window = work.tile.rows, work.tile.columns
    return [read_pairs(stack.array(name), indices, *window) for name in ("phase", "coherence")]
read_s, (phase, coherence) = clock(read)
compute_s, sums = clock(lambda: kernel.accumulate(phase, coherence, reference=np.array(work.reference),
    secondary=np.array(work.secondary), span=np.array(work.spans), window=10))
writer = Writer(locate(str(folder / "run.zarr")))
def write():
    for name in gradients.SUMS:
        writer.write(f"{work.group}/sum_{name}", getattr(sums, name)[None], (work.bin, work.tile.top, work.tile.left))
write_s, _ = clock(write)
out |= {"read_mpx_s": part / read_s / 1e6, "compute_mpx_s": part / compute_s / 1e6, "write_mpx_s": part / write_s / 1e6}
print(json.dumps(out))
'''


@pytest.mark.long
def test_realistic_burst_within_four_gib(tmp_path, record_property, capsys):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False, timeout=1800
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    for name, value in found.items():
        record_property(name, value)
    with capsys.disabled():
        print("\nburst 768 x 2816 x 348:", ", ".join(f"{name} {value:.4g}" for name, value in found.items()))  # noqa: T201
    assert found["peak_bytes"] < 4 * 2**30
    # The plan must know the memory beforehand: never less than it takes.
    assert found["peak_bytes"] < 1.05 * found["planned_peak"]
