"""Whole turns that unwrapping got wrong: found where loops of pairs do not close, mended, or rejected."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter

from slidecloud.kernels._cycles_borders import around, settle
from slidecloud.kernels._cycles_choice import choose
from slidecloud.kernels._cycles_network import MISSING, Loops, find_loops
from slidecloud.kernels._cycles_patterns import patterns
from slidecloud.kernels._cycles_regions import Region, find_regions
from slidecloud.kernels._cycles_state import State
from slidecloud.kernels._cycles_turns import TURN, Turns, count_turns, majority
from slidecloud.types import Float32

WHOLE = 0.25
"""Turns by which the middle of a region may differ from a whole number and still be called an unwrapping error."""

ALIKE = 0.99
"""Share of a component's pixels that must be wrong by the same turns for it to be wrong as a whole."""


class Mended(NamedTuple):
    """What `mend` returns.

    Attributes
    ----------
    phase
        (pair, pixel) float32 rad; NaN where it was missing or is rejected.
    cycles
        (pair, pixel) int16, turns that were added.
    rejected
        (pair, pixel) bool: loops do not close there and which pair is wrong, or by how much, cannot be told.
    verifiable
        (pair,) bool: whether the pair is in a loop of three that has data. Others are left as they were.
    """

    phase: Float32
    cycles: NDArray[np.int16]
    rejected: NDArray[np.bool_]
    verifiable: NDArray[np.bool_]


