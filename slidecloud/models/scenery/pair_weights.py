"""How each pair counts in a stack, and how much its decorrelation adds to the noise."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.models.scenery.speckle_law import phase_law
from slidecloud.models.scenery.survey import Survey
from slidecloud.types import Float32

Estimator = Literal["coherent", "sum"]
COHERENCE_WINDOW = 25
"""Pixels in which processors estimate coherence."""
LEAST_COHERENCE = 0.005
FULLY_SHARED = 0.4
"""Coherence from which overlapping pairs scatter alike."""


class PairWeights(NamedTuple):
    """What pairs do to the velocity gradient of a stack.

    ``share``: float32 (pair, y, x), weight on the phase of each pair across the lever, per year: the stack's phase per
    year is the sum of share times phase. ``linear``, ``quadratic``: float32 (y, x), variance of the same phase by
    decorrelation, rad^2 per year^2, per 1/pixels and per 1/pixels^2 of a block. ``coherence``: mean estimated
    coherence, float32 (y, x).
    """

    share: Float32
    linear: Float32
    quadratic: Float32
    coherence: Float32


def pair_weights(
    coherence: Float32, survey: Survey, members: NDArray[np.intp], *, pixels: float, estimator: Estimator
) -> PairWeights:
    """Weights of the pairs `members` of a survey; bins weigh by their duration, as in `kernels.gradients.mean_rate`.

    A sample of coherence c has the direction of its true phase by ``A = c_hat E cos`` with a variance V across and
    along; a block of n samples has n A and n V. The product of two blocks has mean ``(n A)^2`` and, across it,
    variance ``2 n^3 A^2 V_across + 2 n^2 V_across V_along``. In the running sum of neighbours in filtered pairs, whose
    windows share all but one line of pixels, ``nu = V / (n A^2)`` tells the share that is lost, 1 / (1 + nu); the
    neighbours differ by ``2 (1 - s) V_across / (n A^2)``, s the share of common pixels, and by no more than two
    samples of coherence (1 + nu s) / (1 + nu) do.

    Parameters
    ----------
    coherence
        float32 (pair, y, x) true coherence of the members.
    pixels
        Pixels of a block, or of the window for ``sum``.
    """
    n_coherence = COHERENCE_WINDOW * survey.looks
    estimated = np.sqrt(coherence**2 + (1.0 - coherence**2) ** 2 / n_coherence)
    # Where nothing is coherent the angle is uniform, whatever is left of the weights.
    law = phase_law(np.maximum(coherence, LEAST_COHERENCE), looks=survey.looks)
    amplitude = estimated * law.cosine
    across = estimated**2 * law.sine_square
    along = np.maximum(estimated**2 * (1.0 - law.sine_square - law.cosine**2), 0.0)
    spans, bins = survey.spans[members].astype(np.float32), survey.bin[members]
    present = np.unique(bins)
    years = survey.duration[present]
    parts = years / years.sum()
    share = np.zeros_like(coherence)
    linear, quadratic = np.zeros_like(coherence[0]), np.zeros_like(coherence[0])
    for part, number in zip(parts.astype(np.float32), present, strict=True):
        chosen = bins == number
        a2, v, u = amplitude[chosen] ** 2, across[chosen], along[chosen]
        dt = spans[chosen, None, None]
        if estimator == "coherent":
            total = (a2 * dt).sum(0)
            share[chosen] = part * a2 / total
            first = (2.0 * a2 * v).sum(0) / total**2
            second = (2.0 * v * u).sum(0) / total**2
            # The angle of pure noise is uniform: a bin that lost its signal is no worse than that.
            worst = np.float32(np.pi**2 / 3.0) / ((a2 * dt).sum(0) / a2.sum(0)) ** 2
            shared = _overlap(a2, coherence[chosen], survey, members[chosen])
            noise = np.maximum(first / pixels + second / pixels**2, 1e-20)
            kept = part**2 * np.minimum(shared, worst / noise)
            linear += kept * first
            quadratic += kept * second
        else:
            nu = (v + u) / (np.float32(pixels) * np.maximum(a2, 1e-12))
            common = 1.0 - 1.0 / np.sqrt(np.float32(pixels))
            total = dt.sum(0)
            share[chosen] = part / total / (1.0 + common * nu)
            lost = phase_law((1.0 + common * nu) / (1.0 + nu), looks=1.0).variance
            spread = np.minimum(lost, 2.0 * (1.0 - common) * v / (np.float32(pixels) * np.maximum(a2, 1e-12)))
            shared = _overlap(1.0 / (1.0 + nu), coherence[chosen], survey, members[chosen])
            linear += part**2 * np.float32(pixels) * shared * spread.sum(0) / total**2
    return PairWeights(share, linear, quadratic, estimated.mean(0))


def _overlap(weight: Float32, coherence: Float32, survey: Survey, members: NDArray[np.intp]) -> Float32:
    """Factor on the variance of decorrelation by pairs that overlap in time, at least 1, (y, x)."""
    dates = len(np.unique(np.concatenate([survey.first[members], survey.second[members]])))
    total = weight.sum(0)
    multiplicity = total**2 / (weight**2).sum(0) / max(1, dates - 1)
    alike = np.minimum(1.0, (weight * coherence).sum(0) / total / np.float32(FULLY_SHARED))
    factor: Float32 = 1.0 + alike * np.maximum(multiplicity - 1.0, 0.0)
    return factor
