"""The loops of a network as tables that both sides read: which pairs a loop joins, which loops a pair is in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.closure import triplets

MISSING = np.int8(-128)
"""In place of a number of turns where a loop lacks a pair."""

SIGNS = 1, 1, -1
"""With which the pairs (a, b), (b, c) and (a, c) enter their loop."""


class Loops(NamedTuple):
    """Loops of three pairs.

    Attributes
    ----------
    members
        (triplet, 3) int64, the pairs (a, b), (b, c), (a, c).
    starts, of_pair, sign
        The triplets of pair p are ``of_pair[starts[p]:starts[p + 1]]``, which it enters with ``sign`` (1 or -1).
    """

    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    of_pair: NDArray[np.int64]
    sign: NDArray[np.int64]

    def at(self, pair: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Triplets of a pair and its sign in each."""
        inside = slice(self.starts[pair], self.starts[pair + 1])
        return self.of_pair[inside], self.sign[inside]


def find_loops(reference: ArrayLike, secondary: ArrayLike) -> Loops:
    """The loops of a network; errors are those of `triplets`."""
    members = triplets(reference, secondary)
    flat = members.ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(np.size(reference) + 1))
    return Loops(members, starts.astype(np.int64), order // 3, np.array(SIGNS, np.int64)[order % 3])
