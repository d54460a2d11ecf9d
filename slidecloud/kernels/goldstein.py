"""The adaptive filter of Goldstein and Werner: spatial frequencies that stand out of a window's spectrum are raised."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import fft2, ifft2
from scipy.ndimage import uniform_filter

from slidecloud.types import Float32

SMOOTHING = 3


def filtered(
    field: NDArray[np.complexfloating], *, alpha: float, window: int = 32, overlap: float = 0.75
) -> NDArray[np.complex64]:
    """An interferogram with its spectrum multiplied by the spectrum's own smoothed magnitude to a power.

    Parameters
    ----------
    field
        (y, x) complex, such as ``coherence * exp(i phase)``; 0 = no data.
    alpha
        The power, from 0 (nothing is filtered) to 1.
    window
        Side of the square windows, pixels, at least 4.
    overlap
        Share of a window's side that it has in common with the next, in [0, 1); a pixel's result is the mean
        over its windows, tapered towards their borders.

    Returns
    -------
    complex64 (y, x), 0 where the input is 0. Its magnitude means little: only the angle is of use.

    Raises
    ------
    ValueError
        If the field is not 2-D or not finite, or a number is out of range.

    Notes
    -----
    Goldstein and Werner (1998). The magnitude is smoothed over 3 x 3 frequencies and scaled to at most 1 in each
    window, so that windows count alike where they overlap. Beyond the borders the field is taken to be 0.
    """
    _check(field, alpha, window, overlap)
    if not field.size:
        return field.astype(np.complex64)
    step = max(1, round(window * (1 - overlap)))
    margin = window - step
    # Whole steps, so that every pixel lies in as many windows as any other.
    fill = [-(margin + n) % step for n in field.shape]
    padded = np.pad(field.astype(np.complex64), [(margin, margin + extra) for extra in fill])
    taper = np.sin(np.pi * (np.arange(window, dtype=np.float32) + np.float32(0.5)) / window) ** 2
    share = taper[:, None] * taper
    total = np.zeros_like(padded)
    for top in range(0, padded.shape[0] - window + 1, step):
        band = sliding_window_view(padded[top : top + window], window, axis=1)[:, ::step].swapaxes(0, 1)
        raised = _raise(band, alpha) * share
        for number, piece in enumerate(raised):
            total[top : top + window, number * step : number * step + window] += piece
    down, across = (
        _coverage(n, taper, step)[margin : margin + m] for n, m in zip(total.shape, field.shape, strict=True)
    )
    mean = total[margin : margin + field.shape[0], margin : margin + field.shape[1]] / (down[:, None] * across)
    result: NDArray[np.complex64] = np.where(field != 0, mean, np.complex64(0))
    return result


def _coverage(length: int, taper: Float32, step: int) -> Float32:
    """Sum of the tapers that lie on each place along an axis."""
    total = np.zeros(length, np.float32)
    for start in range(0, length - taper.size + 1, step):
        total[start : start + taper.size] += taper
    return total


def _raise(windows: NDArray[np.complex64], alpha: float) -> NDArray[np.complex64]:
    """Windows (number, side, side) after the filter."""
    spectrum = fft2(windows, axes=(1, 2))
    # Its running sums may fall below 0 by rounding.
    gain = np.maximum(uniform_filter(np.abs(spectrum), size=(1, SMOOTHING, SMOOTHING), mode="wrap"), 0)
    peak = gain.max(axis=(1, 2), keepdims=True)
    gain = np.power(gain / np.where(peak > 0, peak, np.float32(1)), np.float32(alpha), dtype=np.float32)
    result: NDArray[np.complex64] = ifft2(spectrum * gain, axes=(1, 2))
    return result


def _check(field: NDArray[np.complexfloating], alpha: float, window: int, overlap: float) -> None:
    if field.ndim != 2:
        raise ValueError(f"field: found shape {field.shape}, expected (y, x)")
    if not np.isfinite(field).all():
        raise ValueError("field: found values that are not finite, expected 0 where there is no data")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha: found {alpha}, expected 0 (no filter) to 1")
    if window < 4 or not 0 <= overlap < 1:
        raise ValueError(f"window, overlap: found {window} and {overlap}, expected at least 4 pixels and [0, 1)")
