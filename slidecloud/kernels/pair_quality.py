"""How good each pair and each date is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from slidecloud.kernels._cycles_network import MISSING, Loops, find_loops
from slidecloud.kernels._cycles_turns import count_turns
from slidecloud.kernels.closure import closure
from slidecloud.types import Float32, Float64

LEAST_NOISE = 1e-6
"""Weight of none at all, which decides where pairs do not determine the noise of dates, as in a chain."""


class Quality(NamedTuple):
    """What `judge` returns.

    Attributes
    ----------
    loops
        (triplet, 3) int64, pairs of each loop.
    loop_rms
        (triplet,) float64 rad, root mean square of the loop's misfit about its constant; NaN without data.
    loop_bad
        (triplet,) float64, share of pixels off by more than half a turn; NaN without data.
    closure_rms, bad_loops
        (pair,) float64, the same over all loops of a pair; NaN for pairs in none.
    coherence
        (pair,) float64, mean where there is data; NaN without data.
    coverage
        (pair,) float64, share of pixels with data.
    """

    loops: NDArray[np.int64]
    loop_rms: Float64
    loop_bad: Float64
    closure_rms: Float64
    bad_loops: Float64
    coherence: Float64
    coverage: Float64


def judge(phase: Float32, coherence: NDArray[np.uint8], reference: ArrayLike, secondary: ArrayLike) -> Quality:
    """Quality of each pair from its loops and its coherence.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, unwrapped, NaN = missing.
    coherence
        (pair, pixel) uint8, 255 times coherence, 0 = no data.
    reference, secondary
        (pair,) integer date indices, reference earlier, each pair once.

    Raises
    ------
    TypeError
        If the dates are not integers.
    ValueError
        If shapes disagree, or a pair is reversed or repeated.
    """
    loops = find_loops(reference, secondary)
    pairs = loops.starts.size - 1
    if phase.ndim != 2 or len(phase) != pairs or coherence.shape != phase.shape:
        raise ValueError(
            f"phase, coherence: found shapes {phase.shape}, {coherence.shape}, expected (pair, pixel) of {pairs} pairs"
        )
    counted = count_turns(phase, loops)
    square, bad, number = (np.zeros(len(loops.members)) for _ in range(3))
    for t, turns in enumerate(counted.number):
        misfit = closure(phase, loops.members[t : t + 1])[0].astype(np.float64) - counted.level[t]
        known = turns != MISSING
        square[t], bad[t], number[t] = (misfit[known] ** 2).sum(), (turns[known] != 0).sum(), known.sum()
    covered = (coherence > 0).sum(axis=1)
    return Quality(
        loops.members,
        np.sqrt(_ratio(square, number)),
        _ratio(bad, number),
        np.sqrt(_ratio(_by_pair(square, loops), _by_pair(number, loops))),
        _ratio(_by_pair(bad, loops), _by_pair(number, loops)),
        _ratio(coherence.sum(axis=1, dtype=np.float64) / 255, covered),
        _ratio(covered, np.full(pairs, phase.shape[1])),
    )


def noise_of_dates(variance: ArrayLike, reference: ArrayLike, secondary: ArrayLike, *, dates: int) -> Float64:
    """How noisy each date is: the variance of a pair is taken to be the sum of its dates'.

    Parameters
    ----------
    variance
        (pair,) rad^2, such as the mean square of a pair's residuals; NaN = unknown.
    reference, secondary
        (pair,) integer date indices.
    dates
        Number of dates.

    Returns
    -------
    float64 (date,) rad, standard deviations that fit the pairs best in the sense of least squares, none below 0; NaN
    for dates without a pair. Atmosphere closes around every loop, so residuals of an inversion do not hold it: this is
    what is left, decorrelation and unwrapping.

    Raises
    ------
    ValueError
        If shapes disagree or a variance is negative.
    """
    value, first, last = np.asarray(variance, np.float64), np.asarray(reference), np.asarray(secondary)
    if value.ndim != 1 or first.shape != value.shape or last.shape != value.shape:
        raise ValueError(
            f"variance, reference, secondary: found shapes {value.shape}, {first.shape}, {last.shape}, "
            "expected one shape (pair,)"
        )
    if (value < 0).any():
        raise ValueError(f"variance: found {np.nanmin(value):g}, expected 0 or more")
    known = np.flatnonzero(np.isfinite(value))
    design = np.zeros((known.size + dates, dates))
    rows = np.arange(known.size)
    design[rows, first[known]] = design[rows, last[known]] = 1
    seen = design.any(axis=0)
    design[known.size :] = np.sqrt(LEAST_NOISE) * np.eye(dates)
    fitted, _ = nnls(design, np.concatenate([value[known], np.zeros(dates)]))
    return np.where(seen, np.sqrt(fitted), np.nan)


def _by_pair(of_loop: Float64, loops: Loops) -> Float64:
    result = np.zeros(loops.starts.size - 1)
    np.add.at(result, loops.members, of_loop[:, None])
    return result


def _ratio(part: ArrayLike, whole: ArrayLike) -> Float64:
    """Quotient, NaN where the divisor is 0."""
    above, below = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    result: Float64 = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return result
