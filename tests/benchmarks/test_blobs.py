"""How many tiles the classical detector looks at in a second on one core; only how time grows is asserted."""

from __future__ import annotations

import moving
import pytest

from slidecloud.kernels.blobs import detect
from slidecloud.pipeline.bench_timing import PROCESSOR, race


@pytest.mark.long
def test_tiles_a_second(record_property, capsys):
    tile, large = moving.scene(1, holes=0.1).view, moving.scene(1, side=832, count=24, holes=0.1).view
    best = race({"tile": lambda: detect(tile), "four times as large": lambda: detect(large)}, 5.0, clock=PROCESSOR)
    rate = 1 / best["tile"]
    record_property("tiles_per_second", rate)
    with capsys.disabled():
        print(f"\nclassical detector: {rate:.0f} tiles of 416 x 416 pixels/s on one core")  # noqa: T201
    assert best["four times as large"] < 10 * best["tile"]
