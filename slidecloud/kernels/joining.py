"""Joining small pieces of ground with their neighbours, smallest first."""

from __future__ import annotations

import heapq
import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.types import Float64


def join(
    cells: NDArray[np.int64],
    facing: NDArray[np.int64],
    north: Float64,
    east: Float64,
    touching: NDArray[np.int32],
    *,
    least: int,
    largest: float,
    spread: float,
) -> NDArray[np.int64]:
    """Which piece each piece ends up in; see `slidecloud.hazard.merging.joined`.

    Parameters
    ----------
    cells, facing
        int64 (piece,), cells, and those of them that have an aspect.
    north, east
        float64 (piece,), sums of the cosine and the sine of the aspects.
    touching
        int32 (n, 2), pairs of pieces that touch.
    least, largest, spread
        As there.

    Returns
    -------
    int64 (piece,), the first of the pieces that each is joined with.
    """
    owner = np.arange(len(cells))
    kept = (cells.copy(), facing.copy(), north.copy(), east.copy())
    _join(*kept, np.ascontiguousarray(touching, np.int64), least, float(largest), spread, owner)
    while not np.array_equal(further := owner[owner], owner):
        owner = further
    return owner


@njit(nogil=True, cache=True)
def _join(cells, facing, north, east, touching, least, largest, spread, owner):  # type: ignore[no-untyped-def]
    head, tail = np.full(len(cells), -1), np.full(len(cells), -1)
    target, follow = np.empty(2 * len(touching), np.int64), np.full(2 * len(touching), -1)
    for number in range(len(touching)):
        for side in range(2):
            link, one = 2 * number + side, touching[number, side]
            target[link] = touching[number, 1 - side]
            follow[link], head[one] = head[one], link
            tail[one] = link if tail[one] < 0 else tail[one]
    seen, stamp = np.zeros(len(cells), np.int64), 0
    waiting = [(cells[one], one) for one in range(len(cells)) if cells[one] < least]
    heapq.heapify(waiting)
    while len(waiting) > 0:
        size, one = heapq.heappop(waiting)
        if owner[one] != one or size != cells[one]:
            continue
        stamp += 1
        _tidy(one, owner, target, follow, head, tail, seen, stamp)
        best, turned = -1, math.inf
        link = head[one]
        while link >= 0:
            other, link = target[link], follow[link]
            n, e, known = north[one] + north[other], east[one] + east[other], facing[one] + facing[other]
            if size + cells[other] > largest or (known > 0 and 1.0 - math.hypot(n, e) / known > spread):
                continue
            away = _turned(north[one], east[one], north[other], east[other])
            if away < turned or (away == turned and other < best):
                best, turned = other, away
        if best < 0:
            continue
        stays, goes = min(one, best), max(one, best)
        owner[goes] = stays
        cells[stays] += cells[goes]
        facing[stays] += facing[goes]
        north[stays] += north[goes]
        east[stays] += east[goes]
        follow[tail[stays]], tail[stays] = head[goes], tail[goes]
        stamp += 1
        _tidy(stays, owner, target, follow, head, tail, seen, stamp)
        if cells[stays] < least:
            heapq.heappush(waiting, (cells[stays], stays))
        link = head[stays]
        while link >= 0:
            other, link = target[link], follow[link]
            if cells[other] < least:
                heapq.heappush(waiting, (cells[other], other))


@njit(nogil=True, cache=True)
def _tidy(one, owner, target, follow, head, tail, seen, stamp):  # type: ignore[no-untyped-def]
    """Leave in the list of a piece's neighbours each that still is one, once."""
    link, last = head[one], -1
    head[one] = -1
    while link >= 0:
        after, other = follow[link], target[link]
        while owner[other] != other:
            owner[other] = owner[owner[other]]
            other = owner[other]
        if other != one and seen[other] != stamp:
            seen[other], target[link] = stamp, other
            if last < 0:
                head[one] = link
            else:
                follow[last] = link
            last = link
        link = after
    if last >= 0:
        follow[last] = -1
    tail[one] = last


@njit(nogil=True, cache=True)
def _turned(north, east, other_north, other_east):  # type: ignore[no-untyped-def]
    """One less the cosine of the angle between two aspects; 1, as across, where one of them has none."""
    lengths = math.hypot(north, east) * math.hypot(other_north, other_east)
    return 1.0 - (north * other_north + east * other_east) / lengths if lengths > 0.0 else 1.0
