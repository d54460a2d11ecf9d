"""Which errors of pairs explain the turns by which loops are off: every explanation with the fewest turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._cycles_network import MISSING, SIGNS, Loops

Explanation = Mapping[int, int]
"""Turns by which pairs are too high, by pair."""


def explanations(turns: NDArray[np.int8], loops: Loops, *, most: int, more: int = 1) -> list[dict[int, int]]:
    """All whole errors of pairs that make up the turns of the loops, fewest turns first.

    Parameters
    ----------
    turns
        (triplet,) int8, turns by which each loop is off; MISSING says nothing.
    loops
        The network's loops.
    most
        Turns, summed over pairs, that are tried before giving up.
    more
        Explanations with up to this many turns more than the shortest are returned too.

    Returns
    -------
    Explanations; none if the turns cannot be explained by so few errors.

    Notes
    -----
    Exact: a loop that is off contains a pair with an error of the same direction, so trying each of its three pairs,
    one turn at a time, reaches every explanation, which is complete when no loop of a changed pair is off.
    """
    start = np.flatnonzero((turns != 0) & (turns != MISSING)).tolist()
    search = _Search(turns, loops)
    for limit in range(1, most + 1):
        if search.run(start, limit):
            found = search.run(start, limit + more)
            return sorted((dict(one) for one in found), key=lambda one: (_turns(one), sorted(one.items())))
    return []


def _turns(explanation: Explanation) -> int:
    return sum(abs(value) for value in explanation.values())


class _Search:
    """Depth-first search; the residual turns are changed in place and put back."""

    def __init__(self, turns: NDArray[np.int8], loops: Loops) -> None:
        self.residual = [int(value) for value in turns]
        self.missing = [value == int(MISSING) for value in self.residual]
        self.loops = loops
        self.most_loops = int(np.diff(loops.starts).max(initial=1))

    def run(self, start: Sequence[int], limit: int) -> set[tuple[tuple[int, int], ...]]:
        self.found: set[tuple[tuple[int, int], ...]] = set()
        self._walk(list(start), {}, limit)
        return self.found

    def _walk(self, touched: list[int], errors: dict[int, int], left: int) -> None:
        off = [t for t in touched if self.residual[t]]
        if not off:
            self.found.add(tuple(sorted(errors.items())))
            return
        sizes = [abs(self.residual[t]) for t in off]
        if max(sizes) > left or sum(sizes) > left * self.most_loops:
            return
        direction = 1 if self.residual[off[0]] > 0 else -1
        for pair, sign in zip(self.loops.members[off[0]].tolist(), SIGNS, strict=True):
            step = direction * sign
            if errors.get(pair, 0) * step < 0:
                continue
            changed = self._change(pair, step)
            more = [t for t in changed if t not in touched]
            self._walk(touched + more, errors | {pair: errors.get(pair, 0) + step}, left - 1)
            self._change(pair, -step)

    def _change(self, pair: int, step: int) -> list[int]:
        """Take an error off the loops of a pair; those loops."""
        inside, signs = self.loops.at(pair)
        known = [(t, sign) for t, sign in zip(inside.tolist(), signs.tolist(), strict=True) if not self.missing[t]]
        for t, sign in known:
            self.residual[t] -= sign * step
        return [t for t, _ in known]
