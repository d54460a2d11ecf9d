"""How many megapixels a second are unwrapped, with clean phase of many fringes; reported, not asserted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from slidecloud.kernels.phase import encode
from slidecloud.kernels.unwrapping import unwrap


@pytest.mark.long
@pytest.mark.parametrize("shape", [(256, 256), (768, 2816)])
@pytest.mark.parametrize("goldstein", [0.0, 0.5])
def test_rate_of_unwrapping(shape, goldstein, benchmark):
    rng = np.random.default_rng(0)
    truth = gaussian_filter(rng.normal(size=shape), 20)
    truth *= 15 / truth.std()
    angle = encode(truth + 0.25 * rng.normal(size=shape))
    coherence = np.full(shape, 153, np.uint8)
    options = {"looks": 10, "goldstein": goldstein}
    unwrap(angle[:16, :16], coherence[:16, :16], **options)  # its tables for these looks
    found = benchmark.pedantic(unwrap, (angle, coherence), options, rounds=3)
    benchmark.extra_info["megapixels_per_second"] = truth.size / 1e6 / benchmark.stats["min"]
    turns = np.rint((found.phase - truth) / (2 * np.pi))
    assert (turns == np.median(turns)).mean() > 0.999
