"""How sure a share of so many is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64


def wilson(share: ArrayLike, count: ArrayLike, *, z: float = 1.96) -> tuple[Float64, Float64]:
    """Middle and half width of the interval of a share of so many draws, both float64 in their shape (Wilson, 1927).

    Parameters
    ----------
    share
        In [0, 1].
    count
        Draws, above 0.
    z
        Standard deviations; 1.96 makes a 95 % interval.
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(count, dtype=np.float64)
    stretch = 1 + z**2 / n
    return (p + z**2 / (2 * n)) / stretch, z / stretch * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
