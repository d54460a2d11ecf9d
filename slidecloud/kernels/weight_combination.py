"""Weights from judgement and weights from data, put together."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64

ROUNDING: Final = 0.005
"""How far weights may sum from 1, since published ones are rounded."""


class Combination(NamedTuple):
    """``weights``: float64 (n,), their sum 1. ``first``, ``second``: the shares of the two sets, their sum 1."""

    weights: Float64
    first: float
    second: float


def combine(first: ArrayLike, second: ArrayLike) -> Combination:
    """Combine two sets of weights by the distance function.

    The shares c and d of the sets solve ``c + d = 1`` and ``(c - d)^2 = sum((first - second)^2) / 2``. The two
    equations hold as well with c and d exchanged: as published, the larger share goes to the first set, which is the
    subjective one. So the more the sets disagree, the less the second has to say; where they agree they count alike.

    Parameters
    ----------
    first, second
        (n,) each, none negative, their sums 1 but for rounding.

    Raises
    ------
    ValueError
        If the sets differ in length, or a weight is negative, or a sum is not 1.

    References
    ----------
    Dexing, Appl. Sci. 2025, 15, 12051, which gives c .60251 and d .39749.
    """
    sets = [np.asarray(weights, np.float64) for weights in (first, second)]
    if sets[0].ndim != 1 or sets[0].shape != sets[1].shape or not sets[0].size:
        raise ValueError(f"first, second: found shapes {sets[0].shape} and {sets[1].shape}, expected (n,) for both")
    for name, weights in zip(("first", "second"), sets, strict=True):
        if not (weights >= 0.0).all() or abs(weights.sum() - 1.0) > ROUNDING:
            raise ValueError(
                f"{name}: found weights from {weights.min():.4g} that sum to {weights.sum():.4g}, expected none below "
                "0 and the sum 1"
            )
    # Half the squared distance is 1 at most, for sets without a factor in common.
    apart = min(float(np.sqrt(np.sum((sets[0] - sets[1]) ** 2) / 2.0)), 1.0)
    larger = (1.0 + apart) / 2.0
    combined = larger * sets[0] + (1.0 - larger) * sets[1]
    return Combination(combined / combined.sum(), larger, 1.0 - larger)
