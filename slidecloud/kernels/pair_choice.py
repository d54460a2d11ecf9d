"""Which unwrapped pairs to trust: the coherent ones, and of the others only those that link dates."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_COHERENCE: Final = 0.3
"""Mean coherence of a window below which unwrapped pairs return half of a motion, by measurement."""


class Chosen(NamedTuple):
    """Pairs to use.

    Attributes
    ----------
    used
        bool (pair,).
    weak
        bool (pair,), used although below the least coherence, because dates would not be linked otherwise.
    subsets
        Groups of dates that no pair links, all pairs taken: 1 where the network is whole.
    """

    used: NDArray[np.bool_]
    weak: NDArray[np.bool_]
    subsets: int


def choose_pairs(
    coherence: ArrayLike, reference: ArrayLike, secondary: ArrayLike, *, least: float = LEAST_COHERENCE
) -> Chosen:
    """Pairs of enough coherence, and the most coherent others that keep linked what all pairs link.

    Parameters
    ----------
    coherence
        (pair,) mean coherence over the area that matters, in [0, 1]; NaN or 0 = the pair has no data there.
    reference, secondary
        int (pair,) date indices.
    least
        Coherence from which a pair is used as it is.

    Raises
    ------
    ValueError
        If shapes disagree or a value is out of range.

    Notes
    -----
    Other pairs are taken in order of falling coherence, each if its dates are not linked by those before it: a maximum
    spanning forest (Kruskal, 1956), so that the weakest link of every chain is as strong as it can be.
    """
    level = np.nan_to_num(np.asarray(coherence, dtype=np.float64))
    first, last = np.asarray(reference), np.asarray(secondary)
    if level.ndim != 1 or first.shape != level.shape or last.shape != level.shape:
        raise ValueError(
            f"coherence, reference, secondary: found shapes {level.shape}, {first.shape}, {last.shape}, "
            "expected (pair,) for all"
        )
    if not 0 <= least <= 1 or (level < 0).any() or (level > 1).any():
        raise ValueError(f"coherence, least: found up to {level.max(initial=0)} and {least}, expected values in [0, 1]")
    dates, ends = np.unique(np.concatenate([first, last]), return_inverse=True)
    ends = ends.reshape(2, -1)
    group = np.arange(dates.size)
    sound, used = level >= max(least, np.finfo(float).tiny), np.zeros(level.size, dtype=bool)
    for pair in np.argsort(-level, kind="stable"):
        here, there = group[ends[0, pair]], group[ends[1, pair]]
        used[pair] = sound[pair] or (here != there and level[pair] > 0)
        if used[pair] and here != there:
            group[group == there] = here
    return Chosen(used, used & ~sound, np.unique(group).size)
