"""Reading pairs on the device."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cuda, float32, uint8

ZERO, INFINITE = np.float32(0), np.float32(np.inf)


@cache
def sifting(coded: bool) -> Any:
    """Device function that makes of what was read the phase less its pair's offset and the weight, zeros where missing.

    Where ``coded``, weights are uint8 and looked up in ``table``. An infinite phase sets ``fault[0]``, a weight below
    zero or infinite ``fault[1]``.
    """

    @cuda.jit(device=True)
    def sift(seen, stored, table, offset, row, fault):  # type: ignore[no-untyped-def]
        rated = table[stored] if coded else stored
        known = abs(seen) < INFINITE and ZERO < rated < INFINITE
        if not known:
            if abs(seen) == INFINITE:
                fault[0] = 1
            if rated < ZERO or rated == INFINITE:
                fault[1] = 1
        return (seen - offset[row], rated) if known else (ZERO, ZERO)

    return sift


@cache
def reading(half: int, coded: bool) -> tuple[Any, Any]:
    """Device function that reads the pairs that end one step after c, and the type of what it reads as weights.

    It fills ``seen`` and ``stored`` (half + 1,) and uses none of it, so that the memory is asked for all of it at once.
    """
    size, kind = half + 1, uint8 if coded else float32

    @cuda.jit(device=True)
    def read(phase, weight, rows, c, pixel, seen, stored):  # type: ignore[no-untyped-def]
        for i in range(size):
            if rows[c, i] >= 0:
                seen[i] = phase[rows[c, i], pixel]
                stored[i] = weight[rows[c, i], pixel]

    return read, kind
