"""Delays of the troposphere and orbits: by models, by height, by a plane; and whether taking them off helps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32, Float64

HUBER = 1.345
"""Residuals beyond this many standard deviations count less: 95 % as efficient as least squares in Gaussian noise."""
STEPS = 20
LEAST_PIXELS = 30
"""A line or a plane is not fitted to fewer pixels."""
PRIOR = 0.05
"""What the slope of the whole scene weighs in a window, as a share of the information of the mean window."""


class Judgement(NamedTuple):
    """``before_std``, ``after_std``: robust standard deviation over the mask, in units of the maps. ``helps``: True if
    it falls by the share asked for."""

    before_std: float
    after_std: float
    helps: bool


def slant(zenith: ArrayLike, incidence: ArrayLike) -> Float32:
    """Delay along the line of sight, ``zenith / cos(incidence)``, float32 m.

    Parameters
    ----------
    zenith
        m, any shape.
    incidence
        Local angle of the line of sight from the vertical, rad, in [0, pi/2), of a shape that broadcasts.

    Raises
    ------
    ValueError
        If an incidence is out of its range.
    """
    theta = np.asarray(incidence, dtype=np.float64)
    if np.any((theta < 0) | (theta >= np.pi / 2)):
        raise ValueError("incidence: found angles below 0 or from pi/2 on, expected radians from the vertical")
    return (np.asarray(zenith, dtype=np.float64) / np.cos(theta)).astype(np.float32)


def delay_phase(first: ArrayLike, second: ArrayLike, wavelength: float) -> Float32:
    """Phase that the delays of two dates add to their pair, ``4 pi / wavelength * (second - first)``, float32 rad.

    A longer path at the second date is motion away from the satellite: positive. Take it off the phase of the pair.

    Parameters
    ----------
    first, second
        Slant delays at reference and secondary date, m, one shape.
    wavelength
        m, positive.

    Raises
    ------
    ValueError
        If the wavelength is not positive.
    """
    if not wavelength > 0:
        raise ValueError(f"wavelength: found {wavelength}, expected positive metres")
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    return (4 * np.pi / wavelength * difference).astype(np.float32)


def height_correlated(
    phase: Float32, elevation: Float32, *, mask: NDArray[np.bool_], window: int | None = None
) -> Float32:
    """The part of a map that is linear in elevation: what a change of stratification leaves.

    A robust line (Huber, 1964) through the pixels of the mask. With `window`, one through each of half-overlapping
    windows, each with its own intercept; their slopes are blended smoothly, each by what its relief tells, and fall
    back on that of the whole where there is no relief. The part is ``slope * (elevation - median elevation of the
    mask)``, so its level is that of the map's at the median elevation: it leaves the level of the map as it is.

    Parameters
    ----------
    phase
        (y, x) of a date or a pair, in any unit; NaN = missing.
    elevation
        (y, x), m; NaN = missing.
    mask
        (y, x) bool: coherent ground at rest, outside detections. Only it is fitted.
    window
        Pixels along a side; None for one slope.

    Returns
    -------
    float32 (y, x), unit of ``phase``: the part to take off, also outside the mask and where ``phase`` is missing; NaN
    where elevation is.

    Raises
    ------
    ValueError
        If shapes disagree, the window has less than eight pixels along a side, or the mask has fewer than 30 valid
        pixels or no relief.

    References
    ----------
    Huber, P. J. (1964), Robust estimation of a location parameter, Ann. Math. Statist. 35(1), 73-101.
    Bekaert, D. P. S. et al. (2015), A spatially variable power law tropospheric correction technique for InSAR data,
    J. Geophys. Res. Solid Earth 120(2), 1345-1356.
    """
    usable = _usable(phase, mask, elevation)
    level = float(np.median(elevation[usable]))
    height = elevation.astype(np.float64) - level
    slope, told = _line(height[usable], phase[usable])
    if not told > 0:
        raise ValueError("elevation: found one height over the mask, expected relief; leave the correction out")
    if window is None:
        return np.asarray(slope * height, dtype=np.float32)
    if window < 8:
        raise ValueError(f"window: found {window}, expected at least 8 pixels along a side")
    return (_blended(phase, height, usable, window, slope) * height).astype(np.float32)


def ramp(phase: Float32, *, mask: NDArray[np.bool_]) -> Float32:
    """The plane through a map, ``a + b row + c column``, fitted robustly (Huber) to the pixels of a mask.

    Parameters
    ----------
    phase
        (y, x) of a date or a pair, in any unit; NaN = missing.
    mask
        (y, x) bool: coherent ground at rest, outside detections.

    Returns
    -------
    float32 (y, x), unit of ``phase``: the part to take off, everywhere.

    Raises
    ------
    ValueError
        If shapes disagree or the mask has fewer than 30 valid pixels, or all of them in one line.
    """
    usable = _usable(phase, mask)
    rows, columns = (np.linspace(-1, 1, n) for n in phase.shape)
    y, x = np.nonzero(usable)
    design = np.stack([np.ones(y.size), rows[y], columns[x]])
    found, normal = _huber(design, phase[usable].astype(np.float64))
    if np.linalg.cond(normal) > 1e10:
        raise ValueError("mask: found its pixels in one line, expected an area; leave the ramp out")
    plane: Float64 = found[0] + found[1] * rows[:, None] + found[2] * columns[None]
    return plane.astype(np.float32)


def checkerboard(shape: tuple[int, int], *, side: int) -> NDArray[np.bool_]:
    """Fields of `side` pixels, True and False in turn, (y, x).

    What is fitted to pixels always lessens their own scatter: fit a correction on one colour, judge it on the other.
    """
    rows, columns = (np.arange(n) // side for n in shape)
    chosen: NDArray[np.bool_] = (rows[:, None] + columns[None]) % 2 == 0
    return chosen


def judge(before: Float32, after: Float32, *, mask: NDArray[np.bool_], least_gain: float = 0.0) -> Judgement:
    """Whether a correction of a date or a pair lessens the scatter of ground at rest.

    The scatter is half the distance of the quantiles at 16 and 84 %, which a few unwrapping errors do not move.

    Parameters
    ----------
    before, after
        (y, x), NaN = missing. Pixels valid in both are compared.
    mask
        (y, x) bool: ground at rest that the correction was not fitted to.
    least_gain
        Share in [0, 1) by which the scatter must fall.

    Raises
    ------
    ValueError
        If shapes disagree or fewer than 30 pixels can be compared.
    """
    usable = _usable(before, mask, after)
    was, now = (_scatter(values[usable]) for values in (before, after))
    return Judgement(was, now, now < was * (1 - least_gain))


def _scatter(values: Float32) -> float:
    low, high = np.quantile(values.astype(np.float64), [0.1587, 0.8413])
    return float(high - low) / 2


def _usable(phase: Float32, mask: NDArray[np.bool_], *others: Float32) -> NDArray[np.bool_]:
    if phase.ndim != 2 or any(other.shape != phase.shape for other in (mask, *others)):
        shapes = ", ".join(str(other.shape) for other in (phase, mask, *others))
        raise ValueError(f"phase, mask: found shapes {shapes}, expected one shape (y, x)")
    usable: NDArray[np.bool_] = mask & np.isfinite(phase)
    for other in others:
        usable &= np.isfinite(other)
    if np.count_nonzero(usable) < LEAST_PIXELS:
        raise ValueError(
            f"mask: found {np.count_nonzero(usable)} valid pixels, expected at least {LEAST_PIXELS}; widen the stable "
            "area or leave the correction out"
        )
    return usable


def _huber(design: Float64, values: Float64) -> tuple[Float64, Float64]:
    """Coefficients (term,) of ``design`` (term, pixel) by reweighted least squares, and their last normal matrix."""
    weight: Float64 = np.ones(values.size)
    found: Float64 = np.zeros(len(design))
    for _ in range(STEPS):
        normal = (design * weight) @ design.T
        previous = found
        found = np.asarray(np.linalg.lstsq(normal, design @ (weight * values), rcond=None)[0], dtype=np.float64)
        residual = np.abs(values - found @ design)
        spread = float(np.median(residual)) / 0.6745
        if spread <= 0 or np.all(np.abs(found - previous) <= 1e-6 * spread):
            break
        weight = np.minimum(1.0, HUBER * spread / np.maximum(residual, 1e-30))
    return found, normal


def _line(height: Float64, values: Float32) -> tuple[float, float]:
    """Slope of the values against height, and what the heights tell of it: their weighted sum of squares."""
    found, normal = _huber(np.stack([np.ones(height.size), height]), values.astype(np.float64))
    return float(found[1]), float(normal[1, 1] - normal[0, 1] ** 2 / normal[0, 0])


def _blended(phase: Float32, height: Float64, usable: NDArray[np.bool_], window: int, overall: float) -> Float64:
    """Slope at every pixel, from those of half-overlapping windows."""
    centres = [np.arange(0, n + window // 2, window // 2) for n in phase.shape]
    slopes, told = np.full((2, centres[0].size, centres[1].size), 0.0)
    half = window // 2
    for i, row in enumerate(centres[0]):
        for j, column in enumerate(centres[1]):
            part = np.s_[max(row - half, 0) : row + half, max(column - half, 0) : column + half]
            inside = usable[part]
            if np.count_nonzero(inside) >= LEAST_PIXELS:
                slopes[i, j], told[i, j] = _line(height[part][inside], phase[part][inside])
    prior = PRIOR * float(told.mean())
    tents = [
        np.maximum(0.0, 1 - np.abs(np.arange(n)[:, None] - centre[None]) / half)
        for n, centre in zip(phase.shape, centres, strict=True)
    ]
    share = tents[0] @ told @ tents[1].T
    blended: Float64 = (tents[0] @ (told * slopes) @ tents[1].T + prior * overall) / (share + prior)
    return blended
