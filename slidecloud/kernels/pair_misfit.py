"""How far each pair is from the series that the others agree on, and how noisy pairs and dates are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.pair_quality import noise_of_dates
from slidecloud.kernels.residuals import residuals
from slidecloud.types import Float32, Float64


class Misfit(NamedTuple):
    """What `misfit` returns.

    Attributes
    ----------
    off
        bool (pair, pixel), where the pair is off by more than half a turn; false without data.
    rms
        float64 (pair,) rad, root mean square of what it leaves; NaN for a pair without data.
    """

    off: NDArray[np.bool_]
    rms: Float64


def misfit(
    phase: Float32,
    coherence: NDArray[np.uint8],
    reference: NDArray[np.intp],
    secondary: NDArray[np.intp],
    *,
    time: Float64,
    looks: float,
) -> Misfit:
    """How far each pair is from the series that most pairs agree on.

    The series is that of least absolute deviations, which the fewest pairs contradict: where a loop of pairs does not
    close, it is the other loops that tell which of its pairs is wrong. A pair that nothing checks contradicts nothing.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, unwrapped and levelled, NaN = missing.
    coherence
        (pair, pixel) uint8, 255 times coherence, 0 = no data.
    reference, secondary
        (pair,) integer date indices, reference earlier, each pair once.
    time
        (date,) years, increasing.
    looks
        Effective number of looks of the stack.
    """
    left, _ = residuals(phase, coherence, reference, secondary, time=time, looks=looks, robust=True)
    known = np.isfinite(left) & (coherence > 0)
    left[~known] = 0
    return Misfit(np.abs(left) > np.pi, np.sqrt(_mean((left**2).sum(axis=1), known.sum(axis=1))))


class Noise(NamedTuple):
    """What `noise` returns.

    Attributes
    ----------
    pairs
        float64 (pair,) rad, root mean square of what a pair leaves of the series; NaN where nothing checks it.
    dates
        float64 (date,) rad, as `slidecloud.kernels.pair_quality.noise_of_dates` says.
    """

    pairs: Float64
    dates: Float64


def noise(
    phase: Float32,
    coherence: NDArray[np.uint8],
    reference: NDArray[np.intp],
    secondary: NDArray[np.intp],
    *,
    time: Float64,
    looks: float,
) -> Noise:
    """How noisy pairs and dates are, by what pairs leave of the series that fits them best.

    Parameters are those of `misfit`. A fit takes some of the noise with it: squares of residuals are raised by
    the number of pairs over those to spare, pixel by pixel. What the atmosphere adds to a date is not in it.
    """
    left, redundancy = residuals(phase, coherence, reference, secondary, time=time, looks=looks)
    known = np.isfinite(left) & (coherence > 0) & (redundancy > 0)
    raised = np.where(known, left, 0) ** 2 * (known.sum(axis=0) / np.maximum(redundancy, 1))
    counted = known.sum(axis=1)
    variance = _mean(raised.sum(axis=1), counted)
    dates = noise_of_dates(variance, reference, secondary, dates=len(time))
    seen = np.unique(np.concatenate([reference[counted > 0], secondary[counted > 0]]))
    return Noise(np.sqrt(variance), np.where(np.isin(np.arange(len(time)), seen), dates, np.nan))


def _mean(total: Float64, number: NDArray[np.intp]) -> Float64:
    """NaN where there is nothing."""
    mean: Float64 = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return mean
