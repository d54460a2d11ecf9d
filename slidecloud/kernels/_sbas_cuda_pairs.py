"""Reading pairs on the device."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import cuda, float32, int16, uint8

ZERO, INFINITE = np.float32(0), np.float32(np.inf)


class Stored(NamedTuple):
    """How pairs are stored: phase as int16 binary angles where ``wrapped``, weights as uint8 codes where ``coded``."""

    wrapped: bool
    coded: bool


@cache
def sifting(stored: Stored) -> Any:
    """Device function that makes of what was read the phase in rad and the weight, zeros where either is missing.

    Phase is times ``scale`` and less the pair's ``offset``, which may be NaN; coded weights are looked up in ``table``.
    An infinite phase sets ``fault[0]``, a weight below zero or infinite ``fault[1]``.
    """
    coded = stored.coded

    @cuda.jit(device=True)
    def sift(seen, code, table, offset, scale, fault):  # type: ignore[no-untyped-def]
        rated = table[code] if coded else code
        value = np.float32(seen) * scale - offset
        known = abs(value) < INFINITE and ZERO < rated < INFINITE
        if not known:
            if abs(value) == INFINITE:
                fault[0] = 1
            if rated < ZERO or rated == INFINITE:
                fault[1] = 1
        return (value, rated) if known else (ZERO, ZERO)

    return sift


@cache
def reading(half: int, stored: Stored) -> tuple[Any, Any, Any]:
    """Device function that reads the pairs that end one step after c, and the types of the phases and weights it reads.

    It fills ``seen`` and ``codes`` (half + 1,) and uses none of it, so that the memory is asked for all of it at once.
    """
    size = half + 1

    @cuda.jit(device=True)
    def read(phase, weight, rows, c, pixel, seen, codes):  # type: ignore[no-untyped-def]
        for i in range(size):
            if rows[c, i] >= 0:
                seen[i] = phase[rows[c, i], pixel]
                codes[i] = weight[rows[c, i], pixel]

    return read, int16 if stored.wrapped else float32, uint8 if stored.coded else float32
