"""Reading pairs on the device."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cuda

ZERO, INFINITE = np.float32(0), np.float32(np.inf)


@cache
def loading(coded: bool) -> Any:
    """Device function that reads one pair of a pixel: phase less the pair's offset and weight, zeros where missing.

    Where ``coded``, weights are uint8 and looked up in ``table``. An infinite phase sets ``fault[0]``, a weight below
    zero or infinite ``fault[1]``.
    """

    @cuda.jit(device=True)
    def load(phase, weight, table, offset, row, pixel, fault):  # type: ignore[no-untyped-def]
        seen = phase[row, pixel]
        rated = table[weight[row, pixel]] if coded else weight[row, pixel]
        known = abs(seen) < INFINITE and ZERO < rated < INFINITE
        if not known:
            if abs(seen) == INFINITE:
                fault[0] = 1
            if rated < ZERO or rated == INFINITE:
                fault[1] = 1
        return (seen - offset[row], rated) if known else (ZERO, ZERO)

    return load
