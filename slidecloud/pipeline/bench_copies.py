"""How fast bytes are copied within a GPU's memory and between it and the host: what bounds every kernel there."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels import device
from slidecloud.pipeline.bench_timing import race


def copy_rates(seconds: float, size: int = 2**30) -> tuple[float, float]:
    """Bytes per second of a copy within the GPU, those read and those written counted, and of one from pinned pages.

    Parameters
    ----------
    seconds
        For both measurements together.
    size
        Bytes that are copied.
    """
    cuda = device.cuda()
    host = device.pinned(size, np.uint8)
    host[:] = 0
    one, other = device.empty(size, np.uint8), device.empty(size, np.uint8)

    def within() -> None:
        other.copy_to_device(one)
        cuda.synchronize()

    def across() -> None:
        one.copy_to_device(host)
        cuda.synchronize()

    best = race({"within": within, "across": across}, seconds)
    return 2 * size / best["within"], size / best["across"]
