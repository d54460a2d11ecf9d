"""Where errors begin, to the pixel: what neighbours suggest is asked of each pixel's own loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from slidecloud.kernels._cycles_state import State, median

AGREE = 0.3
"""Turns by which a pixel's own loops may differ from what is believed of it at a border."""

SHORT = 0.12
"""Turns by which they may fall short of an error at a border: what noise takes for one is dearer than what it hides."""

CONTRADICT = 0.5
"""Turns beyond which they contradict it inside a region."""

SWEEPS = 10
_NONE = 127


def settle(state: State, doubtful: NDArray[np.bool_]) -> None:
    """Decide pixels that are doubtful, that lie at borders of errors or that their own loops contradict.

    Each takes the value found within the window about it, or none, that its own loops agree with; where they agree with
    none it is rejected. What then is a new border is looked at again.

    Parameters
    ----------
    state
        The stack; its turns and what is rejected are changed.
    doubtful
        (pair, pixel) bool.
    """
    turns, rejected, known = state.turns, state.rejected, state.known
    unsure = (doubtful & known) | rejected
    pairs = np.flatnonzero((turns != 0).any(axis=1) | doubtful.any(axis=1)).tolist()
    for pair in pairs:
        unsure[pair, _contradicted(state, pair)] = True
    waiting = unsure & known & ~rejected
    for pair in pairs:
        low, high = around(state, pair, waiting[pair])
        unsure[pair] |= known[pair] & (low < high)
    for pair in pairs:
        _settle_pair(state, pair, waiting[pair], unsure)
        unsure[pair] = rejected[pair]
    for pair in pairs:
        _confirm(state, pair, doubtful[pair])


def _confirm(state: State, pair: int, doubtful: NDArray[np.bool_]) -> None:
    """Look once more, for what the other pairs were found to be since; what nothing sure confirms is not believed.

    Where no explanation was found for a region, half of the pair's loops must be sure: what a single one says there is
    as well said of another pair of it.
    """
    wrong = np.flatnonzero((state.turns[pair] != 0) & state.shown[pair])
    votes = state.votes(pair, wrong, unsure=state.rejected)
    refused = ~(np.abs(median(votes) - state.turns[pair, wrong]) <= CONTRADICT)
    unclear = np.flatnonzero(doubtful[wrong])
    all_votes = state.votes(pair, wrong[unclear])
    refused[unclear] |= 2 * np.isfinite(votes[:, unclear]).sum(axis=0) < np.isfinite(all_votes).sum(axis=0)
    state.rejected[pair, wrong[refused]] = True


def _contradicted(state: State, pair: int) -> NDArray[np.int64]:
    """Pixels at which a pair is said to be wrong by what its own loops contradict."""
    wrong = np.flatnonzero((state.turns[pair] != 0) & ~state.rejected[pair])
    found = state.evidence(pair, wrong, unsure=state.rejected)
    result: NDArray[np.int64] = wrong[np.abs(found - state.turns[pair, wrong]) > CONTRADICT]
    return result


def _settle_pair(state: State, pair: int, waiting: NDArray[np.bool_], unsure: NDArray[np.bool_]) -> None:
    turns, rejected, known = state.turns[pair], state.rejected[pair], np.isfinite(state.phase[pair])
    settled = np.zeros_like(known)
    for _ in range(SWEEPS):
        low, high = around(state, pair, waiting)
        look = np.flatnonzero((waiting | (known & (low < high))) & ~settled & ~rejected)
        if not look.size:
            return
        low, high = low[look].astype(np.int64), high[look].astype(np.int64)
        own = state.evidence(pair, look, unsure=unsure)
        nearest = np.where(np.abs(low - own) <= np.abs(high - own), low, high)
        nearest = np.where((np.abs(own) <= np.abs(nearest - own)) | (high < low), 0, nearest)
        near = (np.abs(nearest - own) <= AGREE) & (np.abs(own) >= np.abs(nearest) - SHORT)
        agrees = np.where(np.isnan(own), low == high, near)
        turns[look] = np.where(agrees, np.where(np.isnan(own), low, nearest), 0)
        rejected[look[~agrees]] = True
        waiting[look] = False
        settled[look] = True


def around(
    state: State, pair: int, waiting: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Least and greatest turns of clean pixels within the window; least above greatest where there are none."""
    turns, clean = state.turns[pair], state.shown[pair] & ~state.rejected[pair]
    if waiting is not None:
        clean &= ~waiting
    low = minimum_filter(np.where(clean, turns, _NONE).astype(np.int8).reshape(state.shape), state.window)
    high = maximum_filter(np.where(clean, turns, -_NONE).astype(np.int8).reshape(state.shape), state.window)
    return low.ravel(), high.ravel()
