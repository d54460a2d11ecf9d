"""How far the phase noise of neighbouring pixels is correlated, measured on the closures of triplets."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float64

MOST_LAG = 8
"""Largest distance looked at, pixels."""

LEAST_CORRELATION = 0.02
"""Correlation of closures below this is none: it moves a gradient by less than its sigma."""

_HIGH_PASS = 32


def noise_reach(
    phase: NDArray[np.int16], coherence: NDArray[np.uint8], loops: NDArray[np.int64], *, most: int = MOST_LAG
) -> tuple[int, int]:
    """Largest distance (pixels along y, along x) at which phase noise is correlated.

    Motion, terrain and atmosphere close around a triplet; what is left is noise. Where products were oversampled,
    filtered or resampled, noise of neighbours is correlated, and blocks of a gradient estimator that are less than this
    apart share noise, which pulls gradients towards zero.

    Parameters
    ----------
    phase
        (pair, y, x) binary angle.
    coherence
        (pair, y, x), 0 = no data.
    loops
        (triplet, 3) indices of pairs (a, b), (b, c), (a, c), from `kernels.closure.triplets`.
    most
        Largest distance looked at.

    Returns
    -------
    int, int
        0 where neighbours are independent or there is no triplet to tell.

    Notes
    -----
    ``sin(closure - its mean direction over blocks of 32 pixels)`` is correlated with itself moved by each distance (its
    mean is zero whatever the coherence, so coherence that varies from place to place does not count as noise); the
    reach is the last distance, counted from 1 without a gap, whose correlation exceeds 0.02 or four standard errors.
    Closures are of third order in the noise, so their correlation is a lower bound of that of the phase.
    """
    totals = np.zeros((2, most + 1))
    counts = np.zeros((2, most + 1))
    for ab, bc, ac in loops:
        # int16 overflow is the wrap.
        closed = phase[ab] + phase[bc] - phase[ac]
        valid = (coherence[ab] > 0) & (coherence[bc] > 0) & (coherence[ac] > 0)
        noise = _fluctuation(np.exp(1j * closed * (math.pi / 32768)), valid)
        for axis in range(2):
            for lag in range(min(most, noise.shape[axis] - 1) + 1):
                here, there = _moved(noise, axis, lag)
                totals[axis, lag] += np.nansum(here * there)
                counts[axis, lag] += np.isfinite(here * there).sum()
    y, x = (_reach(total, count) for total, count in zip(totals, counts, strict=True))
    return y, x


def _fluctuation(values: NDArray[np.complex128], valid: NDArray[np.bool_]) -> Float64:
    """Sine of the phase about its mean direction in each block; NaN where invalid."""
    result = np.full(valid.shape, np.nan)
    for top in range(0, valid.shape[0], _HIGH_PASS):
        for left in range(0, valid.shape[1], _HIGH_PASS):
            block = (slice(top, top + _HIGH_PASS), slice(left, left + _HIGH_PASS))
            mean = values[block][valid[block]].sum()
            if abs(mean) > 0:
                turned = (values[block] * (mean.conjugate() / abs(mean))).imag
                result[block] = np.where(valid[block], turned, np.nan)
    return result


def _moved(values: Float64, axis: int, lag: int) -> tuple[Float64, Float64]:
    size = values.shape[axis]
    return np.take(values, np.arange(size - lag), axis), np.take(values, np.arange(lag, size), axis)


def _reach(total: Float64, count: Float64) -> int:
    # Closures that are zero but for rounding (one look) say nothing.
    if count[0] == 0 or total[0] <= 1e-6 * count[0]:
        return 0
    reach = 0
    for lag in range(1, len(total)):
        if count[lag] == 0:
            break
        correlation = (total[lag] / count[lag]) / (total[0] / count[0])
        if correlation <= max(LEAST_CORRELATION, 4 / math.sqrt(2 * count[lag])):
            break
        reach = lag
    return reach
