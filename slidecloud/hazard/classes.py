"""Five classes of susceptibility, from very low to very high."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNKNOWN: Final = 0
CLASSES: Final = {1: "very low", 2: "low", 3: "moderate", 4: "high", 5: "very high", UNKNOWN: "unknown"}


def between(probability: ArrayLike, limits: ArrayLike) -> NDArray[np.uint8]:
    """Class of each place: codes of `CLASSES`, uint8 in the shape given.

    Parameters
    ----------
    probability
        Any shape; NaN = unknown.
    limits
        Four, rising or equal; each belongs to the class above it. Those of probabilities by Conghua et al. are 0.2,
        0.4, 0.6 and 0.8: where one cell in a thousand holds a slide, nearly all ground is then very low, which is what
        such probabilities mean.
    """
    value = np.asarray(probability, np.float64)
    found = (1 + np.searchsorted(np.asarray(limits, np.float64), value, side="right")).astype(np.uint8)
    found[~np.isfinite(value)] = UNKNOWN
    return found
