"""How sure the difference of two models is that were scored on the same places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from slidecloud.hazard.scores import auc, judged
from slidecloud.kernels.interval import Interval, by_student
from slidecloud.types import DataError, Float64

Statistic = Callable[[Float64, NDArray[np.bool_]], float]
_TRIES: Final = 20
"""Draws made for one that holds both kinds, before it is given up."""


def delong(first: ArrayLike, second: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> Interval:
    """Difference of two AUCs over the same places, second less first, for places that are independent.

    Neighbouring places are not: the interval is then too short, and `spatial_bootstrap` is the one to believe.

    Parameters
    ----------
    first, second
        (n,) predictions of either model, finite.
    event
        bool (n,).
    level
        Probability with which the interval covers, in (0, 1).

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, or there are fewer than two of either kind.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
    characteristic curves, Biometrics 44, 837-845; midranks as Sun and Xu (2014), IEEE Signal Process. Lett. 21, 1389.
    """
    (one, slid), (two, _) = judged(first, event), judged(second, event)
    _check_level(level)
    if min(slid.sum(), (~slid).sum()) < 2:
        raise ValueError(f"event: found {int(slid.sum())} of {slid.size}, expected at least two of either kind")
    up, down = _placements(two, slid)
    up_first, down_first = _placements(one, slid)
    value = float(up.mean() - up_first.mean())
    sigma = float(np.sqrt((up - up_first).var(ddof=1) / up.size + (down - down_first).var(ddof=1) / down.size))
    reach = float(norm.ppf((1 + level) / 2)) * sigma
    return Interval(value, sigma, value - reach, value + reach, level)


def spatial_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    event: ArrayLike,
    block: ArrayLike,
    *,
    statistic: Statistic = auc,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Difference of a score over the same places, second less first, by drawing whole blocks of neighbours again.

    Parameters
    ----------
    first, second, event
        As for `delong`.
    block
        (n,) label of the block of each place, any values; blocks should be wider than the range of the variogram.
    statistic
        Score of (predictions, outcomes), such as `slidecloud.hazard.scores.brier`.
    draws
        At least 100.
    level
        As for `delong`.
    seed
        Of the draws.

    Returns
    -------
    Interval
        Its reach is the standard deviation over the draws times Student's t of one less than the number of blocks that
        hold an event: the share of draws alone promises too much where blocks are few.

    Raises
    ------
    ValueError
        If shapes disagree, values are not finite, or there are fewer than two blocks.
    DataError
        If draws keep holding one kind alone, because events sit in very few blocks.
    """
    (one, slid), (two, _) = judged(first, event), judged(second, event)
    label = np.asarray(block)
    _check_level(level)
    if label.shape != slid.shape:
        raise ValueError(f"block: found shape {label.shape}, expected {slid.shape}")
    if draws < 100:
        raise ValueError(f"draws: found {draws}, expected at least 100")
    members = _members(label)
    holding = sum(bool(slid[part].any()) for part in members)
    if holding < 2:
        raise ValueError(f"block: found {len(members)} blocks, {holding} with an event; expected at least 2 of these")
    rng = np.random.default_rng(seed)
    found = np.empty(draws)
    for k in range(draws):
        drawn = _draw(members, slid, rng)
        found[k] = statistic(two[drawn], slid[drawn]) - statistic(one[drawn], slid[drawn])
    value = statistic(two, slid) - statistic(one, slid)
    sigma = float(found.std(ddof=1))
    return by_student(float(value), sigma, holding - 1, level=level)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level: found {level}, expected a probability such as 0.95")


def _placements(value: Float64, slid: NDArray[np.bool_]) -> tuple[Float64, Float64]:
    """For each event the share of others below it, and for each other the share of events above it; ties half."""
    whole = rankdata(value)
    up = (whole[slid] - rankdata(value[slid])) / (~slid).sum()
    down = 1 - (whole[~slid] - rankdata(value[~slid])) / slid.sum()
    return up, down


def _members(label: NDArray[np.generic]) -> list[NDArray[np.intp]]:
    _, inverse, count = np.unique(label, return_inverse=True, return_counts=True)
    return list(np.split(np.argsort(inverse, kind="stable"), np.cumsum(count)[:-1]))


def _draw(members: list[NDArray[np.intp]], slid: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    for _ in range(_TRIES):
        drawn = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        if slid[drawn].any() and not slid[drawn].all():
            return drawn
    raise DataError(
        f"{_TRIES} draws of {len(members)} blocks held places of one kind alone: events or the places without them sit "
        "in very few blocks; take smaller blocks"
    )
