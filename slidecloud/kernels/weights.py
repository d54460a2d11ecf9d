"""Weights of pairs: the inverse variance of multilooked interferometric phase."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float32, Float64

HIGHEST = 254.75 / 255
"""Coherence that the stored value 255 stands for, the middle of what rounds to it: one itself has no variance."""


def phase_density(phase: Float64, coherence: float, looks: float) -> Float64:
    """Probability density (per rad) of the phase of a multilooked interferogram whose true phase is zero.

    The exact distribution for circular Gaussian speckle (Lee et al., 1994; Bamler and Hartl, 1998), written as an
    average: given the intensity G of one image, gamma-distributed with shape ``looks``, the phase is that of a constant
    in unit complex noise at a signal-to-noise ratio ``kappa G``, kappa = coherence^2 / (1 - coherence^2). Averaging
    over G leaves one smooth integral in place of the hypergeometric function, and holds for looks that are not whole.

    Parameters
    ----------
    phase
        Any shape, rad.
    coherence
        In [0, 1).
    looks
        Effective number of independent looks, positive.

    Returns
    -------
    float64 of the shape of ``phase``.
    """
    kappa = coherence**2 / (1 - coherence**2)
    cosine, sine_square = np.cos(phase), np.sin(phase) ** 2
    ratio = math.exp(math.lgamma(looks + 0.5) - math.lgamma(looks))
    even = (1 - coherence**2) ** looks
    odd = ratio * math.sqrt(math.pi * kappa) * cosine * (1 + kappa * sine_square) ** (-looks - 0.5)
    node, share = _nodes_towards_zero(96)
    reach = 1 + kappa * (sine_square[..., None] + (cosine[..., None] * node) ** 2)
    spread = 2 * kappa * looks * cosine**2 * (reach ** (-looks - 1) @ share)
    density: Float64 = (even + odd + spread) / (2 * math.pi)
    return density


def phase_variance(coherence: float, looks: float) -> float:
    """Variance (rad^2) of wrapped multilook phase about its true value; pi^2 / 3 at coherence 0."""
    node, share = _nodes_towards_zero(160)
    phase = math.pi * node
    return float(2 * math.pi * np.sum(share * phase**2 * phase_density(phase, coherence, looks)))


def inverse_phase_variance(coherence: NDArray[np.uint8], *, looks: float) -> Float32:
    """Weight of each pixel of a pair: one over the variance of its phase.

    Parameters
    ----------
    coherence
        uint8 of any shape, coherence times 255; 0 = no data.
    looks
        Effective number of independent looks, from 0.5 to 1000.

    Returns
    -------
    float32 rad^-2 of the same shape; 0 where there is no data.

    Raises
    ------
    TypeError
        If ``coherence`` is not uint8.
    ValueError
        If ``looks`` is outside its range.

    Notes
    -----
    Coherence estimated from few pixels is too high where it is low. That is not corrected here.
    """
    if np.asarray(coherence).dtype != np.uint8:
        raise TypeError(f"coherence: found dtype {np.asarray(coherence).dtype}, expected uint8 (255 times coherence)")
    weights: Float32 = weight_table(looks=looks)[coherence]
    return weights


def weight_table(*, looks: float, least: float = 0.0) -> Float32:
    """Weight of each stored value of coherence, for kernels that look it up themselves.

    Parameters
    ----------
    looks
        Effective number of independent looks, from 0.5 to 1000.
    least
        Coherence below which a value counts as no data.

    Returns
    -------
    float32 (256,) rad^-2, by 255 times coherence; 0 for no data.

    Raises
    ------
    ValueError
        If ``looks`` is outside its range.
    """
    if not 0.5 <= looks <= 1000:
        raise ValueError(
            f"looks: found {looks}, expected 0.5 to 1000 effective looks; check the stack's effective_looks"
        )
    return np.where(np.arange(256) < 255 * least, np.float32(0), _table(float(looks)))


@lru_cache(maxsize=16)
def _table(looks: float) -> Float32:
    table = np.zeros(256, np.float32)
    for value in range(1, 256):
        table[value] = 1 / phase_variance(min(value / 255, HIGHEST), looks)
    table.flags.writeable = False
    return table


@lru_cache(maxsize=4)
def _nodes_towards_zero(number: int) -> tuple[Float64, Float64]:
    """Gauss-Legendre nodes and weights for [0, 1], crowded at 0, where narrow densities live, by x = u^3."""
    u, share = np.polynomial.legendre.leggauss(number)
    u = (u + 1) / 2
    return u**3, share / 2 * 3 * u**2
