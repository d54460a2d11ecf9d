"""What models of motion are fitted to: checked series, their terms and subsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float64


class Checked(NamedTuple):
    """``series``, ``variance`` (date, pixel), ``label`` (date, pixel) subsets with 0 where a series or its sigma is
    missing, ``time`` (date,)."""

    series: Float64
    variance: Float64
    label: NDArray[np.uint8]
    time: Float64


def checked(displacement: ArrayLike, sigma: ArrayLike, time: ArrayLike, subset: ArrayLike | None) -> Checked:
    """Arguments of `fit` in double precision.

    Raises
    ------
    ValueError
        If shapes disagree or dates do not increase.
    """
    series, spread, moment = (np.asarray(values, dtype=np.float64) for values in (displacement, sigma, time))
    spread = spread[:, None] if spread.ndim == 1 else spread
    fits = series.ndim == 2 and moment.shape == series.shape[:1] and spread.shape in (series.shape, (moment.size, 1))
    if not fits:
        raise ValueError(
            f"displacement, sigma, time: found shapes {series.shape}, {np.shape(sigma)}, {moment.shape}, expected "
            "(date, pixel), (date,) or (date, pixel), and (date,)"
        )
    if moment.size < 2 or np.any(np.diff(moment) <= 0):
        raise ValueError(f"time: found {moment.size} dates or a step back, expected at least two, increasing")
    own = np.ones(series.shape, np.uint8) if subset is None else np.asarray(subset)
    if own.shape != series.shape or own.dtype != np.uint8:
        raise ValueError(f"subset: found {own.dtype} {own.shape}, expected uint8 {series.shape}, as the displacement")
    known = np.isfinite(series) & np.isfinite(spread) & (spread > 0)
    variance = np.broadcast_to(np.where(spread > 0, spread, 1.0) ** 2, series.shape)
    return Checked(series, variance, np.where(known, own, np.uint8(0)), moment)


def design(
    time: Float64, seasonal: bool, breaks: Sequence[float], acceleration: bool
) -> tuple[tuple[str, ...], Float64]:
    """Names of the terms and their columns, (date, term).

    Raises
    ------
    ValueError
        If a break has no date before or after it.
    """
    middle = time - (time[0] + time[-1]) / 2
    columns = {"rate": middle}
    if seasonal:
        columns |= {"sine": np.sin(2 * np.pi * time), "cosine": np.cos(2 * np.pi * time)}
    for number, moment in enumerate(breaks, start=1):
        if not time[0] < moment <= time[-1]:
            raise ValueError(f"breaks: found {moment}, expected a year between {time[0]:.3f} and {time[-1]:.3f}")
        columns[f"step_{number}"] = (time >= moment).astype(np.float64)
    if acceleration:
        columns["acceleration"] = middle**2 / 2
    return tuple(columns), np.stack(list(columns.values()), axis=1)
