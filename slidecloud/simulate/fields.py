"""Gaussian random fields with a given power spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import fft

from slidecloud.types import Float32, Float64

PADDING = 2
Density = Callable[[Float64], Float64]


class Spectrum(NamedTuple):
    """A spectrum sampled once for many fields: `amplitude` (ky, kx) of the real FFT on the grid `padded`."""

    amplitude: Float32
    padded: tuple[int, int]
    shape: tuple[int, int]


def spectrum(shape: tuple[int, int], spacing: tuple[float, float], density: Density) -> Spectrum:
    """Sample a two-dimensional power density, scaled to fields of unit variance.

    Fields are drawn on twice the grid and cropped, so that opposite edges are independent.

    Parameters
    ----------
    shape, spacing
        Pixels and metres per pixel along (y, x).
    density
        Relative power against wavenumber (cycles/m); frequency 0 carries none.
    """
    rows, columns = (fft.next_fast_len(PADDING * n, real=True) for n in shape)
    ky = fft.fftfreq(rows, spacing[0])[:, None]
    kx = fft.rfftfreq(columns, spacing[1])[None, :]
    k = np.hypot(ky, kx)
    k[0, 0] = 1.0
    power = density(k)
    power[0, 0] = 0.0
    twice = np.full(kx.shape[1], 2.0)
    twice[0] = 1.0
    twice[-1] = 1.0 if columns % 2 == 0 else 2.0
    variance = float((power * twice).sum()) / (rows * columns)
    return Spectrum(np.sqrt(power / variance).astype(np.float32), (rows, columns), shape)


def draw(rng: np.random.Generator, of: Spectrum) -> Float32:
    """One field (y, x), float32, of expected mean 0 and variance 1."""
    white = rng.standard_normal(of.padded, dtype=np.float32)
    field = fft.irfft2(fft.rfft2(white) * of.amplitude, s=of.padded)
    crop: Float32 = np.ascontiguousarray(field[: of.shape[0], : of.shape[1]], dtype=np.float32)
    return crop


def power_law(exponent: float, *, longest: float, shortest: float = 0.0) -> Density:
    """Density ``k**exponent``, flat beyond the wavelength `longest` and none below `shortest` (m)."""

    def density(k: Float64) -> Float64:
        power = np.maximum(k, 1.0 / longest) ** exponent
        return np.where(k * shortest <= 1.0, power, 0.0)

    return density
