"""How good each pair and each date is, and which pairs to leave out, with the reason in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from slidecloud.kernels._cycles_network import MISSING, Loops, find_loops
from slidecloud.kernels._cycles_turns import count_turns
from slidecloud.kernels._pair_links import describe, is_bridge, remaining
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


class Edit(NamedTuple):
    """What `edit` returns.

    Attributes
    ----------
    kept
        (pair,) bool.
    reasons
        For each pair a sentence: why it is left out, or why it stays although it should not; empty for the others.
    network
        Sentences on the network that remains.
    """

    kept: NDArray[np.bool_]
    reasons: tuple[str, ...]
    network: tuple[str, ...]


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


def edit(
    quality: Quality,
    reference: ArrayLike,
    secondary: ArrayLike,
    *,
    bad_loops: float = 0.25,
    coherence: float = 0.0,
    coverage: float = 0.0,
    keep_linked: bool = True,
    names: tuple[str, ...] | None = None,
) -> Edit:
    """Choose the pairs to leave out and say why.

    Pairs whose loops do not close are left out one by one, the worst first, each judged by the loops that remain: so a
    sound pair does not go for the sake of a bad one that it shares a loop with.

    Parameters
    ----------
    quality
        From `judge`.
    reference, secondary
        (pair,) integer date indices.
    bad_loops
        Largest share of a pair's loop pixels that may be off by more than half a turn.
    coherence
        Smallest mean coherence, 0 to 1.
    coverage
        Smallest share of pixels with data. A pair without any is always left out.
    keep_linked
        Whether a pair stays, with a sentence that says so, where without it dates would no longer be linked.
    names
        What to call each pair; by default its number and dates' indices.

    Raises
    ------
    ValueError
        If a limit is not a share, or names are not one a pair.
    """
    first, last = np.asarray(reference), np.asarray(secondary)
    _check_limits(names, first.size, bad_loops=bad_loops, coherence=coherence, coverage=coverage)
    called = names or tuple(f"pair {p} (dates {a} and {b})" for p, (a, b) in enumerate(zip(first, last, strict=True)))
    kept, judged, reasons = np.ones(first.size, np.bool_), np.zeros(first.size, np.bool_), [""] * first.size

    def leave_out(pair: int, why: str) -> None:
        judged[pair] = True
        if keep_linked and quality.coverage[pair] > 0 and is_bridge(pair, kept, first, last):
            reasons[pair] = f"{called[pair]} stays, for nothing else links its dates, although {why}."
        else:
            kept[pair] = False
            reasons[pair] = f"{called[pair]} is left out: {why}."

    for pair in np.flatnonzero(~(quality.coverage > 0)).tolist():
        leave_out(pair, "it has no data")
    for pair in np.argsort(quality.coverage, kind="stable").tolist():
        if kept[pair] and quality.coverage[pair] < coverage:
            share = _percent(quality.coverage[pair])
            leave_out(pair, f"it has data on {share} of the pixels, least {_percent(coverage)}")
    for pair in np.argsort(quality.coherence, kind="stable").tolist():
        if not judged[pair] and quality.coherence[pair] < coherence:
            leave_out(pair, f"its mean coherence is {quality.coherence[pair]:.2f}, least {coherence:.2f}")
    while True:
        bad, number = remaining(quality.loops, quality.loop_bad, kept)
        bad[judged] = np.nan
        if not (bad > bad_loops).any():
            break
        worst = int(np.nanargmax(bad))
        leave_out(
            worst,
            f"{_percent(bad[worst])} of its loop pixels are off by more than half a turn, most {_percent(bad_loops)} "
            f"({number[worst]} loops, misfit {quality.closure_rms[worst]:.2f} rad RMS)",
        )
    return Edit(kept, tuple(reasons), describe(kept, first, last))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _check_limits(names: tuple[str, ...] | None, pairs: int, **limits: float) -> None:
    for name, limit in limits.items():
        if not 0 <= limit <= 1:
            raise ValueError(f"{name}: found {limit}, expected a share from 0 to 1")
    if names is not None and len(names) != pairs:
        raise ValueError(f"names: found {len(names)}, expected one for each of {pairs} pairs")
