"""Which pairs to leave out, with the reason in words."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._pair_links import describe, is_bridge, remaining
from slidecloud.kernels.pair_quality import Quality
from slidecloud.types import Float64

__all__ = ["CONTRADICTED", "LOW_COHERENCE", "LOW_COVERAGE", "NO_DATA", "OPEN_LOOPS", "Edit", "describe", "edit"]

NO_DATA, LOW_COVERAGE, LOW_COHERENCE, CONTRADICTED, OPEN_LOOPS = range(1, 6)
"""Codes of the reasons; 0 is none."""

USUAL: Final = 3.0
"""Times the network's median that a pair must exceed besides its limit: where all are noisy, none stands out."""


class Edit(NamedTuple):
    """What `edit` returns.

    Attributes
    ----------
    kept
        (pair,) bool.
    why
        (pair,) uint8, code of the reason why it is left out, or why it stays although it should not; else 0.
    reasons
        For each pair a sentence of the same; empty for the others.
    network
        Sentences on the network that remains.
    """

    kept: NDArray[np.bool_]
    why: NDArray[np.uint8]
    reasons: tuple[str, ...]
    network: tuple[str, ...]


def edit(
    quality: Quality,
    reference: ArrayLike,
    secondary: ArrayLike,
    *,
    bad_loops: float = 0.25,
    coherence: float = 0.0,
    coverage: float = 0.0,
    contradicted: ArrayLike | None = None,
    misfit: ArrayLike | None = None,
    most_contradicted: float = 0.1,
    most_misfit: float = 1.5,
    keep_linked: bool = True,
    names: tuple[str, ...] | None = None,
) -> Edit:
    """Choose the pairs to leave out and say why.

    Pairs whose loops do not close are left out one by one, the worst first, each judged by the loops that remain: so a
    sound pair does not go for the sake of a bad one that it shares a loop with.

    Parameters
    ----------
    quality
        From `slidecloud.kernels.pair_quality.judge`.
    reference, secondary
        (pair,) integer date indices.
    bad_loops
        Largest share of a pair's loop pixels that may be off by more than half a turn.
    coherence
        Smallest mean coherence, 0 to 1.
    coverage
        Smallest share of pixels with data. A pair without any is always left out.
    contradicted
        (pair,) share of its pixels that other pairs contradict and nothing mends, see
        `slidecloud.kernels.pair_misfit.contradicted`; by default not looked at.
    misfit
        (pair,) rad, root mean square of what it leaves of the series that most pairs agree on; NaN = not known.
    most_contradicted
        Largest such share, beyond `USUAL` times the median of all pairs.
    most_misfit
        rad, largest such misfit; it must exceed `USUAL` times the median of all pairs, too. Phase that is nothing but
        noise has pi / sqrt(3) = 1.8. Two of thirty sound pairs over Mexico City have 1.0 and 1.3: least absolute
        deviations put all of what a loop lacks into one of its pairs.
    keep_linked
        Whether a pair stays, with a sentence that says so, where without it dates would no longer be linked.
    names
        What to call each pair; by default its number and dates' indices.

    Raises
    ------
    ValueError
        If a limit is out of range, or there are not as many names, shares or misfits as pairs.
    """
    first, last = np.asarray(reference), np.asarray(secondary)
    shares = np.zeros(first.size) if contradicted is None else np.nan_to_num(np.asarray(contradicted, np.float64))
    left = np.zeros(first.size) if misfit is None else np.nan_to_num(np.asarray(misfit, np.float64))
    _check_sizes(first.size, contradicted=shares, misfit=left, **({} if names is None else {"names": names}))
    _check_limits(bad_loops=bad_loops, coherence=coherence, coverage=coverage, most_contradicted=most_contradicted)
    called = names or tuple(f"pair {p} (dates {a} and {b})" for p, (a, b) in enumerate(zip(first, last, strict=True)))
    kept, why, reasons = np.ones(first.size, np.bool_), np.zeros(first.size, np.uint8), [""] * first.size

    def leave_out(pair: int, code: int, words: str) -> None:
        why[pair] = code
        if keep_linked and quality.coverage[pair] > 0 and is_bridge(pair, kept, first, last):
            reasons[pair] = f"{called[pair]} stays, for nothing else links its dates, although {words}."
        else:
            kept[pair] = False
            reasons[pair] = f"{called[pair]} is left out: {words}."

    for pair in np.flatnonzero(~(quality.coverage > 0)).tolist():
        leave_out(pair, NO_DATA, "it has no data")
    for pair in np.argsort(quality.coverage, kind="stable").tolist():
        if kept[pair] and quality.coverage[pair] < coverage:
            share = _percent(quality.coverage[pair])
            leave_out(pair, LOW_COVERAGE, f"it has data on {share} of the pixels, least {_percent(coverage)}")
    for pair in np.argsort(quality.coherence, kind="stable").tolist():
        if not why[pair] and quality.coherence[pair] < coherence:
            words = f"its mean coherence is {quality.coherence[pair]:.2f}, least {coherence:.2f}"
            leave_out(pair, LOW_COHERENCE, words)
    most = most_contradicted + USUAL * _median(shares)
    for pair in np.argsort(-shares, kind="stable").tolist():
        if not why[pair] and shares[pair] > most:
            words = f"the other pairs contradict it on {_percent(shares[pair])} of its pixels, most {_percent(most)}"
            leave_out(pair, CONTRADICTED, words)
    least = max(most_misfit, USUAL * _median(left[left > 0]))
    for pair in np.argsort(-left, kind="stable").tolist():
        if not why[pair] and left[pair] > least:
            words = f"it is {left[pair]:.2f} rad RMS off the series of the other pairs, most {least:.2f}"
            leave_out(pair, CONTRADICTED, words)
    while True:
        bad, number = remaining(quality.loops, quality.loop_bad, kept)
        bad[why > 0] = np.nan
        if not (bad > bad_loops).any():
            break
        worst = int(np.nanargmax(bad))
        leave_out(
            worst,
            OPEN_LOOPS,
            f"{_percent(bad[worst])} of its loop pixels are off by more than half a turn, most {_percent(bad_loops)} "
            f"({number[worst]} loops, misfit {quality.closure_rms[worst]:.2f} rad RMS)",
        )
    return Edit(kept, why, tuple(reasons), describe(kept, first, last))


def _median(values: Float64) -> float:
    return float(np.median(values)) if values.size else 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _check_limits(**limits: float) -> None:
    for name, limit in limits.items():
        if not 0 <= limit <= 1:
            raise ValueError(f"{name}: found {limit}, expected a share from 0 to 1")


def _check_sizes(pairs: int, **values: Float64 | tuple[str, ...]) -> None:
    for name, given in values.items():
        if len(given) != pairs:
            raise ValueError(f"{name}: found {len(given)}, expected one for each of {pairs} pairs")
