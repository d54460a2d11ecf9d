"""Differences between the two blocks of a window, and noise with their spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.models.scenery.pair_weights import Estimator
from slidecloud.types import Float32, Float64

Axis = Literal["x", "y"]
GAP = 2
WINDOW_METRES = 400.0
PRODUCT_WIDTH = 0.7
"""Width of a box filter relative to the blocks' that gives products of two noises their spectrum."""


@dataclass(frozen=True)
class Blocks:
    """The window of an estimator on one grid: pixels along (y, x), as the gradients stage chooses them."""

    window: tuple[int, int]
    estimator: Estimator

    def lever(self, axis: Axis) -> int:
        """Pixels between what is compared."""
        if self.estimator == "sum":
            return 1
        size = self._along(axis)
        return size - self._block(axis)

    def pixels(self, axis: Axis) -> float:
        """Pixels of a block."""
        across = self.window[0] if axis == "x" else self.window[1]
        return float(across * (self._along(axis) if self.estimator == "sum" else self._block(axis)))

    def difference(self, field: Float32, axis: Axis) -> Float32:
        """Mean over the next block minus mean over the block here."""
        kernel = self._kernel(axis)
        return self._filtered(field, kernel, axis)

    def coverage(self, valid: NDArray[np.bool_], axis: Axis) -> Float32:
        """Share of valid pixels in the emptier of the two blocks."""
        kernel = np.abs(self._kernel(axis))
        half = len(kernel) // 2
        inside = valid.astype(np.float32)
        here, following = kernel.copy(), kernel.copy()
        here[half:], following[:half] = 0.0, 0.0
        parts = [self._filtered(inside, part / max(part.sum(), 1e-9), axis) for part in (here, following)]
        share: Float32 = np.minimum(*parts)
        return share

    def noise(self, white: Float32, axis: Axis) -> Float32:
        """Noise of unit variance as independent samples leave it in the gradient along an axis."""
        kernel = self._kernel(axis)
        across = self.window[0] if axis == "x" else self.window[1]
        size = np.sqrt((kernel**2).sum() / across)
        return (self._filtered(white, kernel, axis) / np.float32(size)).astype(np.float32)

    def product_noise(self, white: Float32, axis: Axis) -> Float32:
        """Noise of unit variance as products of two independent noises leave it."""
        along = self._along(axis) if self.estimator == "sum" else self._block(axis)
        across = self.window[0] if axis == "x" else self.window[1]
        sides = [max(1, round(PRODUCT_WIDTH * side)) for side in ((across, along) if axis == "x" else (along, across))]
        smooth = ndimage.uniform_filter(white, sides, mode="wrap")
        noise: Float32 = smooth * np.float32(np.sqrt(sides[0] * sides[1]))
        return noise

    def _along(self, axis: Axis) -> int:
        return self.window[1] if axis == "x" else self.window[0]

    def _block(self, axis: Axis) -> int:
        size = self._along(axis)
        return (size - (GAP if size >= 6 else 1)) // 2

    def _kernel(self, axis: Axis) -> Float64:
        size = self._along(axis)
        if self.estimator == "sum":
            kernel = np.zeros(size + 1)
            kernel[0], kernel[-1] = -1.0 / size, 1.0 / size
            return kernel
        block = self._block(axis)
        kernel = np.zeros(size)
        kernel[:block], kernel[size - block :] = -1.0 / block, 1.0 / block
        return kernel

    def _filtered(self, field: Float32, kernel: Float64, axis: Axis) -> Float32:
        along, across = (1, 0) if axis == "x" else (0, 1)
        size = self.window[0] if axis == "x" else self.window[1]
        # Even windows look half a pixel onward, as the kernels do.
        origin = -((self._along(axis) + 1) % 2)
        smooth = ndimage.uniform_filter1d(field, size, axis=across, mode="nearest", origin=-((size + 1) % 2))
        filtered: Float32 = ndimage.correlate1d(
            smooth, kernel.astype(np.float32), axis=along, mode="nearest", origin=origin
        )
        return filtered


def blocks_on(spacing: tuple[float, float], estimator: Estimator) -> Blocks:
    """The window of `WINDOW_METRES` on a grid, at least 3 pixels along each axis."""
    rows, columns = (max(3, int(np.floor(WINDOW_METRES / step + 0.5))) for step in spacing)
    return Blocks((rows, columns), estimator)
