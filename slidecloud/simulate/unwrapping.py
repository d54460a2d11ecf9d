"""What unwrapping leaves in a pair: an unknown constant and, at times, areas wrong by a turn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slidecloud.simulate.streams import Subject, date_key, stream
from slidecloud.types import Float32, Float64, Pair

OFFSET_CYCLES = 3
OFFSET_SPREAD = 0.5


class Jump(NamedTuple):
    """An ellipse, in pixels, where unwrapping went wrong by whole turns (rad)."""

    row: float
    column: float
    half_height: float
    half_width: float
    turns: float


def deliver(radians: Float32, row: int, *, offset: Float64, jumps: tuple[Jump | None, ...]) -> Float32:
    """One row of unwrapped phase (pair, x), rad, with the constant and the unwrapping error of each pair."""
    shifted = radians.astype(np.float64) + offset[:, None]
    columns = np.arange(radians.shape[1])
    for pair, jump in enumerate(jumps):
        if jump is not None:
            distance = np.hypot((row - jump.row) / jump.half_height, (columns - jump.column) / jump.half_width)
            shifted[pair] += jump.turns * (distance < 1.0)
    return shifted.astype(np.float32)


def pair_offset(seed: int, pair: Pair) -> float:
    """Constant of a pair, rad: up to three whole turns either way and a normal fraction."""
    rng = stream(seed, Subject.OFFSETS, date_key(pair.reference), date_key(pair.secondary))
    return float(2.0 * np.pi * rng.integers(-OFFSET_CYCLES, OFFSET_CYCLES + 1) + OFFSET_SPREAD * rng.standard_normal())


def pair_jump(seed: int, pair: Pair, *, shape: tuple[int, int], share: float) -> Jump | None:
    """The unwrapping error of a pair, which has one with probability `share`."""
    rng = stream(seed, Subject.UNWRAPPING, date_key(pair.reference), date_key(pair.secondary))
    if rng.random() >= share:
        return None
    half_height, half_width = (rng.uniform(0.1, 0.3) * n for n in shape)
    row, column = (rng.uniform(0.0, n) for n in shape)
    return Jump(row, column, half_height, half_width, 2.0 * np.pi * rng.choice((-1.0, 1.0)))
