"""Least squares for a field that is seen through differences of block means: operators, and conjugate gradients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from slidecloud.kernels._gradients_check import Axes
from slidecloud.types import Float64

LARGEST_WEIGHT: Final = 100.0
ROUGHNESS_POWER: Final = 6
STEPS: Final = 60
TOLERANCE: Final = 1e-2
_LEAST: Final = 1e-9

Spectrum = NDArray[np.complex128]


@dataclass(frozen=True)
class Blocks:
    """What stacking sees of a field, (y, x) each: windows of `size` pixels that hold two blocks of `block` pixels."""

    shape: Axes
    size: Axes
    block: Axes

    @cached_property
    def padded(self) -> Axes:
        """Shape of the field sought: windows reach beyond the patch, and opposite edges must not meet."""
        rows, columns = (fft.next_fast_len(n + 3 * w, real=True) for n, w in zip(self.shape, self.size, strict=True))
        return rows, columns

    @cached_property
    def waves(self) -> tuple[Float64, Float64]:
        """Wave numbers along (y, x), rad per pixel, (ky, 1) and (1, kx)."""
        rows, columns = self.padded
        return 2 * np.pi * fft.fftfreq(rows)[:, None], 2 * np.pi * fft.rfftfreq(columns)[None]

    @cached_property
    def responses(self) -> Spectrum:
        """Of the gradients along x and along y to a wave of the field, (2, ky, kx), per pixel step."""
        (ky, kx), (tall, wide), (short, narrow) = self.waves, self.size, self.block
        along_x = _response(kx, _difference(wide, narrow)) * _response(ky, np.full(tall, 1 / tall))
        along_y = _response(ky, _difference(tall, short)) * _response(kx, np.full(wide, 1 / wide))
        return np.stack([along_x, along_y])

    @cached_property
    def gain(self) -> Float64:
        """Standard deviations of gradients along x and along y of white noise of 1, (2, 1, 1)."""
        (tall, wide), (short, narrow) = self.size, self.block
        spread = [np.sqrt(2 / (narrow * tall)) / (wide - narrow), np.sqrt(2 / (short * wide)) / (tall - short)]
        return np.array(spread)[:, None, None]

    def see(self, field: Float64) -> Float64:
        """Gradients (..., 2, y, x) of fields (..., rows, columns) of the padded shape."""
        return self._cut(fft.irfft2(fft.rfft2(field)[..., None, :, :] * self.responses, self.padded))

    def spread(self, gradients: Float64) -> Spectrum:
        """The transpose of `see`, as a spectrum (..., ky, kx) of (..., 2, y, x)."""
        spectrum: Spectrum = (np.conj(self.responses) * fft.rfft2(gradients, self.padded)).sum(-3)
        return spectrum

    def _cut(self, field: Float64) -> Float64:
        rows, columns = self.shape
        return field[..., :rows, :columns]


@dataclass(frozen=True)
class Problem:
    """Gradients of a field along x and along y and their standard errors, float64 (2, y, x); where one is not known it
    is 0 and its error infinite. `smooth` is the shortest wave, in pixels, that the field may have."""

    blocks: Blocks
    data: Float64
    sigma: Float64
    smooth: float

    @cached_property
    def weight(self) -> Float64:
        """1 / sigma² relative to its median over known gradients, none above `LARGEST_WEIGHT`."""
        weight = 1.0 / self.sigma**2
        return np.minimum(weight / np.median(weight[weight > 0]), LARGEST_WEIGHT)

    @cached_property
    def _roughness(self) -> Float64:
        """Weight of a wave against being rough: that of its gradient for waves of `smooth` pixels, far less beyond."""
        ky, kx = self.blocks.waves
        shortest = 2 * np.pi / self.smooth
        penalty: Float64 = shortest**2 * ((kx**2 + ky**2) / shortest**2) ** (ROUGHNESS_POWER / 2)
        return penalty

    def solve(self, data: Float64, hold: Float64) -> Float64:
        """Fields (k, y, x) from gradients `data` (k, 2, y, x), held at zero with the weight `hold` (y, x).

        All fields are worked on at once, until each has converged.
        """
        blocks = self.blocks
        rows, columns = blocks.shape
        damping = (self.weight.mean((1, 2))[:, None, None] * np.abs(blocks.responses) ** 2).sum(0)
        damping += self._roughness + hold.mean() + _LEAST

        def normal(field: Float64) -> Float64:
            smooth = blocks.spread(self.weight * blocks.see(field)) + self._roughness * fft.rfft2(field)
            result: Float64 = fft.irfft2(smooth, blocks.padded)
            result[:, :rows, :columns] += hold * field[:, :rows, :columns]
            return result

        def precondition(rest: Float64) -> Float64:
            steered: Float64 = fft.irfft2(fft.rfft2(rest) / damping, blocks.padded)
            return steered

        rest: Float64 = fft.irfft2(blocks.spread(self.weight * data), blocks.padded)
        field = np.zeros_like(rest)
        steered = precondition(rest)
        way = steered.copy()
        left = start = _dot(rest, steered)
        for _ in range(STEPS):
            if (left <= TOLERANCE**2 * start).all():
                break
            pushed = normal(way)
            step = left / np.maximum(_dot(way, pushed), np.finfo(float).tiny)
            field += step * way
            rest -= step * pushed
            steered = precondition(rest)
            before, left = left, _dot(rest, steered)
            way = steered + left / np.maximum(before, np.finfo(float).tiny) * way
        return field[:, :rows, :columns]


def _response(wave: Float64, taps: Float64) -> Spectrum:
    """Of a window of taps, whose pixel is its middle or the one before, to waves."""
    offset = np.arange(taps.size) - (taps.size - 1) // 2
    response: Spectrum = sum(
        (tap * np.exp(1j * wave * k) for tap, k in zip(taps, offset, strict=True)), np.zeros(wave.shape, complex)
    )
    return response


def _difference(window: int, block: int) -> Float64:
    """Taps of the difference of the window's last and first block, over the distance of their centres."""
    taps = np.zeros(window)
    taps[:block] -= 1 / block
    taps[window - block :] += 1 / block
    return taps / (window - block)


def _dot(a: Float64, b: Float64) -> Float64:
    product: Float64 = (a * b).sum((-2, -1), keepdims=True)
    return product
