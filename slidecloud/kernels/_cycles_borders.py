"""Where errors begin, to the pixel: what neighbours suggest is asked of each pixel's own loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from slidecloud.kernels._cycles_network import Loops
from slidecloud.kernels._cycles_turns import TURN
from slidecloud.kernels.closure import closure
from slidecloud.types import Float32, Float64

AGREE = 0.3
"""Turns by which a pixel's own loops may differ from what is believed of it at a border."""

CONTRADICT = 0.5
"""Turns beyond which they contradict it inside a region."""

SWEEPS = 10
_NONE = 127


def evidence(
    phase: Float32, level: Float64, loops: Loops, turns: NDArray[np.int8], *, pair: int, pixels: NDArray[np.int64]
) -> Float64:
    """Turns by which a pair is too high by its own loops, the other pairs' errors taken off; NaN without loop.

    The median over its loops, so that one wrong among the others does not decide.
    """
    inside, signs = loops.at(pair)
    votes = np.full((inside.size + 1, pixels.size), np.nan)
    for vote, t, sign in zip(votes, inside, signs, strict=False):
        three = loops.members[t]
        misfit = closure(phase[np.ix_(three, pixels)], np.array([[0, 1, 2]]))[0].astype(np.float64) - level[t]
        # Of integers, where the phases' closure is one of floats: exact.
        whole = turns[np.ix_(three, pixels)].astype(np.int64)
        whole[three == pair] = 0
        vote[:] = sign * (misfit / TURN - (whole[0] + whole[1] - whole[2]))
    return _median(votes)


def _median(votes: Float64) -> Float64:
    """Median down the columns, NaN where all are."""
    ordered = np.sort(votes, axis=0)
    number = np.isfinite(votes).sum(axis=0)
    columns = np.arange(votes.shape[1])
    middle = (ordered[np.maximum(number - 1, 0) // 2, columns] + ordered[number // 2, columns]) / 2
    result: Float64 = np.where(number > 0, middle, np.nan)
    return result


def settle(
    phase: Float32,
    level: Float64,
    loops: Loops,
    turns: NDArray[np.int8],
    doubtful: NDArray[np.bool_],
    rejected: NDArray[np.bool_],
    *,
    pair: int,
    shape: tuple[int, int],
    window: int,
) -> None:
    """Decide the doubtful pixels of a pair, those at borders of its errors and those its own loops contradict.

    Each takes the value found within the window about it, or none, that its own loops agree with; where they agree with
    none it is rejected. What then is a new border is looked at again.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, NaN = missing.
    level
        (triplet,) rad, from where turns of loops are counted.
    loops
        The network's loops.
    turns, doubtful, rejected
        (pair, pixel), changed in place at `pair`.
    pair
        The pair to settle.
    shape
        Of the scene.
    window
        Side of the neighbourhood, pixels.
    """
    known = np.isfinite(phase[pair])
    waiting = doubtful[pair] & known
    settled = np.zeros_like(known)
    contradicted = np.flatnonzero(turns[pair] != 0)
    found = evidence(phase, level, loops, turns, pair=pair, pixels=contradicted)
    waiting[contradicted[np.abs(found - turns[pair, contradicted]) > CONTRADICT]] = True
    for _ in range(SWEEPS):
        clean = known & ~waiting
        low = minimum_filter(np.where(clean, turns[pair], _NONE).reshape(shape), window).ravel()
        high = maximum_filter(np.where(clean, turns[pair], -_NONE).reshape(shape), window).ravel()
        look = np.flatnonzero((waiting | (known & (low < high))) & ~settled & ~rejected[pair])
        if not look.size:
            break
        own = evidence(phase, level, loops, turns, pair=pair, pixels=look)
        choices = np.stack([np.where(high < low, 0, edge)[look] for edge in (low, high)] + [np.zeros(look.size, int)])
        nearest = np.take_along_axis(choices, np.abs(choices - own).argmin(axis=0)[None], axis=0)[0]
        agrees = ~(np.abs(nearest - own) > AGREE)
        turns[pair, look] = np.where(agrees, np.where(np.isnan(own), 0, nearest), 0)
        rejected[pair, look[~agrees]] = True
        waiting[look] = False
        settled[look] = True
