"""Which explanation of each region agrees with what lies around it.

An unwrapping error costs what its border is long. Where two errors overlap, the overlap may show what a single other
error would show, but that one would have to begin just where both others end. So explanations are compared by the
length of border, pair by pair, across which the errors change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._cycles_regions import Region

ERROR_SHARE = 0.1
"""What an error costs even where its border is not seen to begin there, per turn and length of a region's border."""

LEAD = 0.25
"""By how much the choice must lead any other, as a share of the border, to be believed."""

SWEEPS = 10


class _Move(NamedTuple):
    """Other errors for some regions at once: turns to add, by pair."""

    members: tuple[int, ...]
    step: tuple[tuple[int, int], ...]


class _Border(NamedTuple):
    """Sides of a region's pixels: for each direction (step, side) the pixels that lie across, -1 where none does."""

    across: list[NDArray[np.int64]]


def choose(
    regions: list[Region], known: NDArray[np.bool_], *, shape: tuple[int, int], reach: int
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Choose explanations until no other, of a region or of neighbours together, makes the borders shorter.

    Parameters
    ----------
    regions
        Changed in place: ``chosen``, ``unclear``.
    known
        (pair, pixel) bool, where a pair has data.
    shape
        Of the scene.
    reach
        Pixels across which the surroundings are looked for, beyond small regions that say nothing.

    Returns
    -------
    turns
        int8 (pair, pixel), the errors chosen.
    doubtful
        bool (pair, pixel): pairs of regions without explanation.
    """
    choice = _Choice(regions, known, shape, reach)
    for _ in range(SWEEPS):
        moved = False
        for number in range(len(choice.solid)):
            for move in choice.moves(number):
                if choice.possible(move) and choice.change(move)[0] < -1e-9:
                    choice.make(move)
                    moved = True
        if not moved:
            break
    for move in {move for number in range(len(choice.solid)) for move in choice.moves(number)}:
        more, length = choice.change(move)
        if more <= LEAD * length:
            for member in move.members:
                choice.solid[member].unclear |= {pair for pair, _ in move.step}
    return choice.turns, choice.doubtful


class _Choice:
    """The regions that have explanations, large ones first, and the errors they make up."""

    def __init__(self, regions: list[Region], known: NDArray[np.bool_], shape: tuple[int, int], reach: int) -> None:
        self.turns = np.zeros(known.shape, np.int8)
        self.doubtful = np.zeros(known.shape, np.bool_)
        self.solid = sorted((r for r in regions if r.choices), key=lambda r: (-r.pixels.size, int(r.pixels[0])))
        for region in self.solid:
            for pair, value in region.errors.items():
                self.turns[pair, region.pixels] += np.int8(value)
        for region in regions:
            if not region.choices:
                self.doubtful[region.pairs[:, None], region.pixels] = True
        self.clean = known & ~self.doubtful
        self.inside = np.zeros(known.shape[1], np.bool_)
        self.borders = [_border(region, shape, reach) for region in self.solid]
        self.beside = _neighbours(self.solid, self.borders)
        self.number = [{_key(errors): n for n, errors in enumerate(region.choices)} for region in self.solid]

    def moves(self, number: int) -> Iterator[_Move]:
        """Every other explanation of a region: there alone, and wherever the same step can be made beside it."""
        region = self.solid[number]
        for other, errors in enumerate(region.choices):
            if other != region.chosen:
                step = _key(_add(errors, {pair: -value for pair, value in region.errors.items()}))
                yield _Move((number,), step)
                joined = self._grow(number, step)
                if len(joined) > 1:
                    yield _Move(joined, step)

    def possible(self, move: _Move) -> bool:
        """Whether the move leads each of its regions to an explanation, as it did when it was found."""
        return all(self._target(member, move.step) is not None for member in move.members)

    def make(self, move: _Move) -> None:
        """Change the errors of the move's regions."""
        for member in move.members:
            region, target = self.solid[member], self._target(member, move.step)
            assert target is not None
            region.chosen = target
            for pair, value in move.step:
                self.turns[pair, region.pixels] += np.int8(value)

    def change(self, move: _Move) -> tuple[float, int]:
        """By how much a move makes the cost grow, and the length of the border around its regions."""
        pairs, step = np.array(move.step, np.int64).reshape(-1, 2).T
        for member in move.members:
            self.inside[self.solid[member].pixels] = True
        growth, length = 0.0, 0
        for member in move.members:
            errors = self.solid[member].errors
            before = np.array([errors.get(pair, 0) for pair in pairs.tolist()], np.int64)
            after = before + step
            outer = 0
            for across in self.borders[member].across:
                outer += int((~self.inside[across[0]] | (across[0] < 0)).sum())
                growth += self._along(across, pairs, before, after)
            length += outer
            growth += ERROR_SHARE * outer * float(np.abs(after).sum() - np.abs(before).sum())
        for member in move.members:
            self.inside[self.solid[member].pixels] = False
        return growth, length

    def _along(
        self,
        across: NDArray[np.int64],
        pairs: NDArray[np.int64],
        before: NDArray[np.int64],
        after: NDArray[np.int64],
    ) -> float:
        waiting = np.ones((pairs.size, across.shape[1]), np.bool_)
        growth = 0
        for place in across:
            usable = waiting & (place >= 0) & self.clean[pairs[:, None], place]
            outside = self.turns[pairs[:, None], place].astype(np.int64)
            more = np.abs(after[:, None] - outside) - np.abs(before[:, None] - outside)
            growth += int(more[usable & ~self.inside[place]].sum())
            waiting &= ~usable
            if not waiting.any():
                break
        return growth

    def _target(self, member: int, step: tuple[tuple[int, int], ...]) -> int | None:
        return self.number[member].get(_key(_add(self.solid[member].errors, dict(step))))

    def _grow(self, number: int, step: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
        joined, waiting = {number}, [number]
        while waiting:
            for near in self.beside[waiting.pop()]:
                if near not in joined and self._target(near, step) is not None:
                    joined.add(near)
                    waiting.append(near)
        return tuple(sorted(joined))


def _key(errors: dict[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((pair, value) for pair, value in errors.items() if value))


def _add(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    return {pair: one.get(pair, 0) + other.get(pair, 0) for pair in one.keys() | other.keys()}


def _border(region: Region, shape: tuple[int, int], reach: int) -> _Border:
    row, column = np.divmod(region.pixels, shape[1])
    inside = np.zeros((shape[0] + 2, shape[1] + 2), np.bool_)
    inside[row + 1, column + 1] = True
    across = []
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        edge = ~inside[row + 1 + down, column + 1 + right]
        steps = np.arange(1, reach + 1)[:, None]
        y, x = row[edge] + steps * down, column[edge] + steps * right
        there = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        there &= ~inside[np.where(there, y + 1, 0), np.where(there, x + 1, 0)]
        across.append(np.where(there, y * shape[1] + x, -1))
    return _Border(across)


def _neighbours(solid: list[Region], borders: list[_Border]) -> list[list[int]]:
    """Regions that lie across the border of each."""
    if not solid:
        return []
    pixels = np.concatenate([region.pixels for region in solid])
    owner = np.repeat(np.arange(len(solid)), [region.pixels.size for region in solid])
    order = np.argsort(pixels, kind="stable")
    pixels, owner = pixels[order], owner[order]
    beside = []
    for number, border in enumerate(borders):
        places = np.unique(np.concatenate([across.ravel() for across in border.across]))
        first, last = np.searchsorted(pixels, places), np.searchsorted(pixels, places, side="right")
        found: set[int] = set()
        while (first < last).any():
            found |= set(owner[first[first < last]].tolist())
            first = first + 1
        beside.append(sorted(found - {number}))
    return beside
