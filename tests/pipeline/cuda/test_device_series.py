"""Inversion of host arrays on the device, part by part."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import device, sbas
from slidecloud.pipeline.device_series import invert_on_gpu

pytestmark = pytest.mark.gpu


def test_parts_of_the_pixels():
    """Seven pixels in parts of three, the last one short, one with a gap: what the host's kernel finds."""
    random, dates, pixels = np.random.default_rng(3), 6, 7
    ends = np.array([(i, j) for i in range(dates) for j in range(i + 1, min(i + 3, dates))])
    reference, secondary = ends.T
    series = random.normal(size=(dates, pixels)).cumsum(0)
    phase = (series[secondary] - series[reference] + random.normal(scale=0.1, size=(len(ends), pixels))).astype(
        np.float32
    )
    coherence = random.integers(60, 256, phase.shape, np.uint8)
    coherence[(reference < 3) & (secondary >= 3), 4] = 0
    options = {"time": np.arange(dates) / 30, "offset": random.normal(size=len(ends)).astype(np.float32)}
    found = invert_on_gpu(phase, coherence, reference, secondary, largest=3 * 5 * len(ends), **options)
    expected = sbas.invert(phase, coherence, reference, secondary, **options)
    for name, field in found._asdict().items():
        assert isinstance(field, np.ndarray)
        np.testing.assert_allclose(field, getattr(expected, name), rtol=1e-3, atol=1e-4, err_msg=name)
    assert not device.on_device(found.series)
