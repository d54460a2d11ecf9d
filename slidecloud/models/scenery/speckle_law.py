"""Phase statistics of multilooked speckle: what is left of a sample's direction, and how much it scatters across it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

from slidecloud.types import Float32, Float64

_NODES = 201
_ANGLES = 721


class PhaseLaw(NamedTuple):
    """Moments of the phase of a multilooked sample about its true value.

    ``cosine``: mean cosine; ``sine_square``: mean squared sine; ``variance``: rad^2; float32 in the shape of the
    coherence.
    """

    cosine: Float32
    sine_square: Float32
    variance: Float32


def phase_law(coherence: Float32, *, looks: float) -> PhaseLaw:
    """Moments of the phase noise of a coherence, by integrals over the density of Lee et al. (1994), equation 3.

    Parameters
    ----------
    coherence
        True coherence in [0, 1], any shape.
    looks
        Independent looks, at least 1.

    References
    ----------
    Lee, J.-S., Hoppel, K. W., Mango, S. A., Miller, A. R. (1994), Intensity and phase statistics of multilook
    polarimetric and interferometric SAR imagery, IEEE Trans. Geosci. Remote Sens. 32(5), 1017-1028.
    """
    nodes, table = _table(float(looks))
    return PhaseLaw(*(np.interp(coherence, nodes, column).astype(np.float32) for column in table))


@cache
def _table(looks: float) -> tuple[Float64, Float64]:
    """Coherence nodes and the three moments (moment, node)."""
    # Nodes crowd towards 1, where the density becomes a spike.
    nodes = 1.0 - np.linspace(1.0, 0.0, _NODES) ** 2
    angle = np.linspace(-np.pi, np.pi, _ANGLES)
    moments = np.empty((3, _NODES))
    for number, gamma in enumerate(nodes[:-1]):
        density = _density(angle, gamma, looks)
        density /= np.trapezoid(density, angle)
        for row, value in enumerate((np.cos(angle), np.sin(angle) ** 2, angle**2)):
            moments[row, number] = np.trapezoid(density * value, angle)
    moments[:, -1] = 1.0, 0.0, 0.0
    return nodes, moments


def _density(angle: Float64, gamma: float, looks: float) -> Float64:
    beta = gamma * np.cos(angle)
    rest = 1.0 - beta**2
    factor = np.exp(special.gammaln(looks + 0.5) - special.gammaln(looks)) / (2.0 * np.sqrt(np.pi))
    peak = factor * beta / rest ** (looks + 0.5)
    # Kummer's form keeps the hypergeometric series short near beta = 1 (Abramowitz and Stegun 15.3.3).
    base = special.hyp2f1(0.5 - looks, -0.5, 0.5, beta**2) * rest ** (-0.5 - looks) / (2.0 * np.pi)
    density: Float64 = np.maximum((1.0 - gamma**2) ** looks * (peak + base), 0.0)
    return density
