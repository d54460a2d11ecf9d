"""Colours of maps: ramps, limits that are round numbers, and pixels painted with them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ramp = tuple[tuple[int, int, int], ...]
"""Colours (red, green, blue; 0..255) at equal steps from the lowest to the highest value."""

AWAY_TOWARDS: Final[Ramp] = (
    (122, 10, 36), (190, 50, 56), (228, 132, 104), (246, 205, 184), (247, 247, 247),
    (192, 219, 236), (118, 172, 212), (52, 112, 178), (12, 50, 104),
)  # fmt: skip
"""Red for negative, away from the satellite; blue for positive, towards it; pale for none."""

LOW_HIGH: Final[Ramp] = (
    (56, 12, 84), (62, 58, 132), (46, 98, 142), (34, 132, 141), (40, 166, 130), (104, 198, 92), (190, 220, 44),
    (250, 230, 40),
)  # fmt: skip
"""Dark for low, bright for high, told apart also without colour."""


def symmetric(values: Any, *, share: float = 99.5, floor: float = 0.0) -> tuple[float, float]:
    """Limits around zero that hold so many percent of the values, rounded up to 1, 2 or 5 times a power of ten."""
    found = np.abs(np.asarray(values))
    found = found[np.isfinite(found)]
    top = max(float(np.percentile(found, share)) if found.size else 0.0, floor)
    rounded = _round_up(top)
    return -rounded, rounded


def positive(values: Any, *, share: float = 98.0) -> tuple[float, float]:
    """Limits from zero that hold so many percent of the values."""
    found = np.asarray(values)
    found = found[np.isfinite(found)]
    return 0.0, _round_up(float(np.percentile(found, share)) if found.size else 1.0)


def steps(ramp: Ramp, limits: tuple[float, float]) -> list[tuple[float, tuple[int, int, int]]]:
    """Values of a ramp's colours between two limits, lowest first."""
    return [(float(value), colour) for value, colour in zip(np.linspace(*limits, len(ramp)), ramp, strict=True)]


def paint(values: Any, ramp: Ramp, limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Pixels in the colours of a ramp.

    Parameters
    ----------
    values
        (y, x); NaN is transparent, values beyond the limits take the end colours.
    ramp
        The colours.
    limits
        Value of the first colour and of the last.

    Returns
    -------
    uint8 (4, y, x)
        Red, green, blue, opacity.
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    filled = np.where(known, values, limits[0])
    at = np.linspace(*limits, len(ramp))
    bands = [np.interp(filled, at, [colour[band] for colour in ramp]) for band in range(3)]
    painted = np.stack([*bands, np.full(values.shape, 255.0)])
    return np.where(known, np.rint(painted), 0).astype(np.uint8)


def _round_up(value: float) -> float:
    if value < 1e-12:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9)))
