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

SHORT = 0.12
"""Turns by which they may fall short of an error at a border: what noise takes for one is dearer than what it hides."""

CONTRADICT = 0.5
"""Turns beyond which they contradict it inside a region."""

SWEEPS = 10
_NONE = 127


def evidence(
    phase: Float32,
    level: Float64,
    loops: Loops,
    turns: NDArray[np.int8],
    unsure: NDArray[np.bool_],
    *,
    pair: int,
    pixels: NDArray[np.int64],
) -> Float64:
    """Turns by which a pair is too high by its own loops, the other pairs' errors taken off; NaN without loop.

    Loops with another pair that is `unsure` (pair, pixel) do not vote. The median, so that one wrong loop among others
    does not decide.
    """
    inside, signs = loops.at(pair)
    votes = np.full((inside.size + 1, pixels.size), np.nan)
    for vote, t, sign in zip(votes, inside, signs, strict=False):
        three = loops.members[t]
        misfit = closure(phase[np.ix_(three, pixels)], np.array([[0, 1, 2]]))[0].astype(np.float64) - level[t]
        whole = turns[np.ix_(three, pixels)].astype(np.int64)
        whole[three == pair] = 0
        sure = ~unsure[np.ix_(three[three != pair], pixels)].any(axis=0)
        vote[sure] = (sign * (misfit / TURN - (whole[0] + whole[1] - whole[2])))[sure]
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
    shown: NDArray[np.bool_],
    *,
    shape: tuple[int, int],
    window: int,
) -> None:
    """Decide pixels that are doubtful, that lie at borders of errors or that their own loops contradict.

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
        (pair, pixel); the first and the last are changed in place.
    shown
        (pair, pixel) bool, whether a loop of the pair has data there; what lies elsewhere is no border.
    shape
        Of the scene.
    window
        Side of the neighbourhood, pixels.
    """
    known = np.isfinite(phase)
    unsure = (doubtful & known) | rejected
    pairs = np.flatnonzero((turns != 0).any(axis=1) | doubtful.any(axis=1)).tolist()
    for pair in pairs:
        unsure[pair, _contradicted(phase, level, loops, turns, rejected, pair)] = True
    waiting = unsure & known & ~rejected
    for pair in pairs:
        low, high = _around(turns[pair], shown[pair] & ~waiting[pair] & ~rejected[pair], shape, window)
        unsure[pair] |= known[pair] & (low < high)
    for pair in pairs:
        _settle_pair(phase, level, loops, turns, waiting[pair], unsure, rejected, shown[pair], pair, shape, window)
        unsure[pair] = rejected[pair]
    # Once more, for what the other pairs were found to be since; what nothing sure confirms is not believed.
    for pair in pairs:
        wrong = np.flatnonzero((turns[pair] != 0) & shown[pair])
        found = evidence(phase, level, loops, turns, rejected, pair=pair, pixels=wrong)
        rejected[pair, wrong[~(np.abs(found - turns[pair, wrong]) <= CONTRADICT)]] = True


def _contradicted(
    phase: Float32,
    level: Float64,
    loops: Loops,
    turns: NDArray[np.int8],
    rejected: NDArray[np.bool_],
    pair: int,
) -> NDArray[np.int64]:
    """Pixels at which a pair is said to be wrong by what its own loops contradict."""
    wrong = np.flatnonzero((turns[pair] != 0) & ~rejected[pair])
    found = evidence(phase, level, loops, turns, rejected, pair=pair, pixels=wrong)
    result: NDArray[np.int64] = wrong[np.abs(found - turns[pair, wrong]) > CONTRADICT]
    return result


def _settle_pair(
    phase: Float32,
    level: Float64,
    loops: Loops,
    turns: NDArray[np.int8],
    waiting: NDArray[np.bool_],
    unsure: NDArray[np.bool_],
    rejected: NDArray[np.bool_],
    shown: NDArray[np.bool_],
    pair: int,
    shape: tuple[int, int],
    window: int,
) -> None:
    known = np.isfinite(phase[pair])
    settled = np.zeros_like(known)
    for _ in range(SWEEPS):
        low, high = _around(turns[pair], shown & ~waiting & ~rejected[pair], shape, window)
        look = np.flatnonzero((waiting | (known & (low < high))) & ~settled & ~rejected[pair])
        if not look.size:
            return
        low, high = low[look].astype(np.int64), high[look].astype(np.int64)
        own = evidence(phase, level, loops, turns, unsure, pair=pair, pixels=look)
        nearest = np.where(np.abs(low - own) <= np.abs(high - own), low, high)
        nearest = np.where((np.abs(own) <= np.abs(nearest - own)) | (high < low), 0, nearest)
        near = (np.abs(nearest - own) <= AGREE) & (np.abs(own) >= np.abs(nearest) - SHORT)
        agrees = np.where(np.isnan(own), low == high, near)
        turns[pair, look] = np.where(agrees, np.where(np.isnan(own), low, nearest), 0)
        rejected[pair, look[~agrees]] = True
        waiting[look] = False
        settled[look] = True


def _around(
    turns: NDArray[np.int8], clean: NDArray[np.bool_], shape: tuple[int, int], window: int
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Least and greatest turns of clean pixels within the window; least above greatest where there are none."""
    low = minimum_filter(np.where(clean, turns, _NONE).astype(np.int8).reshape(shape), window)
    high = maximum_filter(np.where(clean, turns, -_NONE).astype(np.int8).reshape(shape), window)
    return low.ravel(), high.ravel()
