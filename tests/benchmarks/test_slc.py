"""Images of a burst's width through the gradient stage: memory of the whole process, and rates of its parts."""

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
from slidecloud import config
from slidecloud.kernels import interferograms
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.ingest_slc import ingest_slc
from slidecloud.pipeline.run import run
from slidecloud.types import Grid, ImageBlock, SourceImage, StackHeader

folder, shape, dates = Path(sys.argv[1]), (1536, 8448), 16

@dataclass
class Noise:
    """Random samples: rates do not depend on what they mean."""

    header: StackHeader
    images: tuple
    rejected: tuple = ()
    sample_scale: object = None
    flattened: bool = True

    def static(self):
        return {}

    def read_image(self, image, rows):
        draw = np.random.default_rng([int(image.fingerprint), rows.start])
        parts = draw.standard_normal((rows.stop - rows.start, shape[1], 2), dtype=np.float32)
        return ImageBlock(parts.view(np.complex64)[..., 0], None)

times = np.datetime64("2016-04-02T23:00:00", "s") + 12 * np.timedelta64(1, "D") * np.arange(dates)
header = StackHeader("t001_000001_iw1", "map", shape, (14.0, 3.5), 0.05546576, 1, 1, 0.6, -12.3, "right", "ascending",
    8.8e5, "noise", "simulated", False, False, Grid("EPSG:32648", 5e5, 3e6, 3.5, -14.0, *shape))
def clock(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result

source = Noise(header, tuple(SourceImage(t, 0.0, (), str(n)) for n, t in enumerate(times)))
out = {}
out["ingest_s"], summary = clock(lambda: ingest_slc(source, str(folder / "stacks")))
assert summary.exit_code == 0, summary.lines()
settings = config.parse(f"run: {folder}/run.zarr\\nstacks: {folder}/stacks\\nstages: [gradients]\\n"
    "network: {max_days: 36}\\ngradients: {window_pixels: 10}\\nresources: {memory: 4 GiB}")
units = planning.make(settings).units
out["planned_peak"] = max(unit.peak_memory for unit in units)
warm = np.ones((2, 64, 256), np.complex64)
interferograms.stack(warm, reference=[0], secondary=[1])
out["stage_s"], summary = clock(lambda: run(settings, executor=serial()))
assert summary.exit_code == 0, summary.lines()
out["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
unit = next(unit for unit in units if unit.kernel)
out["read_and_form_s"], (phase, coherence) = clock(lambda: unit.work.samples.read(unit.work.tile))
out["formed_mpx_s"] = phase.size / out["read_and_form_s"] / 1e6
out["images_mb_s"] = unit.work.samples.read_per_pixel * unit.work.tile.pixels / out["read_and_form_s"] / 1e6
print(json.dumps(out))
'''


@pytest.mark.long
def test_images_of_a_burst_within_four_gib(tmp_path, record_property, capsys):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False, timeout=1800
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    for name, value in found.items():
        record_property(name, value)
    with capsys.disabled():
        print("\n16 images of 1536 x 8448:", ", ".join(f"{name} {value:.4g}" for name, value in found.items()))  # noqa: T201
    assert found["peak_bytes"] < 4 * 2**30
    # The plan must know the memory beforehand: never less than it takes.
    assert found["peak_bytes"] < 1.05 * found["planned_peak"]
