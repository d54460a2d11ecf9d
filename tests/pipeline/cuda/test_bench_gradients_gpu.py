"""The benchmark of the GPU, on a card with the sizes of `slidecloud bench`."""

from __future__ import annotations

import math

import pytest

from slidecloud.kernels import device
from slidecloud.pipeline.bench_gradients_gpu import measure_gradients_gpu
from slidecloud.pipeline.rates import CPU, GRADIENTS, Rates

pytestmark = pytest.mark.gpu


def test_every_figure_is_there():
    options = {"shape": (3, 4), "dates": 2} if device.is_simulated() else {}
    found = measure_gradients_gpu(0.0 if device.is_simulated() else 2.0, **options)
    assert Rates(tuple(found)).on_gpu(GRADIENTS) == found[0]
    assert all(m.rate > 0 and m.device != CPU for m in found)
    assert [math.isnan(m.alternative_rate) for m in found] == [False, False, device.is_simulated()]


@pytest.mark.skipif(device.find_lack() is None and device.is_simulated(), reason="the simulator is no measure of speed")
def test_speed():
    """A tenth of the memory bandwidth, each input byte counted once."""
    memory = measure_gradients_gpu(3.0)[1]
    assert memory.ratio >= 0.1, memory
