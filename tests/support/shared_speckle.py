"""Pairs that share the speckle of their images, whose noise adds up from date to date."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels.weights import inverse_phase_variance

REVISIT = 12 / 365.25


def speckle_pairs(rng, dates, pixels, decay, scatter, looks=16):
    """Pairs of up to 36 days formed from simulated images of 16 looks, with per-date scatter and a rate of 3 rad/yr."""
    links = [(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + 4))]
    reference, secondary = (np.array(ends) for ends in zip(*links, strict=True))
    days = np.abs(np.subtract.outer(np.arange(dates), np.arange(dates))) * 12
    coherence = np.where(days == 0, 1, 0.95 * np.exp(-days / decay) + 0.05)
    shape = (dates, pixels * looks)
    images = np.linalg.cholesky(coherence) @ (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    images = images.reshape(dates, pixels, looks)
    noise = [np.angle(np.sum(images[j] * images[i].conj(), -1)) for i, j in zip(reference, secondary, strict=True)]
    time = np.arange(dates) * REVISIT
    truth = 3.0 * time[:, None] + scatter * rng.normal(size=(dates, pixels))
    phase = (truth[secondary] - truth[reference] + np.stack(noise)).astype(np.float32)
    table = inverse_phase_variance(np.round(255 * coherence[reference, secondary]).astype(np.uint8), looks=looks)
    return phase, np.repeat(table[:, None], pixels, axis=1), reference, secondary, time
