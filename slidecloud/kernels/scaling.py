"""Factors brought to one scale: between their ends, by their spread, or by rank."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.kernels.distinct import distinct
from slidecloud.types import Float64

Method = Literal["minmax", "z", "rank"]


class Scaling(NamedTuple):
    """A rising line through knots: ``value`` float64 (k,) strictly rising, ``scaled`` float64 (k,) rising."""

    value: Float64
    scaled: Float64
    method: Method

    def apply(self, values: ArrayLike) -> Float64:
        """Scaled values in their shape, NaN where they are; between knots and, but for ``rank``, beyond them straight.

        Ranks beyond the knots are those of the nearest one: there is nothing lower than the lowest.
        """
        given = np.asarray(values, np.float64)
        if self.method == "rank" or len(self.value) == 1:
            return np.where(np.isnan(given), np.nan, np.interp(given, self.value, self.scaled))
        along = (given - self.value[0]) / (self.value[-1] - self.value[0])
        straight: Float64 = self.scaled[0] + along * (self.scaled[-1] - self.scaled[0])
        return straight


def fit(values: ArrayLike, *, method: Method = "minmax", count: ArrayLike | None = None) -> Scaling:
    """Scale of a factor from its values over the whole ground, or from a table of them.

    Parameters
    ----------
    values
        (n,); NaN = missing, left out.
    method
        ``minmax``: 0 at the lowest, 1 at the highest value, so that one outlier presses all others together. ``z``:
        less the mean, over the standard deviation; weights then act on spreads, and the result has no ends. ``rank``:
        share of the ground with lower values and half of that with equal ones, in (0, 1); blind to distances.
    count
        (n,), how many cells have each value; by default one.

    Returns
    -------
    Scaling
        A factor that is the same everywhere becomes 0, and 1/2 by rank.

    Raises
    ------
    ValueError
        If shapes disagree, no value is known, one is infinite or a count negative.
    """
    level, cells = distinct(values, count=count)
    if not level.size:
        raise ValueError("values: found none that is known, expected at least one")
    if method == "rank":
        return Scaling(level, (np.cumsum(cells) - cells / 2) / cells.sum(), method)
    ends = level[[0, -1]] if len(level) > 1 else level
    if method == "minmax":
        return Scaling(ends, np.arange(len(ends), dtype=np.float64), method)
    if method == "z":
        mean = np.average(level, weights=cells)
        spread = np.sqrt(np.average((level - mean) ** 2, weights=cells))
        return Scaling(ends, (ends - mean) / spread if len(ends) > 1 else np.zeros(1), method)
    raise ValueError(f"method: found {method!r}, expected minmax, z or rank")
