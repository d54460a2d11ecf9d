"""What scatters dates and is smooth in space: atmosphere that no model took off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from slidecloud.types import Float32, Float64

BLOCK = 32768
"""Pixels filtered in time at once; some ten arrays of double precision."""
REACH = 4.0
"""Standard deviations beyond which the spatial filter does not look across the edge of the scene."""
LEAST_SHARE = 0.01
"""Where known ground has less than this share of the filter's weight, a filter twice as wide takes over."""


def noise_of_dates(
    displacement: Float32, time: ArrayLike, *, mask: NDArray[np.bool_], distance_pixels: float, years: float
) -> Float32:
    """Atmosphere of each date: high-pass in time, low-pass in space (Ferretti et al., 2001; Berardino et al., 2002).

    In time, what a local line through the neighbouring dates (Gaussian weights of standard deviation `years`) leaves;
    steady motion passes without loss, and so does what of the atmosphere looks like it: the filter steadies series, not
    their velocities. In space, a Gaussian mean of standard deviation
    `distance_pixels` over the mask alone: inside holes of the mask, such as detected landslides, it is interpolated
    from the ground around them, so that nothing of their own motion gets into it.

    Parameters
    ----------
    displacement
        (date, y, x), any unit; NaN = missing. Relative to any date: the constant of a pixel does not matter.
    time
        (date,) years, increasing.
    mask
        (y, x) bool: coherent ground at rest, outside detections.
    distance_pixels
        Positive.
    years
        Positive.

    Returns
    -------
    float32 (date, y, x), unit of ``displacement``: the part to take off, at every pixel; 0 at dates without a valid
    pixel in the mask. Refer the series to their first date again afterwards.

    Raises
    ------
    ValueError
        If shapes disagree, there are fewer than three dates, the mask is empty or a width is not positive.

    References
    ----------
    Ferretti, A., Prati, C., Rocca, F. (2001), Permanent scatterers in SAR interferometry, IEEE Trans. Geosci. Remote
    Sens. 39(1), 8-20.
    """
    moment = np.asarray(time, dtype=np.float64)
    if displacement.ndim != 3 or moment.shape != displacement.shape[:1] or mask.shape != displacement.shape[1:]:
        raise ValueError(
            f"displacement, time, mask: found shapes {displacement.shape}, {moment.shape}, {mask.shape}, expected "
            "(date, y, x), (date,) and (y, x)"
        )
    if moment.size < 3 or np.any(np.diff(moment) <= 0):
        raise ValueError(f"time: found {moment.size} dates or a step back, expected at least three, increasing")
    if not (distance_pixels > 0 and years > 0):
        raise ValueError(f"distance_pixels, years: found {distance_pixels}, {years}, expected positive numbers")
    if not mask.any():
        raise ValueError("mask: found no pixel, expected ground at rest; leave the filter out")
    series = displacement[:, mask]
    left = np.empty(series.shape, np.float32)
    for start in range(0, series.shape[1], BLOCK):
        part = np.s_[:, start : start + BLOCK]
        left[part] = _quick(series[part].astype(np.float64), moment, years)
    noise = np.empty(displacement.shape, np.float32)
    room = np.zeros(mask.shape)
    for date, row in enumerate(left):
        known = np.isfinite(row)
        room[mask] = np.where(known, row, 0.0)
        share = np.zeros(mask.shape)
        share[mask] = known
        noise[date] = _spread(room, share, distance_pixels)
    return noise


def _quick(values: Float64, time: Float64, years: float) -> Float64:
    """What local lines through the (date, pixel) values leave; NaN where a value is missing or has no neighbour."""
    apart = time[None] - time[:, None]
    kernel = np.exp(-0.5 * (apart / years) ** 2)
    known = np.isfinite(values).astype(np.float64)
    filled = np.where(known > 0, values, 0.0)
    zero, one, two = (kernel * apart**p @ known for p in range(3))
    sums, moments = (kernel * apart**p @ filled for p in range(2))
    determinant = zero * two - one * one
    enough = determinant > 1e-6 * zero * zero * years**2
    line = np.where(enough, two * sums - one * moments, np.nan) / np.where(enough, determinant, 1.0)
    left: Float64 = np.where(known > 0, filled - line, np.nan)
    return left


def _spread(values: Float64, share: Float64, distance: float) -> Float64:
    """Gaussian mean of values of weight `share` (0 or 1), carried as far as it takes to cover the scene."""
    found = np.zeros(values.shape)
    if not share.any():
        return found
    empty = np.ones(values.shape, np.bool_)
    while empty.any():
        weight = _smooth(share, distance)
        least = LEAST_SHARE if distance < max(values.shape) else 0.0
        fresh = empty & (weight > least)
        found[fresh] = _smooth(values, distance)[fresh] / weight[fresh]
        empty &= ~fresh
        distance *= 2
    return found


def _smooth(values: Float64, distance: float) -> Float64:
    """Gaussian of standard deviation `distance` pixels and unit sum, nothing beyond the edges."""
    # Beyond its own size the scene looks alike to a wider filter; the share of its weight would only fall.
    width = min(distance, float(max(values.shape)))
    padded = [fft.next_fast_len(n + int(np.ceil(REACH * width)), real=True) for n in values.shape]
    ky, kx = fft.fftfreq(padded[0])[:, None], fft.rfftfreq(padded[1])[None]
    gain = np.exp(-2 * (np.pi * width) ** 2 * (ky**2 + kx**2))
    smooth: Float64 = fft.irfft2(fft.rfft2(values, padded) * gain, padded)[: values.shape[0], : values.shape[1]]
    return smooth
