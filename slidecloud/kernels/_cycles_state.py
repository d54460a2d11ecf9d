"""What is known and believed of the turns of a stack while it is mended."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._cycles_network import Loops
from slidecloud.kernels._cycles_turns import TURN
from slidecloud.kernels.closure import closure
from slidecloud.types import Float32, Float64


class State(NamedTuple):
    """A stack, its loops, and the errors found so far, which are changed in place.

    Attributes
    ----------
    phase
        (pair, pixel) float32 rad, NaN = missing.
    level
        (triplet,) rad, from where turns of loops are counted.
    loops
        The network's loops.
    shown
        (pair, pixel) bool, whether a loop of the pair has data there; what lies elsewhere is no border.
    turns
        (pair, pixel) int8, by which a pair is believed to be too high.
    rejected
        (pair, pixel) bool, where that cannot be told.
    shape, window
        Of the scene, and the side of the neighbourhood that votes, pixels.
    """

    phase: Float32
    level: Float64
    loops: Loops
    shown: NDArray[np.bool_]
    turns: NDArray[np.int8]
    rejected: NDArray[np.bool_]
    shape: tuple[int, int]
    window: int

    @property
    def known(self) -> NDArray[np.bool_]:
        """(pair, pixel), where there is data."""
        return np.isfinite(self.phase)

    def votes(self, pair: int, pixels: NDArray[np.int64], *, unsure: NDArray[np.bool_] | None = None) -> Float64:
        """Turns by which a pair is too high by each of its loops, the other pairs' errors taken off.

        (loop, pixel), with one empty row more; NaN where a loop lacks data, or has another pair that is `unsure`
        (pair, pixel).
        """
        inside, signs = self.loops.at(pair)
        votes = np.full((inside.size + 1, pixels.size), np.nan)
        for vote, t, sign in zip(votes, inside, signs, strict=False):
            three = self.loops.members[t]
            misfit = closure(self.phase[np.ix_(three, pixels)], np.array([[0, 1, 2]]))[0].astype(np.float64)
            whole = self.turns[np.ix_(three, pixels)].astype(np.int64)
            whole[three == pair] = 0
            vote[:] = sign * ((misfit - self.level[t]) / TURN - (whole[0] + whole[1] - whole[2]))
            if unsure is not None:
                vote[unsure[np.ix_(three[three != pair], pixels)].any(axis=0)] = np.nan
        return votes

    def evidence(self, pair: int, pixels: NDArray[np.int64], *, unsure: NDArray[np.bool_]) -> Float64:
        """What the loops of a pair say together (pixel,); NaN without loop.

        The median, so that one wrong loop among others does not decide.
        """
        return median(self.votes(pair, pixels, unsure=unsure))


def median(votes: Float64) -> Float64:
    """Median down the columns, NaN where all are."""
    ordered = np.sort(votes, axis=0)
    number = np.isfinite(votes).sum(axis=0)
    columns = np.arange(votes.shape[1])
    middle = (ordered[np.maximum(number - 1, 0) // 2, columns] + ordered[number // 2, columns]) / 2
    result: Float64 = np.where(number > 0, middle, np.nan)
    return result
