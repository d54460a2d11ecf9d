"""Skill against standing still, size of errors and coverage of error bars, each with an interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scores import checked
from slidecloud.kernels.interval import Interval, by_student
from slidecloud.types import Float64

_DRAWS: Final = 1000


def skill(
    samples: Samples,
    forecast: Forecast,
    *,
    against: Forecast | None = None,
    block: ArrayLike | None = None,
    draws: int = _DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Skill with an interval, by drawing whole points again.

    Parameters
    ----------
    samples, forecast
        As for `slidecloud.forecast.scores.score`.
    against
        Forecasts whose mean squared error is that of skill 0; None: persistence. Judged where both have an answer.
    block
        (n,) label of the block of each sample; None: its point. Give the landslide where its points move together.
    draws
        At least 100.
    level
        Probability with which the interval covers, in (0, 1).
    seed
        Of the draws.

    Returns
    -------
    Interval
        Of the skill over points such as these in the time they were judged in: another season may bring another.

    Raises
    ------
    ValueError
        As `slidecloud.forecast.scores.score`, or if there are fewer than two blocks.
    """
    moved, told = samples.increment, checked(samples, forecast)[0]
    other = np.zeros(len(samples)) if against is None else checked(samples, against)[0]
    known = np.isfinite(moved) & np.isfinite(told) & np.isfinite(other)
    squares = np.stack([(moved - told) ** 2, (moved - other) ** 2], axis=1)
    label = samples.point if block is None else np.asarray(block)
    return over_blocks(squares, label, known, _gain, draws=draws, level=level, seed=seed)


def coverage(
    samples: Samples,
    forecast: Forecast,
    *,
    block: ArrayLike | None = None,
    draws: int = _DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Share of truths inside the error bars, with an interval as that of `skill`; arguments as there."""
    moved, (_, low, high) = samples.increment, checked(samples, forecast)
    known = np.isfinite(moved) & np.isfinite(low) & np.isfinite(high)
    inside = (moved >= low) & (moved <= high)
    counts = np.stack([inside, known], axis=1).astype(np.float64)
    label = samples.point if block is None else np.asarray(block)
    return over_blocks(counts, label, known, _share, draws=draws, level=level, seed=seed)


def rmse(
    samples: Samples,
    forecast: Forecast,
    *,
    block: ArrayLike | None = None,
    draws: int = _DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Root mean square error, mm, with an interval as that of `skill`; arguments as there."""
    error = checked(samples, forecast)[0] - samples.increment
    known = np.isfinite(error)
    terms = np.stack([error**2, known], axis=1)
    label = samples.point if block is None else np.asarray(block)
    return over_blocks(terms, label, known, _root, draws=draws, level=level, seed=seed)


def over_blocks(
    terms: Float64,
    block: NDArray[np.generic],
    known: NDArray[np.bool_],
    statistic: Callable[[Float64], Float64],
    *,
    draws: int = _DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """A statistic of sums over samples, with an interval from blocks drawn again (Kuensch 1989).

    Parameters
    ----------
    terms
        (n, k), whose sums the statistic is made of.
    block
        (n,) labels; samples of different blocks are taken for independent.
    known
        bool (n,), samples that count.
    statistic
        (..., k) sums to (...).
    draws, level, seed
        As for `skill`.

    Returns
    -------
    Interval
        Its reach is the standard deviation over the draws times Student's t of one less than the number of blocks.

    Raises
    ------
    ValueError
        If there are fewer than two blocks or 100 draws.
    """
    if block.shape != known.shape:
        raise ValueError(f"block: found shape {block.shape}, expected {known.shape}: one label a sample")
    names, place = np.unique(block[known], return_inverse=True)
    if len(names) < 2 or draws < 100:
        raise ValueError(f"block, draws: found {len(names)} blocks and {draws}, expected at least 2 and 100")
    sums = np.stack([np.bincount(place, weights=column, minlength=len(names)) for column in terms[known].T], axis=1)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    # Blocks that are drawn from themselves scatter by one block's share less than those of the land.
    sigma = np.nanstd(statistic(drawn.astype(np.float64) @ sums), ddof=1) * np.sqrt(len(names) / (len(names) - 1))
    return by_student(float(statistic(sums.sum(axis=0))), float(sigma), len(names) - 1, level=level)


def _gain(sums: Float64) -> Float64:
    share = np.divide(sums[..., 0], sums[..., 1], out=np.full(sums.shape[:-1], np.nan), where=sums[..., 1] > 0)
    gain: Float64 = 1.0 - share
    return gain


def _share(sums: Float64) -> Float64:
    found: Float64 = sums[..., 0] / sums[..., 1]
    return found


def _root(sums: Float64) -> Float64:
    found: Float64 = np.sqrt(_share(sums))
    return found