def mend(
    phase: Float32,
    component: NDArray[np.uint8] | None,
    reference: ArrayLike,
    secondary: ArrayLike,
    *,
    shape: tuple[int, int],
    window: int = 5,
    smallest: int = 25,
    most: int = 6,
) -> Mended:
    """Take off the whole turns by which connected regions of pairs were unwrapped wrongly.

    Every loop of three pairs should close but for a constant. Where it is off by whole turns (the commonest within the
    window, so that noise does not vote alone), each distinct pattern of loops is explained once, exactly: by all sets
    of pairs with the fewest turns, and with one more. In each connected region the explanation is taken that makes the
    fewest errors begin at the region's border; pairs on which explanations that do about as well disagree are rejected
    there. At borders, and where its own loops contradict what its region says, each pixel is decided by its own loops,
    or rejected.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, unwrapped, NaN = missing. Any constant of a pair is allowed.
    component
        (pair, pixel) uint8, connected components of the unwrapping, 0 = none; None if unknown. A component that is
        wrong by the same turns wherever loops show it is mended where none does.
    reference, secondary
        (pair,) integer date indices, reference earlier, each pair once.
    shape
        Rows and columns of the scene, whose product is the number of pixels.
    window
        Side of the neighbourhood that votes, odd, pixels.
    smallest
        Pixels of the smallest region that is believed to be an error of its own.
    most
        Turns, summed over neighbouring pairs, that an explanation may need.

    Returns
    -------
    Mended

    Raises
    ------
    TypeError
        If the dates are not integers.
    ValueError
        If shapes disagree, a pair is reversed or repeated, or an option is out of range.

    Notes
    -----
    Turns of loops within nothing but whole-turn constants of pairs are no error: results are right up to a constant of
    each pair, chosen so that most of the scene stays as it was. Errors that all pairs of a date share close in every
    loop and are not seen. Memory beside the input: about 2 bytes for each loop and pixel, 5 for each pair and pixel.
    """
    loops = find_loops(reference, secondary)
    _check(phase, component, loops, shape, window, smallest, most)
    counted = count_turns(phase, loops)
    voted = majority(counted.number.reshape(-1, *shape), window // 2).reshape(counted.number.shape)
    known = np.isfinite(phase)
    regions = find_regions(patterns(voted, loops), loops, shape=shape, smallest=smallest, most=most)
    turns, doubtful = choose(regions, known, shape=shape, reach=window)
    shown, rejected = np.zeros(phase.shape, np.bool_), np.zeros(phase.shape, np.bool_)
    for three, number in zip(loops.members, counted.number, strict=True):
        shown[three] |= number != MISSING
    state = State(phase, counted.level, loops, shown, turns, rejected, shape, window)
    for region in regions:
        _refuse(region, state, counted)
    settle(state, doubtful)
    _keep_most(state)
    if component is not None:
        _spread(turns, component, shown & ~rejected, known & ~shown)
    turns[rejected | ~known] = 0
    cycles = (-turns).astype(np.int16)
    mended = (phase + TURN * cycles).astype(np.float32)
    mended[rejected] = np.nan
    return Mended(mended, cycles, rejected, np.logical_or.reduce(shown, axis=1))


def _refuse(region: Region, state: State, counted: Turns) -> None:
    """Reject in a region the pairs on which explanations disagree, and errors that are no whole turns."""
    rejected = state.rejected
    for pair, value in region.errors.items():
        if pair not in region.unclear:
            found = state.evidence(pair, region.pixels, unsure=rejected)
            found = found[np.isfinite(found)]
            if found.size and abs(float(np.median(found)) - value) > WHOLE:
                rejected[pair, region.pixels] = True
    if region.unclear:
        inside = np.zeros(state.shape, np.bool_)
        inside.flat[region.pixels] = True
        rim = np.flatnonzero(maximum_filter(inside, state.window) & ~inside)
    for pair in region.unclear:
        rejected[pair, region.pixels] = True
        number = counted.number[np.ix_(state.loops.at(pair)[0], rim)]
        rejected[pair, rim[((number != 0) & (number != MISSING)).any(axis=0)]] = True


def _keep_most(state: State) -> None:
    """Take off each pair the constant that leaves most of what loops show as it was.

    Pixels that no loop shows were decided by those around them, and are so again.
    """
    seen, hidden = state.shown & ~state.rejected, state.known & ~state.shown & ~state.rejected
    for pair in np.flatnonzero(state.turns.any(axis=1)).tolist():
        row = state.turns[pair]
        values, counts = np.unique(row[seen[pair]], return_counts=True)
        constant = values[counts.argmax()] if counts.size else 0
        if constant:
            row[seen[pair]] -= constant
            low, high = around(state, pair)
            row[hidden[pair]] = np.where(low == high, low, 0)[hidden[pair]]
            state.rejected[pair] |= hidden[pair] & (low < high)


def _spread(
    turns: NDArray[np.int8],
    component: NDArray[np.uint8],
    shown: NDArray[np.bool_],
    unseen: NDArray[np.bool_],
) -> None:
    """Give pixels that no loop shows the turns by which their component is wrong."""
    for row, labels, seen, hidden in zip(turns, component, shown, unseen, strict=True):
        for number in np.unique(labels[hidden & (labels > 0)]):
            inside = labels == number
            values, counts = np.unique(row[inside & seen], return_counts=True)
            if counts.size and counts.max() >= ALIKE * counts.sum():
                row[inside & hidden] = values[counts.argmax()]


def _check(
    phase: Float32,
    component: NDArray[np.uint8] | None,
    loops: Loops,
    shape: tuple[int, int],
    window: int,
    smallest: int,
    most: int,
) -> None:
    pairs = loops.starts.size - 1
    if phase.ndim != 2 or phase.shape != (pairs, shape[0] * shape[1]):
        raise ValueError(
            f"phase: found shape {phase.shape}, expected (pair, pixel): {pairs} pairs, {shape[0]} x {shape[1]} pixels"
        )
    if component is not None and component.shape != phase.shape:
        raise ValueError(f"component: found shape {component.shape}, expected that of phase, {phase.shape}")
    if window < 1 or window % 2 == 0 or smallest < 1 or most < 1:
        raise ValueError(
            f"window, smallest, most: found {window}, {smallest} and {most}, expected an odd number and two from 1 up"
        )
