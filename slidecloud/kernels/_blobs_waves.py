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


class Space(NamedTuple):
    """Frequencies `kx`, `ky` of maps of blocks, rad per block, and the `square` of their length; the maps' `shape`, and
    the `padded` one of the transform."""

    kx: Float32
    ky: Float32
    square: Float32
    shape: tuple[int, ...]
    padded: tuple[int, ...]

    def spectrum(self, values: Float32) -> NDArray[np.complex64]:
        """Of a map (y, x)."""
        found: NDArray[np.complex64] = fft.rfft2(values, self.padded)
        return found

    def smooth(self, spectrum: NDArray[np.complex64], window: NDArray[np.float32 | np.complex64]) -> Float32:
        """The map of a spectrum times a window."""
        rows, columns = self.shape
        found: Float32 = fft.irfft2(spectrum * window, self.padded)[:rows, :columns]
        return found


class Waves(NamedTuple):
    """Spectra of gradients over their variance, of the weight 1 / variance, and of the plain gradients' divergence."""

    space: Space
    x: NDArray[np.complex64]
    y: NDArray[np.complex64]
    weight: NDArray[np.complex64]
    divergence: NDArray[np.complex64]


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


def space_of(evidence: Evidence, reach: int) -> Space:
    """Frequencies, with room for a reach of so many blocks so that far edges do not meet."""
    shape = evidence.x.shape
    padded = tuple(fft.next_fast_len(n + reach, real=True) for n in shape)
    ky = (2 * np.pi * fft.fftfreq(padded[0])).astype(np.float32)[:, None]
    kx = (2 * np.pi * fft.rfftfreq(padded[1])).astype(np.float32)[None]
    return Space(kx, ky, kx**2 + ky**2, shape, padded)


def spectra(evidence: Evidence, reach: int) -> Waves:
    """Spectra of all that the classical detector smooths."""
    space = space_of(evidence, reach)
    return Waves(
        space=space,
        x=space.spectrum(evidence.x),
        y=space.spectrum(evidence.y),
        weight=space.spectrum((evidence.x_weight + evidence.y_weight) * np.float32(0.5)),
        divergence=divergence(evidence, space),
    )


def divergence(evidence: Evidence, space: Space) -> NDArray[np.complex64]:
    """Spectrum of the divergence of gradients.

    For motion a gradient counts as it is, except where so little is known of it that it would only add noise.
    """
    x, y = trusted(evidence.x, evidence.x_weight), trusted(evidence.y, evidence.y_weight)
    found: NDArray[np.complex64] = np.complex64(1j) * (space.kx * space.spectrum(x) + space.ky * space.spectrum(y))
    return found


def trusted(weighted: Float32, weight: Float32) -> Float32:
    """Mean gradient of each block; less where so little is known of it that it would only add noise."""
    mean: Float32 = ratio(weighted, weight) * np.minimum(weight / (BLOCK**2 / 2), 1)
    return mean


def curvature(waves: Waves, window: Float32) -> tuple[Float32, Float32, Float32]:
    """Second derivatives (y, x) of smoothed motion, times the weight and with the sign turned, so that hills count.

    Where a window reaches beyond what is known, even an even slope would leave its edge behind: the slope around a
    place is taken out of what is seen from there.
    """
    space = waves.space
    along, down = -1j * space.kx * window, -1j * space.ky * window
    level = space.smooth(waves.weight, window)
    lost_x, lost_y = space.smooth(waves.weight, along), space.smooth(waves.weight, down)
    slope_x, slope_y = (ratio(space.smooth(wave, window), level) for wave in (waves.x, waves.y))
    xx: Float32 = space.smooth(waves.x, along) - slope_x * lost_x
    yy: Float32 = space.smooth(waves.y, down) - slope_y * lost_y
    xy: Float32 = space.smooth(waves.x, down) + space.smooth(waves.y, along) - slope_x * lost_y - slope_y * lost_x
    return xx, yy, xy * np.float32(0.5)


def motion(divergence: NDArray[np.complex64], space: Space, *, finest: float, widest: float) -> Float32:
    """Motion (y, x) put together from the divergence of its gradients, freed of what is finer and of what is wider.

    ``-divergence / k^2`` in the spectrum (Frankot and Chellappa 1988); the square of the wave number is raised by that
    of `widest`. Both lengths in blocks.
    """
    fine = np.exp(space.square * np.float32(-0.5 * finest**2))
    return space.smooth(-divergence, fine / (space.square + np.float32(widest**-2)))


def ratio(part: Float32, whole: Float32) -> Float32:
    """Part over whole; 0 where there is nothing."""
    found: Float32 = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return found
