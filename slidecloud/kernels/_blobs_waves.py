"""What the classical detector smooths: gradients in sigmas, as spectra of blocks; curvature and motion from them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from slidecloud.kernels.views import GradientView
from slidecloud.types import Float32

BLOCK: Final = 2
"""Pixels per side of the squares that are added up first: gradients of a window of ten pixels lose nothing."""

LARGEST: Final = 20.0
"""Gradients of more sigmas count as so many."""

FINER: Final = 0.35
WIDER: Final = 2.0
"""Motion finer and wider than so many scales does not count for a box."""


class Evidence(NamedTuple):
    """Sums over blocks, float32 (y, x): `x`, `y` of gradient over variance, `x_weight`, `y_weight` of 1 / variance.

    In units of the median sigma, so that one valid pixel of median sigma weighs 1.
    """

    x: Float32
    y: Float32
    x_weight: Float32
    y_weight: Float32


class Waves(NamedTuple):
    """Spectra of gradients over their variance, of the weight 1 / variance, and of the divergence of plain gradients;
    `kx`, `ky`, `square` are the frequencies, rad per block, and the square of their length."""

    x: NDArray[np.complex64]
    y: NDArray[np.complex64]
    weight: NDArray[np.complex64]
    divergence: NDArray[np.complex64]
    kx: Float32
    ky: Float32
    square: Float32
    shape: tuple[int, ...]
    padded: tuple[int, ...]

    def smooth(self, spectrum: NDArray[np.complex64], window: NDArray[np.float32 | np.complex64]) -> Float32:
        """The map of a spectrum times a window."""
        rows, columns = self.shape
        found: Float32 = fft.irfft2(spectrum * window, self.padded)[:rows, :columns]
        return found


def gather(view: GradientView) -> Evidence:
    """Sum up gradients that are known along both axes, in blocks."""
    shapes = {values.shape for values in view[:4]}
    if len(shapes) != 1 or len(view.x.shape) != 2:
        raise ValueError(f"view: found maps of shapes {sorted(shapes)}, expected one shape (y, x)")
    sigmas = np.stack([view.x_sigma, view.y_sigma]).astype(np.float32)
    gradients = np.stack([view.x, view.y]).astype(np.float32)
    known = (np.isfinite(gradients) & np.isfinite(sigmas) & (sigmas > 0)).all(0)
    unit = np.median(sigmas[:, known]) if known.any() else np.float32(1)
    certainty = np.divide(unit, sigmas, out=np.zeros_like(sigmas), where=known)
    length = np.divide(gradients, sigmas, out=np.zeros_like(sigmas), where=known)
    x, y = _block_sums(np.clip(length, -LARGEST, LARGEST) * certainty)
    return Evidence(x, y, *_block_sums(certainty**2))


def _block_sums(maps: Float32) -> Float32:
    """Sums over blocks of (k, y, x); those at the far edges may lack pixels."""
    short = [(0, 0), *((0, -n % BLOCK) for n in maps.shape[1:])]
    full = np.pad(maps, short)
    parts = [full[:, i::BLOCK, j::BLOCK] for i in range(BLOCK) for j in range(BLOCK)]
    total: Float32 = np.sum(parts, axis=0)
    return total


def spectra(evidence: Evidence, reach: int) -> Waves:
    """Spectra, with room for a reach of so many blocks so that far edges do not meet."""
    shape = evidence.x.shape
    padded = tuple(fft.next_fast_len(n + reach, real=True) for n in shape)
    ky = (2 * np.pi * fft.fftfreq(padded[0])).astype(np.float32)[:, None]
    kx = (2 * np.pi * fft.rfftfreq(padded[1])).astype(np.float32)[None]
    x, y = fft.rfft2(evidence.x, padded), fft.rfft2(evidence.y, padded)
    # For motion a gradient counts as it is, except where so little is known of it that it would only add noise.
    flat = (trusted(g, w) for g, w in ((evidence.x, evidence.x_weight), (evidence.y, evidence.y_weight)))
    flat_x, flat_y = (fft.rfft2(values, padded) for values in flat)
    return Waves(
        x=x,
        y=y,
        weight=fft.rfft2((evidence.x_weight + evidence.y_weight) / 2, padded),
        divergence=1j * (kx * flat_x + ky * flat_y),
        kx=kx,
        ky=ky,
        square=kx**2 + ky**2,
        shape=shape,
        padded=padded,
    )


def trusted(weighted: Float32, weight: Float32) -> Float32:
    """Mean gradient of each block; less where so little is known of it that it would only add noise."""
    mean: Float32 = ratio(weighted, weight) * np.minimum(weight / (BLOCK**2 / 2), 1)
    return mean


def curvature(waves: Waves, window: Float32) -> tuple[Float32, Float32, Float32]:
    """Second derivatives (y, x) of smoothed motion, times the weight and with the sign turned, so that hills count.

    Where a window reaches beyond what is known, even an even slope would leave its edge behind: the slope around a
    place is taken out of what is seen from there.
    """
    along, down = -1j * waves.kx * window, -1j * waves.ky * window
    level = waves.smooth(waves.weight, window)
    lost_x, lost_y = waves.smooth(waves.weight, along), waves.smooth(waves.weight, down)
    slope_x, slope_y = (ratio(waves.smooth(wave, window), level) for wave in (waves.x, waves.y))
    xx: Float32 = waves.smooth(waves.x, along) - slope_x * lost_x
    yy: Float32 = waves.smooth(waves.y, down) - slope_y * lost_y
    xy: Float32 = waves.smooth(waves.x, down) + waves.smooth(waves.y, along) - slope_x * lost_y - slope_y * lost_x
    return xx, yy, xy * np.float32(0.5)


def motion(waves: Waves, width: float) -> Float32:
    """Motion (y, x) put together from its gradients, freed of noise that is finer and of motion that is wider."""
    fine = np.exp(-waves.square * np.float32((FINER * width) ** 2 / 2))
    return waves.smooth(-waves.divergence, fine / (waves.square + np.float32((WIDER * width) ** -2)))


def ratio(part: Float32, whole: Float32) -> Float32:
    """Part over whole; 0 where there is nothing."""
    found: Float32 = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return found
