"""What pairs leave of the series that fits them best."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import sbas
from slidecloud.kernels.weights import weight_table
from slidecloud.types import Float32, Float64


def residuals(
    phase: Float32,
    coherence: NDArray[np.uint8],
    reference: NDArray[np.intp],
    secondary: NDArray[np.intp],
    *,
    time: Float64,
    looks: float,
    robust: bool = False,
) -> tuple[Float64, NDArray[np.int16]]:
    """What pairs leave of the series that fits them best, and how many pairs each pixel has to spare.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, unwrapped and levelled, NaN = missing.
    coherence
        (pair, pixel) uint8, 255 times coherence, 0 = no data.
    reference, secondary
        (pair,) date indices.
    time
        (date,) years, increasing.
    looks
        Effective number of looks of the stack.
    robust
        Whether the series is that of least absolute deviations, not of least squares.

    Returns
    -------
    float64 (pair, pixel) rad, NaN = missing, and int16 (pixel,).
    """
    table = weight_table(looks=looks)
    fit = sbas.invert(phase, coherence, reference, secondary, time=time, weight_table=table, robust=robust)
    return (phase - (fit.series[secondary] - fit.series[reference])).astype(np.float64), fit.redundancy


def residual_of_dates(
    phase: Float32,
    coherence: NDArray[np.uint8],
    reference: NDArray[np.intp],
    secondary: NDArray[np.intp],
    *,
    time: Float64,
    looks: float,
) -> Float64:
    """Root mean square, over the pairs of each date, of what they leave of the series that fits them best.

    What the atmosphere adds to a date closes around every loop of pairs and is not seen in it: it tells of errors of
    unwrapping and of decorrelation.

    Parameters
    ----------
    phase
        (pair,) float32 rad, unwrapped and levelled, NaN = missing.
    coherence
        (pair,) uint8, 255 times coherence, 0 = no data.
    reference, secondary
        (pair,) date indices.
    time
        (date,) years, increasing.
    looks
        Effective number of looks of the stack.

    Returns
    -------
    float64 (date,) rad, NaN where no pair of the date has data, or none closes a loop.
    """
    known = np.where(coherence == 0, np.float32(np.nan), phase)[:, None]
    left, redundancy = residuals(known, coherence[:, None], reference, secondary, time=time, looks=looks)
    out = np.full(len(time), np.nan)
    if redundancy[0] < 1:
        return out
    for date in range(len(time)):
        own = left[((reference == date) | (secondary == date)) & np.isfinite(left[:, 0]), 0]
        if own.size:
            out[date] = math.sqrt(float((own**2).mean()))
    return out
