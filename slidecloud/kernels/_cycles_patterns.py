"""Pixels sorted by what their loops show: the few distinct patterns, taken apart where errors do not touch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels._cycles_network import Loops


class Pattern(NamedTuple):
    """Turns (triplet,) int8 of one connected part of the network, 0 elsewhere, and the pixels that show it."""

    turns: NDArray[np.int8]
    pixels: NDArray[np.int64]


def patterns(number: NDArray[np.int8], loops: Loops) -> Iterator[Pattern]:
    """Every distinct pattern of turns that are not 0.

    Loops that are off belong to one pattern where they share a pair, or where a pair of the one and a pair of the other
    share a loop: what is further apart cannot come of one error.

    Parameters
    ----------
    number
        (triplet, pixel) int8, MISSING = no data.
    loops
        The network's loops.

    Yields
    ------
    Patterns in an order that depends on the data alone. A pixel may be in several.
    """
    active = np.flatnonzero(((number != 0) & (number != -128)).any(axis=0))
    if not active.size:
        return
    _, first, inverse = np.unique(_keys(number, active), return_index=True, return_inverse=True)
    whole = np.ascontiguousarray(number[:, active[first]].T)
    part = np.zeros(whole.shape, np.int32)
    seen = np.zeros(whole.shape, np.int32)
    _take_apart(whole, loops.members, loops.starts, loops.of_pair, part, seen)
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(whole) + 1))
    shown: dict[bytes, tuple[NDArray[np.int8], list[int]]] = {}
    for w, row in enumerate(whole):
        for group in range(1, int(part[w].max()) + 1):
            inside = part[w] == group
            turns = np.where(inside | (row == -128), row, 0).astype(np.int8)
            near = np.where(inside | (seen[w] == group), turns, 0).astype(np.int8)
            shown.setdefault(near.tobytes(), (turns, []))[1].append(w)
    for turns, rows in shown.values():
        pixels = np.concatenate([order[starts[w] : starts[w + 1]] for w in rows])
        yield Pattern(turns, active[np.sort(pixels)])


@njit(nogil=True, cache=True)
def _keys(number, pixels):  # type: ignore[no-untyped-def]
    """Number of 64 bits for the turns of each pixel, the same for the same turns (and, but for chance, only for them).

    The mixing is that of splitmix64.
    """
    keys = np.zeros(pixels.size, np.uint64)
    for t in range(number.shape[0]):
        for i in range(pixels.size):
            value = number[t, pixels[i]]
            if value != 0:
                mixed = np.uint64(t * 256 + np.int64(value) + 129) * np.uint64(0x9E3779B97F4A7C15)
                mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                keys[i] += mixed ^ (mixed >> np.uint64(31))
    return keys


@njit(nogil=True, cache=True)
def _take_apart(whole, members, starts, of_pair, part, seen):  # type: ignore[no-untyped-def]
    """Number the connected parts 1, 2, ... of each row; ``seen`` holds the last part that came near a loop."""
    rows, size = whole.shape
    waiting = np.empty(size, np.int64)
    for w in range(rows):
        parts = 0
        for seed in range(size):
            if whole[w, seed] == 0 or whole[w, seed] == -128 or part[w, seed] != 0:
                continue
            parts += 1
            part[w, seed] = parts
            waiting[0] = seed
            number = 1
            while number > 0:
                number -= 1
                t = waiting[number]
                for k in range(3):
                    for i in range(starts[members[t, k]], starts[members[t, k] + 1]):
                        near = of_pair[i]
                        if seen[w, near] == parts:
                            continue
                        seen[w, near] = parts
                        for m in range(3):
                            for j in range(starts[members[near, m]], starts[members[near, m] + 1]):
                                other = of_pair[j]
                                value = whole[w, other]
                                if value != 0 and value != -128 and part[w, other] == 0:
                                    part[w, other] = parts
                                    waiting[number] = other
                                    number += 1
