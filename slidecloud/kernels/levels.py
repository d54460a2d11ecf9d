"""Levels of pairs: where the ground moves least, and what each pair reads there.

Every unwrapped pair carries a constant of its own, so rates are relative until a stable area is named. In order:
`pair_median` over everything, `add_rates` and `mean_rate`, `least_moving`, and `pair_median` over the stable area.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32, Float64


class RateSums(NamedTuple):
    """Sums of `add_rates`, float64 (pixel,): ``weighted`` = sum w dt phase (rad yr), ``normal`` = sum w dt^2 (yr^2)."""

    weighted: Float64
    normal: Float64


def pair_median(phase: Float32, mask: NDArray[np.bool_]) -> Float64:
    """Median phase of each pair over an area.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, NaN = missing.
    mask
        (pixel,) bool, true in the area.

    Returns
    -------
    float64 (pair,) rad; NaN for pairs without a valid pixel in the area.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """
    if phase.ndim != 2 or mask.shape != phase.shape[1:]:
        raise ValueError(f"phase, mask: found shapes {phase.shape}, {mask.shape}, expected (pair, pixel) and (pixel,)")
    medians = np.full(phase.shape[0], np.nan)
    for p, row in enumerate(phase):
        known = row[mask & np.isfinite(row)]
        if known.size:
            middle = (known.size - 1) // 2, known.size // 2
            known.partition(middle)
            # Between two values, the mean of both in float64: of float32 it would be rounded.
            medians[p] = known[list(middle)].astype(np.float64).mean()
    return medians


def add_rates(
    sums: RateSums | None, phase: Float32, *, offset: ArrayLike, interval: ArrayLike, weight: Float32 | None = None
) -> RateSums:
    """Add a batch of pairs to the sums of a stacked rate.

    Pairs are added one by one in the order given: batches of any size give the same bits as long as that order stays.

    Parameters
    ----------
    sums
        What earlier batches gave; None at first.
    phase
        (pair, pixel) float32 rad, unwrapped; NaN = missing.
    offset
        (pair,) rad, subtracted: each pair's own median. A pair whose offset is NaN is left out.
    interval
        (pair,) years between its dates, positive.
    weight
        (pair, pixel) float32, 0 or NaN = missing; None for 1.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    level, span = np.asarray(offset, dtype=np.float64), np.asarray(interval, dtype=np.float64)
    if phase.ndim != 2 or level.shape != phase.shape[:1] or span.shape != level.shape:
        raise ValueError(
            f"phase, offset, interval: found shapes {phase.shape}, {level.shape}, {span.shape}, "
            "expected (pair, pixel), (pair,) and (pair,)"
        )
    if weight is not None and weight.shape != phase.shape:
        raise ValueError(f"weight: found shape {weight.shape}, expected that of phase, {phase.shape}")
    total = sums or RateSums(np.zeros(phase.shape[1]), np.zeros(phase.shape[1]))
    weighted, normal = total.weighted.copy(), total.normal.copy()
    for p in range(phase.shape[0]):
        value = phase[p] - level[p]
        known = np.isfinite(value) & (True if weight is None else weight[p] > 0)
        share = np.where(known, 1.0 if weight is None else weight[p].astype(np.float64), 0.0) * span[p]
        weighted += share * np.where(known, value, 0)
        normal += share * span[p]
    return RateSums(weighted, normal)


def mean_rate(sums: RateSums) -> Float64:
    """Rate (pixel,) rad/yr, ``sum w dt phase / sum w dt^2`` (stacking; Sandwell and Price, 1998); NaN without pair."""
    rate: Float64 = np.where(sums.normal > 0, sums.weighted / np.where(sums.normal > 0, sums.normal, 1), np.nan)
    return rate


def least_moving(rate: Float64, quality: ArrayLike, *, fraction: float) -> NDArray[np.bool_]:
    """The pixels that move least, from rates that are known only up to a constant.

    Ground at rest shares one rate, ground in motion has many. So rest is taken to be the mode of the rates, not their
    median (which is in motion where half the scene is) and not the rate nearest zero (which means nothing here). The
    mode is sought among the better half of the pixels by quality, down to groups of the size wanted; chosen are those
    of the better half whose rate is nearest to it. A scene in which nothing rests, or in which a larger part moves at
    one rate than rests, cannot be told apart by rates: name the reference area there.

    Parameters
    ----------
    rate
        (pixel,) float64 rad/yr, NaN = unknown.
    quality
        (pixel,) larger is better, such as mean coherence; NaN or at most 0 = do not use.
    fraction
        Share of the usable pixels to choose, above 0 and at most 0.5.

    Returns
    -------
    bool (pixel,). At least one pixel; of equal distances the earlier pixel.

    Raises
    ------
    ValueError
        If shapes disagree, ``fraction`` is out of range or no pixel is usable.
    """
    good = np.asarray(quality, dtype=np.float64)
    if rate.ndim != 1 or good.shape != rate.shape:
        raise ValueError(f"rate, quality: found shapes {rate.shape}, {good.shape}, expected one shape (pixel,)")
    if not 0 < fraction <= 0.5:
        raise ValueError(f"fraction: found {fraction}, expected above 0 and at most 0.5, such as 0.05")
    usable = np.isfinite(rate) & (good > 0)
    if not usable.any():
        raise ValueError("rate: found no pixel with a finite rate and positive quality; check the stack's masks")
    number = max(1, round(fraction * int(usable.sum())))
    candidates = np.flatnonzero(usable & (good >= np.median(good[usable])))
    rest = _mode_of_groups(rate[candidates], number)
    nearest = np.argsort(np.abs(rate[candidates] - rest), kind="stable")[:number]
    mask = np.zeros(rate.size, np.bool_)
    mask[candidates[nearest]] = True
    return mask


def _mode_of_groups(values: Float64, least: int) -> float:
    """Median of the densest half of the densest half ... that still holds ``least`` values.

    The half-sample mode (Bickel and Fruehwirth, 2006), stopped early: its last few values are chance. Of equally short
    halves the lowest is taken.
    """
    ordered = np.sort(values)
    while ordered.size > 2 and (ordered.size + 1) // 2 >= least:
        half = (ordered.size + 1) // 2
        start = int(np.argmin(ordered[half - 1 :] - ordered[: ordered.size - half + 1]))
        ordered = ordered[start : start + half]
    return float(np.median(ordered))
