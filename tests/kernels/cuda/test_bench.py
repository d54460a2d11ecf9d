"""What the benchmark of the inversion on a GPU tells, at a size at which it tells nothing of speed."""

from __future__ import annotations

import math

import pytest

from slidecloud.pipeline.bench_sbas_gpu import measure_sbas_gpu

pytestmark = pytest.mark.gpu


def test_rates_stand_beside_copies():
    found = measure_sbas_gpu(0.0, dates=6, connections=2, pixels=4, batches=2)
    assert [one.name for one in found] == [
        "sbas",
        "sbas, data on the GPU",
        "sbas, series only, data on the GPU",
        "sbas, series only, robust, data on the GPU",
    ]
    assert all(one.device != "cpu" and one.pairs == 9 and math.isfinite(one.ratio) for one in found)
