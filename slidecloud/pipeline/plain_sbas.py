"""Small-baseline inversion as others write it: what the kernel's speed is compared with."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float32, Float64

Int = NDArray[np.int64]


def lstsq_series(phase: Float32, weight: Float32, reference: Int, secondary: Int) -> Float64:
    """Weighted least squares, one pixel after the other by ``numpy.linalg.lstsq``.

    Parameters
    ----------
    phase, weight
        (pair, pixel) rad and rad^-2; no gaps.
    reference, secondary
        (pair,) date indices.

    Returns
    -------
    ndarray
        Phase of every date but the first, relative to the first, float64 (date - 1, pixel) rad.
    """
    design = incidence(reference, secondary)
    root = np.sqrt(weight)
    series = np.empty((design.shape[1], phase.shape[1]))
    for pixel in range(phase.shape[1]):
        w = root[:, pixel]
        series[:, pixel] = np.linalg.lstsq(design * w[:, None], phase[:, pixel] * w, rcond=None)[0]
    return series


def shared_inverse(reference: Int, secondary: Int) -> Float32:
    """Pseudo-inverse of a network, float32 (date - 1, pair): times ``phase`` it gives unweighted series of all pixels.

    What can be had where every pixel has every pair and all weigh the same.
    """
    inverse: Float32 = np.linalg.pinv(incidence(reference, secondary)).astype(np.float32)
    return inverse


def incidence(reference: Int, secondary: Int) -> Float64:
    """Matrix (pair, date - 1) with -1 at the reference and +1 at the secondary date, without the first date."""
    rows = np.arange(len(reference))
    matrix = np.zeros((len(reference), int(secondary.max()) + 1))
    matrix[rows, reference], matrix[rows, secondary] = -1, 1
    return matrix[:, 1:]


def mintpy_solver(reference: Int, secondary: Int, time: Float64) -> Callable[[Float32, Float32], Float32] | None:
    """MintPy's own weighted inversion, pixel by pixel, as a function of phase and weight; None without MintPy.

    MintPy (GPL) is called where somebody installed it beside slidecloud, to compare, and for nothing else.
    """
    if find_spec("mintpy") is None:
        return None
    from mintpy.ifgram_inversion import estimate_timeseries

    interval = np.diff(time)
    step = np.arange(len(interval))
    spanned = (step >= reference[:, None]) & (step < secondary[:, None])
    displacement, velocity = incidence(reference, secondary), spanned * interval

    def solve(phase: Float32, weight: Float32) -> Float32:
        root = np.sqrt(weight)
        series = np.empty((len(time), phase.shape[1]), np.float32)
        for pixel in range(phase.shape[1]):
            one = slice(pixel, pixel + 1)
            series[:, one] = estimate_timeseries(
                displacement, velocity, phase[:, one], interval[:, None],
                weight_sqrt=root[:, one], inv_quality_name="no", print_msg=False,
            )[0]  # fmt: skip
        return series

    return solve
