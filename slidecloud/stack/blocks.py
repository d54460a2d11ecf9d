"""From radians and coherences as files hold them to the typed block of a stack, with checks of their values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.phase import encode
from slidecloud.types import DataError, Float32, PairBlock

MAX_UNWRAPPED = 1e4
"""Unwrapped phase beyond this many radians (44 m of motion at C band) is taken for damage."""

_SLACK = 1e-3
_BAND = 512


def pair_block(
    wrapped: Float32 | None,
    unwrapped: Float32 | None,
    coherence: NDArray[np.uint8] | Float32,
    *,
    names: tuple[str, str, str] = ("wrapped phase", "unwrapped phase", "coherence"),
    keep_unwrapped: bool = True,
) -> PairBlock:
    """Check pixels and encode them.

    Parameters
    ----------
    wrapped
        (y, x) rad in [-pi, pi], NaN = no data; or None, then the unwrapped phase is wrapped.
    unwrapped
        (y, x) rad, NaN = no data; or None.
    coherence
        (y, x) uint8 value/255 or float 0..1; 0 or NaN = no data.
    names
        Names of the three files, for messages.
    keep_unwrapped
        Whether the block carries unwrapped phase; all NaN if there is none.

    Returns
    -------
    PairBlock
        Coherence is 0, and everything else empty, where either phase or coherence has no data.

    Raises
    ------
    DataError
        If phase is infinite or out of range, or coherence lies outside 0..1.
    """
    stored = encode_coherence(coherence, names[2])
    for phase, name, limit in ((wrapped, names[0], np.pi), (unwrapped, names[1], MAX_UNWRAPPED)):
        if phase is not None:
            _check_range(phase, name, limit)
    phase = wrapped if wrapped is not None else unwrapped
    if phase is None:
        raise ValueError("no phase given: expected wrapped, unwrapped, or both")
    stored[np.isnan(phase)] = 0
    known = stored > 0
    angle = encode(phase)
    angle[~known] = 0
    if not keep_unwrapped:
        return PairBlock(angle, stored, None)
    metric = np.full(phase.shape, np.nan, np.float32) if unwrapped is None else unwrapped.astype(np.float32)
    metric[~known] = np.nan
    return PairBlock(angle, stored, metric)


def refuse_empty(block: PairBlock, read: Callable[[int, int], PairBlock], height: int, *, name: str) -> PairBlock:
    """The block, unless no row of its pair holds data: asked only where it is empty, and ended at the first data.

    ``read`` gives rows from a first to an end row of the pair.

    Raises
    ------
    DataError
        If the pair is empty.
    """
    if block.coherence.any() or any(
        read(start, min(start + _BAND, height)).coherence.any() for start in range(0, height, _BAND)
    ):
        return block
    raise DataError(f"{name} has no pixel with both phase and coherence: fetch or make it again")


def encode_coherence(coherence: NDArray[np.uint8] | Float32, name: str) -> NDArray[np.uint8]:
    """Coherence as uint8 ``value / 255``, at least 1 where there is data and 0 where there is none.

    Raises
    ------
    DataError
        If it lies outside 0..1.
    """
    if coherence.dtype == np.uint8:
        return np.array(coherence, dtype=np.uint8)
    values = np.where(np.isnan(coherence), np.float32(0), coherence)
    lowest, highest = float(values.min(initial=0)), float(values.max(initial=0))
    if lowest < -_SLACK:
        raise DataError(f"{name} holds a coherence of {lowest:.4g}, expected 0 to 1: make the file again")
    if highest > 1 + _SLACK:
        hint = "write it as uint8, or divide by 255" if 2 < highest <= 255 else "make the file again"
        raise DataError(f"{name} holds a coherence of {highest:.4g}, expected 0 to 1: {hint}")
    steps = np.clip(np.rint(values * np.float32(255)), 1, 255)
    return np.where(values > 0, steps, 0).astype(np.uint8)


def _check_range(phase: Float32, name: str, limit: float) -> None:
    lowest, highest = np.fmin.reduce(phase, axis=None, initial=0), np.fmax.reduce(phase, axis=None, initial=0)
    largest = max(-float(lowest), float(highest))
    if math.isinf(largest):
        infinite = int(np.isinf(phase).sum())
        raise DataError(
            f"{name} holds {infinite} infinite values, expected radians, with 0 or NaN for no data: make the file again"
        )
    if largest > limit + _SLACK:
        hint = "wrap it, or name it as unwrapped phase" if limit < MAX_UNWRAPPED else "check its unit and byte order"
        raise DataError(f"{name} holds a phase of {largest:.6g} rad, expected at most {limit:.6g}: {hint}")
