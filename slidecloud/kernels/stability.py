"""Stability classes of landslides by their mean velocity along the line of sight, and how sure they are."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from slidecloud.types import Float64

UNKNOWN: Final = 0
RAPID: Final = 1
ACTIVE: Final = 2
POTENTIAL: Final = 3
STABLE: Final = 4
UPLIFT: Final = 5
CLASSES: Final = {
    RAPID: "rapid",
    ACTIVE: "active",
    POTENTIAL: "potentially unstable",
    STABLE: "stable",
    UPLIFT: "uplift",
    UNKNOWN: "unknown",
}
"""Names of the classes by their code, the fastest first."""
BORDERS: Final = (-0.020, -0.010, -0.005)
"""Velocities, m/yr, up to and with which a class reaches: rapid, active, potentially unstable."""


class Stability(NamedTuple):
    """``kind``: uint8, codes of `CLASSES`. ``confidence``: float64, probability of that class given mean and standard
    error of the velocity, in [0, 1]; NaN where the class or the standard error is not known."""

    kind: NDArray[np.uint8]
    confidence: Float64


def classify(
    velocity: ArrayLike,
    sigma: ArrayLike,
    *,
    points: ArrayLike | None = None,
    least_points: int = 1,
    absolute: bool = False,
    uplift: float = 0.005,
) -> Stability:
    """Class of each landslide: rapid ``v <= -20``; active ``(-20, -10]``; potentially unstable ``(-10, -5]``; stable
    ``(-5, +5]``; uplift ``> +5`` mm/yr, v the velocity along the line of sight, positive towards the satellite.

    Every border belongs to the faster class, as published, where all above -5 is stable. What comes towards the
    satellite is no descent, and as fast as the third class it is not stable either: it has a class of its own.

    Parameters
    ----------
    velocity
        (n,), m/yr; NaN = not known. Borders are compared in its precision.
    sigma
        (n,), m/yr, standard error of the velocity.
    points
        (n,), number of pixels that the velocity is the mean of; None: enough.
    least_points
        Pixels below which the class is unknown.
    absolute
        Sort by ``-|v|``: motion towards the satellite counts like motion away from it, and nothing is uplift.
    uplift
        m/yr, the border of uplift; the border itself is stable.

    Raises
    ------
    ValueError
        If the arrays differ in shape, a sigma is negative or `uplift` is not positive.

    References
    ----------
    Zixing, Remote Sens. 2026, 18, 929, for the borders.
    """
    speed, spread = np.asarray(velocity), np.asarray(sigma, np.float64)
    if speed.dtype.kind != "f":
        speed = speed.astype(np.float64)
    count = np.full(speed.shape, least_points) if points is None else np.asarray(points)
    if not speed.shape == spread.shape == count.shape:
        raise ValueError(f"velocity, sigma, points: found shapes {speed.shape}, {spread.shape} and {count.shape}")
    if (spread < 0).any() or not uplift > 0:
        raise ValueError(f"sigma, uplift: found down to {np.nanmin(spread):.4g} and {uplift}, expected no less than 0")
    found = -np.abs(speed) if absolute else speed
    upper = (*BORDERS, np.inf) if absolute else (*BORDERS, uplift, np.inf)
    borders = np.asarray(upper, speed.dtype)
    kind = (RAPID + np.searchsorted(borders, found, side="left")).astype(np.uint8)
    kind[np.isnan(found) | (count < least_points)] = UNKNOWN
    return Stability(kind, _confidence(kind, speed.astype(np.float64), spread, upper, absolute=absolute))


def counts(kind: ArrayLike) -> dict[str, int]:
    """Number of landslides of each class, the fastest first, by name."""
    codes = np.asarray(kind)
    return {name: int((codes == code).sum()) for code, name in CLASSES.items()}


def _confidence(
    kind: NDArray[np.uint8], velocity: Float64, sigma: Float64, upper: tuple[float, ...], *, absolute: bool
) -> Float64:
    """Probability that a normal variable of this mean and standard error lies in the class."""
    edges = np.array([-np.inf, *upper])
    code = np.maximum(kind, RAPID)
    low, high = edges[code - RAPID], edges[code - RAPID + 1]
    inside = _between(velocity, sigma, low, np.minimum(high, 0.0) if absolute else high)
    if absolute:
        inside += _between(velocity, sigma, np.maximum(-high, 0.0), -low)
    return np.where((kind == UNKNOWN) | np.isnan(sigma), np.nan, inside)


def _between(mean: Float64, sigma: Float64, low: Float64, high: Float64) -> Float64:
    exact = sigma == 0
    scale = np.where(exact, 1.0, sigma)
    spread: Float64 = ndtr((high - mean) / scale) - ndtr((low - mean) / scale)
    return np.where(exact, ((mean > low) & (mean <= high)).astype(np.float64), spread)
