"""Weights of factors from the data alone: what varies more over the ground weighs more."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64


class EntropySums(NamedTuple):
    """What a block of ground adds to the entropy of each factor; sums of blocks are those of the whole.

    ``cells``: number of values. ``total``: their sum. ``logs``: sum of ``x ln x``. float64 (n,) each.
    """

    cells: Float64
    total: Float64
    logs: Float64


def entropy_sums(values: ArrayLike, *, count: ArrayLike | None = None) -> EntropySums:
    """Sums of one block.

    Parameters
    ----------
    values
        (m, n), a column a factor, not negative, scaled alike over the whole ground; NaN = missing, left out.
    count
        (m, n), how many cells have each value; by default one. So factors of few classes need only a table.

    Raises
    ------
    ValueError
        If shapes disagree, or a value or count is negative or infinite.
    """
    given = np.asarray(values, np.float64)
    number = np.ones(given.shape) if count is None else np.asarray(count, np.float64)
    if given.ndim != 2 or number.shape != given.shape:
        raise ValueError(f"values, count: found shapes {given.shape} and {number.shape}, expected (m, n) for both")
    known = ~np.isnan(given)
    x, number = np.where(known, given, 0.0), np.where(known, number, 0.0)
    for name, array in (("values", x), ("count", number)):
        if not (np.isfinite(array) & (array >= 0.0)).all():
            raise ValueError(f"{name}: found {array.min():.4g} to {array.max():.4g}, expected finite, none below 0")
    logs = x * np.log(np.where(x > 0.0, x, 1.0))
    return EntropySums(number.sum(axis=0), (number * x).sum(axis=0), (number * logs).sum(axis=0))


def entropy_weights(sums: EntropySums) -> Float64:
    """Weights ``(1 - H) / sum(1 - H)`` with ``H = -1 / ln m * sum f ln f``, f a value's share in the sum of its factor.

    H is 1 for a factor that is the same everywhere, which weighs nothing, and 0 for one that is above 0 in a single
    cell. Of factors known in equally many cells the weights do not depend on how many: m divides out, and ground
    repeated many times over weighs them as once. They do depend on where the scale has its zero.

    Parameters
    ----------
    sums
        Of all blocks.

    Returns
    -------
    float64 (n,), none negative, their sum 1.

    Raises
    ------
    ValueError
        If a factor is known in fewer than two cells, or all are the same everywhere.

    References
    ----------
    Shannon, C. E. (1948), A mathematical theory of communication, Bell Syst. Tech. J. 27, 379-423; as used for Dexing,
    Appl. Sci. 2025, 15, 12051.
    """
    few = np.flatnonzero(sums.cells < 2)
    if few.size:
        raise ValueError(f"factor {few[0] + 1}: found {sums.cells[few[0]]:g} known cells, expected at least 2")
    varied = sums.total > 0.0
    total = np.where(varied, sums.total, 1.0)
    entropy = (np.log(total) - sums.logs / total) / np.log(sums.cells)
    # Rounding leaves some last digits to a factor that is the same everywhere.
    gain = np.where(varied & (1.0 - entropy > 1e-12), 1.0 - entropy, 0.0)
    if not gain.any():
        raise ValueError("factors: all are the same everywhere, expected at least one that varies")
    weights: Float64 = gain / gain.sum()
    return weights
