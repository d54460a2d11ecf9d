"""Five classes of susceptibility, from very low to very high."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNKNOWN: Final = 0
CLASSES: Final = {1: "very low", 2: "low", 3: "moderate", 4: "high", 5: "very high", UNKNOWN: "unknown"}
BORDERS: Final = (0.2, 0.4, 0.6, 0.8)
"""Borders of Conghua et al., of probabilities there; each belongs to the class above it."""
By = Literal["probability", "area"]


def classify(
    probability: ArrayLike, *, borders: tuple[float, ...] = BORDERS, by: By = "probability"
) -> NDArray[np.uint8]:
    """Class of each place: codes of `CLASSES`, uint8 in the shape given.

    Parameters
    ----------
    probability
        Any shape; NaN = unknown.
    borders
        Four, rising, in (0, 1).
    by
        ``probability``: of the probabilities themselves. Where one cell in a thousand holds a slide, nearly all ground
        is then very low, which is what such probabilities mean. ``area``: of the share of known ground that is less
        susceptible, so that classes cover the same share of any land and tell nothing across lands.

    Raises
    ------
    ValueError
        If the borders are not four rising numbers in (0, 1).
    """
    if len(borders) != len(BORDERS) or list(borders) != sorted(set(borders)) or not 0 < borders[0] <= borders[-1] < 1:
        raise ValueError(f"borders: found {list(borders)}, expected four rising numbers between 0 and 1")
    if by not in {"probability", "area"}:
        raise ValueError(f"by: found {by!r}, expected probability or area")
    value = np.asarray(probability, np.float64)
    known = np.isfinite(value)
    limits = np.array(borders)
    if by == "area" and known.any():
        limits = np.quantile(value[known], limits, method="inverted_cdf")
    return between(value, limits)


def between(probability: ArrayLike, limits: ArrayLike) -> NDArray[np.uint8]:
    """Class of each place by four borders that rise or are equal; the rest as for `classify`."""
    value = np.asarray(probability, np.float64)
    found = (1 + np.searchsorted(np.asarray(limits, np.float64), value, side="right")).astype(np.uint8)
    found[~np.isfinite(value)] = UNKNOWN
    return found
