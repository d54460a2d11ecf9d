"""Accelerations of a slide, and whether they come after wet days."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST: Final = 8
"""Dates below which no acceleration is looked for."""


class Epoch(NamedTuple):
    """``event``: mean antecedent rain over the events. ``usual``: over all days. ``p_value``: of a mean over as many
    events that is as large, if they did not follow rain; NaN without events or rain."""

    event: float
    usual: float
    p_value: float


def accelerations(
    displacement: ArrayLike, sigma: ArrayLike, times: ArrayLike, *, sigmas: float = 3.0
) -> NDArray[np.intp]:
    """Intervals in which motion becomes faster than usual, intp (event,): the first interval of each spell.

    The rate of an interval, in the direction of the whole motion, is held against the median rate. It is faster where
    it exceeds it by `sigmas` standard errors, which are those of the two displacements or what the rates scatter by
    around their median (1.4826 times the median deviation), whichever is larger.

    Parameters
    ----------
    displacement, sigma
        (date,), m; NaN = missing. Dates without data are passed over.
    times
        (date,), days, ascending.
    sigmas
        Standard errors.

    Returns
    -------
    Indices of the date at which the interval begins.
    """
    moved, error, moments = (np.asarray(values, np.float64) for values in (displacement, sigma, times))
    known = np.flatnonzero(np.isfinite(moved) & np.isfinite(error))
    if len(known) < LEAST:
        return np.zeros(0, np.intp)
    span = np.diff(moments[known])
    direction = 1.0 if moved[known[-1]] >= moved[known[0]] else -1.0
    rate = direction * np.diff(moved[known]) / span
    usual = np.median(rate)
    formal = np.hypot(error[known[1:]], error[known[:-1]]) / span
    noise = np.maximum(formal, 1.4826 * np.median(np.abs(rate - usual)))
    fast = rate > usual + sigmas * noise
    begins = fast & ~np.concatenate([[False], fast[:-1]])
    first: NDArray[np.intp] = known[:-1][begins]
    return first


def superposed(events: ArrayLike, antecedent: ArrayLike, *, permutations: int = 999, seed: int = 0) -> Epoch:
    """Antecedent rain at events against that at any time: a superposed epoch.

    For the p value all events are moved together around the record by random numbers of days, which keeps how they
    cluster and how rain does.

    Parameters
    ----------
    events
        (event,), indices of days; those outside the record or without rain do not count.
    antecedent
        (day,), such as `accumulated` gives; NaN = not known.
    permutations, seed
        Number of moves, and the seed they are drawn with.
    """
    wet = np.asarray(antecedent, np.float64)
    at = np.asarray(events, np.intp)
    at = at[(at >= 0) & (at < len(wet))]
    at = at[np.isfinite(wet[at])]
    known = np.isfinite(wet)
    usual = float(wet[known].mean()) if known.any() else np.nan
    if not len(at):
        return Epoch(np.nan, usual, np.nan)
    event = float(wet[at].mean())
    moves = np.random.default_rng(seed).integers(1, max(len(wet), 2), permutations)
    moved = wet[(at[None, :] + moves[:, None]) % len(wet)]
    filled = np.isfinite(moved)
    means = np.divide(
        np.where(filled, moved, 0.0).sum(1), filled.sum(1), out=np.full(permutations, -np.inf), where=filled.any(1)
    )
    return Epoch(event, usual, (1.0 + float((means >= event).sum())) / (permutations + 1.0))
