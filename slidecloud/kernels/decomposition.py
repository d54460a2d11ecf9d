"""Motion along other directions than the line of sight: east and up from several looks, and down the slope from one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32, Float64


class EastUp(NamedTuple):
    """What `east_up` returns, all of the shape of a look.

    Attributes
    ----------
    east, up
        float32, in the unit of the rates, positive eastward and upward; NaN where `usable` is False.
    east_sigma, up_sigma
        float32, from the sigmas of the looks.
    correlation
        float32, of the errors of east and up, in (-1, 1).
    condition
        float32, ratio of the larger to the smaller singular value of the looks at hand; inf where they see one
        direction alone, NaN with fewer than two.
    usable
        bool: at least two looks, apart enough.
    """

    east: Float32
    up: Float32
    east_sigma: Float32
    up_sigma: Float32
    correlation: Float32
    condition: Float32
    usable: NDArray[np.bool_]


class Downslope(NamedTuple):
    """What `downslope` returns, all of the shape of the rate.

    Attributes
    ----------
    rate, sigma
        float32, in the unit given, positive down the slope; NaN where `usable` is False.
    sensitivity
        float32, share of downslope motion that the line of sight keeps, in [-1, 1]; negative where it moves away from
        the satellite.
    usable
        bool: the sensitivity is large enough.
    """

    rate: Float32
    sigma: Float32
    sensitivity: Float32
    usable: NDArray[np.bool_]


def east_up(
    rate: ArrayLike, sigma: ArrayLike, los_east: ArrayLike, los_up: ArrayLike, *, worst_condition: float = 5.0
) -> EastUp:
    """East and up by weighted least squares from lines of sight, northward motion taken to be zero.

    Radars in polar orbits hardly see the north (Wright et al., 2004): what Sentinel-1's ascending and descending passes
    see of it at 39° comes out as motion down, 0.17 of it.

    Parameters
    ----------
    rate
        (look, ...) displacement or velocity along each line of sight, positive towards the satellite; NaN = missing.
        All looks are relative to one reference.
    sigma
        Of the same shape, positive.
    los_east, los_up
        Components of the unit vectors from the ground to the satellite; (look, ...), or what broadcasts to it.
    worst_condition
        Looks whose condition is larger are too alike: 1.3 for Sentinel-1 ascending and descending at 39°.

    Raises
    ------
    ValueError
        If shapes disagree, there is a single look, or a valid sigma is not positive.

    References
    ----------
    Wright, T. J., Parsons, B. E., Lu, Z. (2004), Toward mapping surface deformation in three dimensions using InSAR,
    Geophys. Res. Lett. 31, L01607.
    """
    seen, spread = np.asarray(rate, np.float64), np.asarray(sigma, np.float64)
    if seen.shape != spread.shape or seen.ndim < 1 or len(seen) < 2:
        raise ValueError(
            f"rate, sigma: found shapes {seen.shape}, {spread.shape}, expected one shape (look, ...) with at least two "
            "looks"
        )
    e, u = (np.broadcast_to(np.asarray(part, np.float64), seen.shape) for part in (los_east, los_up))
    known = np.isfinite(seen) & np.isfinite(spread) & np.isfinite(e) & np.isfinite(u)
    if np.any(known & (spread <= 0)):
        raise ValueError("sigma: found values of 0 or less, expected positive ones; NaN where a look is missing")
    condition = _condition(known, e, u)
    usable = condition <= worst_condition
    weight = np.where(known, 1 / np.where(known, spread, 1.0) ** 2, 0.0)
    a, b, c = (np.where(known, weight * part, 0.0).sum(0) for part in (e * e, e * u, u * u))
    right = [np.where(known, weight * part * seen, 0.0).sum(0) for part in (e, u)]
    determinant = np.where(usable, a * c - b * b, np.nan)
    east, up = (c * right[0] - b * right[1]) / determinant, (a * right[1] - b * right[0]) / determinant
    east_sigma, up_sigma = np.sqrt(c / determinant), np.sqrt(a / determinant)
    correlation = -b / np.sqrt(np.where(usable, a * c, np.nan))
    return EastUp(
        _single(east), _single(up), _single(east_sigma), _single(up_sigma), _single(correlation), _single(condition),
        usable,
    )  # fmt: skip


def _single(values: Float64) -> Float32:
    return np.asarray(values, dtype=np.float32)


def _condition(known: NDArray[np.bool_], e: Float64, u: Float64) -> Float64:
    a, b, c = (np.where(known, part, 0.0).sum(0) for part in (e * e, e * u, u * u))
    middle, apart = (a + c) / 2, np.hypot((a - c) / 2, b)
    largest, smallest = middle + apart, middle - apart
    alike = smallest <= 1e-12 * largest
    ratio = np.where(alike, np.inf, np.sqrt(largest / np.where(alike, 1.0, smallest)))
    condition: Float64 = np.where(known.sum(0) >= 2, ratio, np.nan)
    return condition


def downslope(
    rate: ArrayLike,
    sigma: ArrayLike,
    slope: ArrayLike,
    aspect: ArrayLike,
    los_east: ArrayLike,
    los_north: ArrayLike,
    los_up: ArrayLike,
    *,
    least: float = 0.2,
) -> Downslope:
    """Speed down the steepest slope that gives the one seen, if the ground moves parallel to its surface.

    The line of sight keeps ``sin a cos s * east + cos a cos s * north - sin s * up`` of it, s slope, a aspect (Notti et
    al., 2014).

    Parameters
    ----------
    rate, sigma
        Displacement or velocity along the line of sight, positive towards the satellite, and its sigma.
    slope
        rad above horizontal.
    aspect
        Direction of steepest descent, rad clockwise from north.
    los_east, los_north, los_up
        Unit vector from the ground to the satellite.
    least
        Where less than this share is kept, in either direction, nothing is said: noise would grow by its inverse.

    Raises
    ------
    ValueError
        If shapes do not go together or `least` is outside (0, 1].

    References
    ----------
    Notti, D. et al. (2014), A methodology for improving landslide PSI data analysis, Int. J. Remote Sens. 35(6),
    2186-2214.
    """
    if not 0 < least <= 1:
        raise ValueError(f"least: found {least}, expected a share above 0 and at most 1")
    s, a = np.asarray(slope, np.float64), np.asarray(aspect, np.float64)
    level = np.cos(s)
    east, north, up = (np.asarray(part, np.float64) for part in (los_east, los_north, los_up))
    kept = np.sin(a) * level * east + np.cos(a) * level * north - np.sin(s) * up
    seen, spread, kept = np.broadcast_arrays(np.asarray(rate, np.float64), np.asarray(sigma, np.float64), kept)
    usable = np.abs(kept) >= least
    divisor = np.where(usable, kept, np.nan)
    return Downslope(_single(seen / divisor), _single(spread / np.abs(divisor)), _single(kept), usable)


def downslope_of_looks(
    rate: ArrayLike,
    sigma: ArrayLike,
    slope: ArrayLike,
    aspect: ArrayLike,
    los_east: ArrayLike,
    los_north: ArrayLike,
    los_up: ArrayLike,
    *,
    least: float = 0.2,
) -> Downslope:
    """Speed down the steepest slope that agrees best with several looks, each as `downslope` takes it.

    Least squares by the sigmas of the looks that keep enough of it; the others are left out.

    Parameters
    ----------
    rate, sigma
        (look, ...), NaN = missing; all relative to one reference.
    slope, aspect, least
        As for `downslope`.
    los_east, los_north, los_up
        (look, ...).

    Returns
    -------
    Downslope
        ``sensitivity`` is that of the look at hand that keeps most; NaN where there is none.

    Raises
    ------
    ValueError
        As `downslope`.
    """
    single = downslope(rate, sigma, slope, aspect, los_east, los_north, los_up, least=least)
    here = np.isfinite(np.asarray(rate, np.float64)) & np.isfinite(np.asarray(sigma, np.float64))
    told = single.usable & here
    speed, spread = single.rate.astype(np.float64), single.sigma.astype(np.float64)
    weight = np.where(told, 1 / np.where(told, spread, 1.0) ** 2, 0.0)
    usable: NDArray[np.bool_] = np.any(told, axis=0)
    total = np.where(usable, weight.sum(axis=0), np.nan)
    kept = np.where(here & np.isfinite(single.sensitivity), single.sensitivity, 0.0)
    best = np.take_along_axis(kept, np.abs(kept).argmax(axis=0)[None], axis=0)[0]
    return Downslope(
        _single(np.where(told, weight * speed, 0.0).sum(axis=0) / total),
        _single(1 / np.sqrt(total)),
        _single(np.where(here.any(axis=0), best, np.nan)),
        usable,
    )
