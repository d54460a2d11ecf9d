"""A number and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student


class Interval(NamedTuple):
    """``value`` with its standard error ``sigma``; ``low`` to ``high`` holds the truth with probability ``level``."""

    value: float
    sigma: float
    low: float
    high: float
    level: float

    def holds(self, truth: float) -> bool:
        """Whether a value lies in the interval, its ends included."""
        return self.low <= truth <= self.high


def by_student(value: float, sigma: float, freedom: float, *, level: float = 0.95) -> Interval:
    """The interval of Student's t around a value.

    Parameters
    ----------
    value, sigma
        The value and its standard error, of one unit.
    freedom
        Degrees of freedom of the standard error; below 1 nothing is known and the interval is NaN.
    level
        Probability with which the interval covers, in (0, 1).

    Raises
    ------
    ValueError
        If the level is no probability.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: found {level}, expected a probability such as 0.95")
    reach = float(student.ppf((1 + level) / 2, freedom)) * sigma if freedom >= 1 else float("nan")
    return Interval(value, sigma, value - reach, value + reach, level)


def of_mean(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """The mean of independent values (n,), NaN = missing, with the interval of Student's t; one value has no sigma."""
    given = np.asarray(values, np.float64)
    known = given[np.isfinite(given)]
    value = float(known.mean()) if known.size else float("nan")
    sigma = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return by_student(value, sigma, known.size - 1, level=level)
