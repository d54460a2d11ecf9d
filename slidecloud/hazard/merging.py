"""Neighbouring pieces of ground put together: small ones join what faces the same way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.joining import join
from slidecloud.types import Float64


class Pieces(NamedTuple):
    """Pieces of ground in the order of their first cells. ``cells``: int64 (piece,). ``facing``: int64 (piece,), cells
    that are steep enough to have an aspect. ``north``, ``east``: float64 (piece,), sums of the cosine and the sine of
    their aspects."""

    cells: NDArray[np.int64]
    facing: NDArray[np.int64]
    north: Float64
    east: Float64

    @property
    def spread(self) -> Float64:
        """Circular variance of the aspects, ``1 - |mean unit vector|``: 0 where all agree or there are none."""
        length = np.hypot(self.north, self.east)
        spread: Float64 = np.where(self.facing > 0, 1.0 - length / np.maximum(self.facing, 1), 0.0)
        return spread


def joined(
    pieces: Pieces, touching: NDArray[np.int32], *, least: int, largest: float, spread: float
) -> NDArray[np.int64]:
    """Which piece each piece ends up in when small ones join their neighbours, smallest first.

    A piece below ``least`` joins, of the neighbours with which it stays within the other limits, the one whose mean
    aspect is nearest to its own; where there is none it stays as it is, until a neighbour changes. Equal ones are taken
    in the order of their first cells, so what happens on one piece of connected ground depends on nothing outside it.

    Parameters
    ----------
    pieces
        The pieces.
    touching
        int32 (n, 2), pairs of pieces that touch.
    least, largest
        Cells that a piece should and may have.
    spread
        Circular variance of the aspects, at most.

    Returns
    -------
    int64 (piece,), the first of the pieces that each is joined with, itself included.
    """
    return join(*pieces, touching, least=least, largest=largest, spread=spread)
