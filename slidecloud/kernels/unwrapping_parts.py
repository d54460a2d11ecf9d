"""Unwrapping what is too large to be unwrapped whole: overlapping parts, joined by whole turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.unwrapping import Unwrapped
from slidecloud.types import Float32

LARGEST: Final = 4_000_000
"""Pixels that are unwrapped as one: about half a gigabyte of memory and a minute."""
OVERLAP: Final = 64
"""Pixels that neighbouring parts share."""
_LABELS: Final = 255

Program = Callable[[NDArray[np.int16], NDArray[np.uint8]], Unwrapped]


def unwrap_in_parts(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    program: Program,
    *,
    largest: int = LARGEST,
    overlap: int = OVERLAP,
) -> Unwrapped:
    """One pair, in parts where it has more than ``largest`` pixels.

    Parts are unwrapped one after the other, row by row. Each of a part's connected components is moved by the median of
    the whole turns by which it differs from what lies there already; one that touches nothing keeps its level under a
    label of its own. How a pair is cut follows from its shape alone, so that memory and workers do not show in results.

    Parameters
    ----------
    phase, coherence
        (y, x) int16 binary angle and uint8, as `slidecloud.kernels.unwrapping.unwrap` takes them.
    program
        Unwraps one part.
    largest
        Pixels of a part.
    overlap
        Pixels that neighbours share.

    Raises
    ------
    ValueError
        If parts of that size cannot overlap so far.
    """
    if phase.size <= largest:
        return program(phase, coherence)
    if largest < 4 * overlap * overlap or overlap < 1:
        raise ValueError(
            f"largest, overlap: found {largest} and {overlap}, expected an overlap of at least 1 and parts of at least "
            "twice the overlap on each side"
        )
    whole = Unwrapped(np.full(phase.shape, np.nan, np.float32), np.zeros(phase.shape, np.uint8))
    used = 0
    for rows, columns in parts(phase.shape, largest=largest, overlap=overlap):
        piece = program(phase[rows, columns], coherence[rows, columns])
        there = Unwrapped(whole.phase[rows, columns], whole.component[rows, columns])
        used = _join(there, piece, used)
    return whole


def parts(shape: tuple[int, int], *, largest: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the parts, in the order in which they are joined."""
    side = int(largest**0.5)
    height = min(shape[0], side)
    width = min(shape[1], largest // height)
    for top in _starts(shape[0], height, overlap):
        for left in _starts(shape[1], width, overlap):
            yield slice(top, min(top + height, shape[0])), slice(left, min(left + width, shape[1]))


def _starts(size: int, step: int, overlap: int) -> list[int]:
    starts = [0]
    while starts[-1] + step < size:
        starts.append(starts[-1] + step - overlap)
    return starts


def _join(there: Unwrapped, piece: Unwrapped, used: int) -> int:
    """Put a part where nothing lies yet, at the level of what does; returns the labels used so far."""
    empty = np.isnan(there.phase)
    common = ~empty & np.isfinite(piece.phase)
    level = _turns(there.phase, piece.phase, common)
    for label in np.unique(piece.component[np.isfinite(piece.phase)]):
        own = piece.component == label
        touching = common & own
        turns = _turns(there.phase, piece.phase, touching) if touching.any() else level
        name = 0
        if label:
            near = there.component[touching]
            near = near[near > 0]
            if near.size:
                name = int(np.bincount(near).argmax())
            elif used < _LABELS:
                used += 1
                name = used
        put = own & empty & np.isfinite(piece.phase)
        moved: Float32 = (piece.phase[put].astype(np.float64) + 2 * np.pi * turns).astype(np.float32)
        there.phase[put] = moved
        there.component[put] = name
    return used


def _turns(there: Float32, piece: Float32, where: NDArray[np.bool_]) -> int:
    """Median of the whole turns from a part to what lies there; 0 where they share nothing."""
    if not where.any():
        return 0
    difference = there[where].astype(np.float64) - piece[where]
    return round(float(np.median(np.rint(difference / (2 * np.pi)))))
