"""From host memory through the device in batches."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import device, gradients
from slidecloud.pipeline.device_runner import stream_gradients

pytestmark = pytest.mark.gpu


def test_batches_of_a_stack():
    """Pairs read in five batches through two slots, the last one short: the bits of all of them at once."""
    random, shape = np.random.default_rng(2), (6, 8) if device.is_simulated() else (90, 250)
    reference = random.permutation(9)
    phase = random.integers(-32768, 32768, (9, *shape), np.int16)
    coherence = random.integers(0, 256, phase.shape, np.uint8)
    asked = []

    def read(chosen, into):
        asked.append(list(chosen))
        into[0][:], into[1][:] = phase[chosen], coherence[chosen]

    options = {"reference": reference, "secondary": reference + 1, "window": 3, "origin": (5, 2)}
    found = stream_gradients(read, shape, largest=2 * 3 * shape[0] * shape[1], **options)
    assert [len(chosen) for chosen in asked] == [2, 2, 2, 2, 1]
    assert np.array_equal(reference[np.concatenate(asked)], np.arange(9))
    whole = gradients.accumulate(device.to_device(phase), device.to_device(coherence), **options)
    for name, field in found._asdict().items():
        assert np.array_equal(field, getattr(whole, name)), name
