"""Neighbouring pieces of ground put together: small ones join what faces the same way."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    pieces: Pieces, touching: Iterable[tuple[int, int]], *, least: int, largest: float, spread: float
) -> NDArray[np.intp]:
    """Which piece each piece ends up in when small ones join their neighbours, smallest first.

    A piece below ``least`` joins, of the neighbours with which it stays within the other limits, the one whose mean
    aspect is nearest to its own; where there is none it stays as it is, until a neighbour changes. Equal ones are taken
    in the order of their first cells, so what happens on one piece of connected ground depends on nothing outside it.

    Parameters
    ----------
    pieces
        The pieces.
    touching
        Pairs of pieces that touch.
    least, largest
        Cells that a piece should and may have.
    spread
        Circular variance of the aspects, at most.

    Returns
    -------
    intp (piece,), the first of the pieces that each is joined with, itself included.
    """
    cells, facing, north, east = (values.tolist() for values in pieces)
    near: list[set[int]] = [set() for _ in cells]
    for one, other in touching:
        near[one].add(other)
        near[other].add(one)
    owner = list(range(len(cells)))
    waiting = [(size, number) for number, size in enumerate(cells) if size < least]
    heapq.heapify(waiting)
    while waiting:
        size, one = heapq.heappop(waiting)
        if owner[one] != one or size != cells[one]:
            continue
        best, turned = -1, math.inf
        for other in near[one]:
            if size + cells[other] > largest:
                continue
            seen, n, e = facing[one] + facing[other], north[one] + north[other], east[one] + east[other]
            if seen and 1.0 - math.hypot(n, e) / seen > spread:
                continue
            away = _turned(north[one], east[one], north[other], east[other])
            if away < turned or (away == turned and other < best):
                best, turned = other, away
        if best < 0:
            continue
        stays, goes = min(one, best), max(one, best)
        owner[goes] = stays
        for sums in (cells, facing, north, east):
            sums[stays] += sums[goes]
        for other in near[goes]:
            near[other].discard(goes)
            if other != stays:
                near[other].add(stays)
                near[stays].add(other)
        near[goes].clear()
        for other in (stays, *near[stays]):
            if cells[other] < least:
                heapq.heappush(waiting, (cells[other], other))
    return _followed(np.array(owner, np.intp))


def _turned(north: float, east: float, other_north: float, other_east: float) -> float:
    """One less the cosine of the angle between two aspects; 1, as across, where one of them has none."""
    lengths = math.hypot(north, east) * math.hypot(other_north, other_east)
    return 1.0 - (north * other_north + east * other_east) / lengths if lengths > 0.0 else 1.0


def _followed(owner: NDArray[np.intp]) -> NDArray[np.intp]:
    """The end of every chain of owners."""
    while not np.array_equal(further := owner[owner], owner):
        owner = further
    return owner
