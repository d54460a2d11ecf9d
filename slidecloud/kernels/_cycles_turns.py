"""How many whole turns each loop is off at each pixel, counted from where most of the scene lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.linalg import lsmr

from slidecloud.kernels._cycles_network import MISSING, SIGNS, Loops
from slidecloud.kernels.closure import closure
from slidecloud.types import Float32, Float64

TURN = 2 * np.pi
MOST = 100


class Turns(NamedTuple):
    """``number`` int8 (triplet, pixel), MISSING without data; ``level`` (triplet,) rad, from where they are counted."""

    number: NDArray[np.int8]
    level: Float64


def count_turns(phase: Float32, loops: Loops) -> Turns:
    """Whole turns of every loop less those of most of the scene.

    A constant of each pair is no error, so neither are constants of loops that constants of pairs make up. Where the
    commonest misfits of the loops are not such constants, but for less than half a turn, the nearest ones in the sense
    of least absolute deviation are taken, weighted by how far ahead the commonest misfit is.
    """
    members = loops.members
    number = np.full((len(members), phase.shape[1]), MISSING, np.int8)
    fraction, common, lead = np.zeros(len(members)), np.zeros(len(members)), np.zeros(len(members))
    for t in range(len(members)):
        misfit = closure(phase, members[t : t + 1])[0].astype(np.float64)
        known = np.isfinite(misfit)
        if not known.any():
            continue
        fraction[t] = _fraction(misfit[known])
        turns = np.rint((misfit[known] - fraction[t]) / TURN)
        values, counts = np.unique(turns, return_counts=True)
        first = int(counts.argmax())
        common[t] = values[first]
        lead[t] = counts[first] - np.delete(counts, first).max(initial=0)
        number[t, known] = np.clip(turns - common[t], -MOST, MOST).astype(np.int8)
    level = fraction + TURN * common
    shift = np.rint((_constants(level, lead, loops) - level) / TURN)
    for t in np.flatnonzero(shift).tolist():
        known = number[t] != MISSING
        number[t, known] = np.clip(number[t, known] - shift[t], -MOST, MOST).astype(np.int8)
    return Turns(number, level + TURN * shift)


def _fraction(misfit: Float64) -> float:
    """The commonest misfit but for whole turns: the median about the circular mean."""
    about = float(np.angle(np.exp(1j * misfit).mean()))
    apart = (misfit - about) / TURN
    return about + TURN * float(np.median(apart - np.rint(apart)))


def _constants(level: Float64, lead: Float64, loops: Loops) -> Float64:
    """The nearest constants of loops, rad, that constants of pairs make up."""
    size = len(loops.members)
    if not size:
        return level
    rows = np.repeat(np.arange(size), 3)
    shape = size, loops.starts.size - 1
    matrix = csr_array((np.tile(np.array(SIGNS, float), size), (rows, loops.members.ravel())), shape=shape)
    smooth: Float64 = matrix @ lsmr(matrix, level, atol=1e-9, btol=1e-9)[0]
    if np.abs(smooth - level).max() < TURN / 8:
        return smooth
    cost = np.concatenate([np.zeros(shape[1]), lead + 1, lead + 1])
    bounds = [(None, None)] * shape[1] + [(0, None)] * (2 * size)
    equal = hstack([matrix, eye_array(size), -eye_array(size)]).tocsc()
    result: Float64 = matrix @ linprog(cost, A_eq=equal, b_eq=level, bounds=bounds, method="highs-ds").x[: shape[1]]
    return result


@njit(nogil=True, cache=True)
def majority(number, radius):  # type: ignore[no-untyped-def]
    """Commonest number of turns about each pixel, (triplet, y, x) int8; of equally common ones its own, then the first.

    Missing does not vote. It is filled where at least half the window is known, so that scattered gaps do not cut
    regions into pieces, and stays missing elsewhere.
    """
    loops, height, width = number.shape
    result = number.copy()
    counts = np.zeros(256, np.int32)
    for t in range(loops):
        varies = _varies(number[t])
        for y in range(height):
            low, high = max(0, y - radius), min(height, y + radius + 1)
            for x in range(width):
                if not varies and number[t, y, x] == 0:
                    continue
                left, right = max(0, x - radius), min(width, x + radius + 1)
                for v in range(low, high):
                    for u in range(left, right):
                        counts[np.int32(number[t, v, u]) + 128] += 1
                best = number[t, y, x]
                known = (high - low) * (right - left) - counts[0]
                if best == -128 and 2 * known >= (high - low) * (right - left):
                    best = np.int8(0)
                if best != -128:
                    for v in range(low, high):
                        for u in range(left, right):
                            near = number[t, v, u]
                            if near != -128 and counts[np.int32(near) + 128] > counts[np.int32(best) + 128]:
                                best = near
                for v in range(low, high):
                    for u in range(left, right):
                        counts[np.int32(number[t, v, u]) + 128] = 0
                result[t, y, x] = best
    return result


@njit(nogil=True, cache=True)
def _varies(number):  # type: ignore[no-untyped-def]
    for y in range(number.shape[0]):
        for x in range(number.shape[1]):
            if number[y, x] != 0 and number[y, x] != -128:
                return True
    return False
