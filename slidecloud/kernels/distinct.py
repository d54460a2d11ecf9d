"""Distinct values and how much ground has each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64


class Distinct(NamedTuple):
    """``level``: float64 (k,), the distinct values, rising. ``cells``: float64 (k,), how many cells have each."""

    level: Float64
    cells: Float64


def distinct(values: ArrayLike, *, count: ArrayLike | None = None) -> Distinct:
    """Distinct values of a factor, or of a table of it.

    Parameters
    ----------
    values
        (n,), any order; NaN = missing, left out.
    count
        (n,), how many cells have each value; by default one.

    Raises
    ------
    ValueError
        If shapes disagree, a value is infinite, or a count negative.
    """
    given = np.asarray(values, np.float64)
    number = np.ones(given.shape) if count is None else np.asarray(count, np.float64)
    if given.ndim != 1 or number.shape != given.shape:
        raise ValueError(f"values, count: found shapes {given.shape} and {number.shape}, expected (n,) for both")
    if np.isinf(given).any() or not (np.isfinite(number) & (number >= 0.0)).all():
        raise ValueError("values, count: found infinite ones or a negative count, expected finite values and counts")
    used = ~np.isnan(given) & (number > 0.0)
    level, inverse = np.unique(given[used], return_inverse=True)
    return Distinct(level, np.bincount(inverse, weights=number[used], minlength=len(level)).astype(np.float64))
