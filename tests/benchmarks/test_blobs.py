"""How many tiles the classical detector looks at in a second on one core; reported, and held against a loose floor."""

from __future__ import annotations

import moving
import pytest

from slidecloud.kernels.blobs import detect
from slidecloud.pipeline.bench_timing import PROCESSOR, race


@pytest.mark.long
def test_tiles_a_second(record_property, capsys):
    views = [moving.scene(seed, holes=0.1).view for seed in range(4)]
    best = race({"four tiles": lambda: [detect(view) for view in views]}, 5.0, clock=PROCESSOR)
    rate = 4 / best["four tiles"]
    record_property("tiles_per_second", rate)
    with capsys.disabled():
        print(f"\nclassical detector: {rate:.0f} tiles of 416 x 416 pixels/s on one core")  # noqa: T201
