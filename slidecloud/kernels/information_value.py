"""Information value of the classes of a factor: how much more often than on average they hold a landslide."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import polygamma

from slidecloud.types import Float64

KNOWN: Final = 0
EMPTY: Final = 1
RARE: Final = 2
MASKED: Final = 3
ABSENT: Final = 4
STATES: Final = {
    KNOWN: "holds points",
    EMPTY: "holds none, though at least one was to be expected",
    RARE: "holds none, and less than one was to be expected",
    MASKED: "holds none because the mask took its ground",
    ABSENT: "has no ground",
}
"""What the code of a class says."""
SMOOTHING: Final = 1.0
"""Points in expectation by which the evidence of a class is drawn to the average."""


class InformationValue(NamedTuple):
    """Of each class: ``value`` float64 (k,), natural logarithm, 0 = as often as on average, NaN for a class without
    ground; ``sigma`` float64 (k,), its uncertainty; ``expected`` float64 (k,), points if all ground were alike;
    ``state`` uint8 (k,), the codes of `STATES`."""

    value: Float64
    sigma: Float64
    expected: Float64
    state: NDArray[np.uint8]


def information_value(
    points: ArrayLike, cells: ArrayLike, *, open_cells: ArrayLike | None = None, smoothing: float = SMOOTHING
) -> InformationValue:
    """Logarithm of the share of points over the share of ground, ``ln((Hi / H) / (Si / S))``, smoothed.

    With ``Ei = H Si / S`` the points to be expected in a class and a the smoothing it is ``ln((Hi + a) / (Ei + a))``,
    the mean of the relative rate after ``Hi`` points where it is gamma-distributed before, with mean 1 and shape a. The
    printed formula is a = 0, where a class without points is minus infinity, or is left at 0, the average, which
    says that nothing is known to speak against it. Smoothed, a large class without points is well below the
    average, and a small one, where none were to be expected anyway, stays near it.

    Parameters
    ----------
    points
        (k,), number of points in each class.
    cells
        (k,), number of cells, or area, of each class in the whole region.
    open_cells
        (k,), those outside all masks, where points can be: S counts them alone. Points that were picked by what a
        radar sees, or by slope, can only be where it sees, or where it is steep. By default all cells.
    smoothing
        a, not negative. At 0 classes without points are NaN.

    Raises
    ------
    ValueError
        If shapes disagree, numbers are negative, a class has points but no open cell, or there is no point at all.

    Notes
    -----
    Sigma is that of the logarithm of the gamma distribution, the square root of the trigamma function of ``Hi + a``.
    It knows of chance alone: points that come in groups say less than their number.

    References
    ----------
    Yin, K. L., Yan, T. Z. (1988), Statistical prediction models for slope instability of metamorphosed rocks, Proc. 5th
    Int. Symp. Landslides, 1269-1272, for the value; Gelman, A., et al. (2013), Bayesian Data Analysis, section 2.6, for
    the smoothing.
    """
    held, ground, seen = _checked(points, cells, open_cells)
    if not (np.isfinite(smoothing) and smoothing >= 0.0):
        raise ValueError(f"smoothing: found {smoothing}, expected a number of points, 0 or more")
    density = held.sum() / seen.sum()
    expected = density * seen
    state = np.full(held.shape, KNOWN, np.uint8)
    none = held == 0
    state[none] = EMPTY
    state[none & (expected < 1.0)] = RARE
    state[none & (expected < 1.0) & (density * ground >= 1.0) | (none & (seen == 0.0))] = MASKED
    state[ground == 0.0] = ABSENT
    shape = held + smoothing
    told = (shape > 0.0) & (ground > 0.0)
    safe = np.where(told, shape, 1.0)
    value = np.where(told, np.log(safe / np.where(told, expected + smoothing, 1.0)), np.nan)
    sigma = np.where(told, np.sqrt(polygamma(1, safe)), np.nan)
    return InformationValue(value, sigma, expected, state)


def _checked(points: ArrayLike, cells: ArrayLike, open_cells: ArrayLike | None) -> tuple[Float64, Float64, Float64]:
    held, ground = np.asarray(points, np.float64), np.asarray(cells, np.float64)
    seen = ground if open_cells is None else np.asarray(open_cells, np.float64)
    if held.ndim != 1 or not held.shape == ground.shape == seen.shape:
        raise ValueError(
            f"points, cells, open_cells: found shapes {held.shape}, {ground.shape} and {seen.shape}, expected (k,) for "
            "all"
        )
    for name, values in (("points", held), ("cells", ground), ("open_cells", seen)):
        if not (np.isfinite(values) & (values >= 0.0)).all():
            raise ValueError(f"{name}: found {values.min():.4g}, expected finite numbers, none below 0")
    if not held.any():
        raise ValueError("points: found none in any class, expected at least one; look at their CRS and at the mask")
    if (seen > ground).any():
        raise ValueError(f"open_cells: class {np.argmax(seen > ground) + 1} has more of them than cells")
    closed = (held > 0) & (seen == 0.0)
    if closed.any():
        raise ValueError(
            f"points: class {np.argmax(closed) + 1} has {held[closed][0]:g} of them but no open cell; leave out points "
            "that lie on masked ground"
        )
    return held, ground, seen
