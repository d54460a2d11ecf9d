"""Pairs whose phase grows with time and baseline, for the tests of the estimator that tells them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import speckle
from numpy.typing import NDArray

from slidecloud.kernels.phase import encode


def baselines(pairs: Any, deviation: float, seed: int = 1) -> NDArray[np.float64]:
    """Perpendicular baselines of pairs whose dates lie ``deviation`` metres about a common orbit."""
    orbit = np.random.default_rng(seed).normal(0.0, deviation, int(pairs.secondary.max()) + 1)
    return orbit[pairs.secondary] - orbit[pairs.reference]


def spans(pairs: Any) -> NDArray[np.float64]:
    """Years between the dates of pairs."""
    return (pairs.secondary - pairs.reference) * speckle.REVISIT / 365.25


def tilted(pairs: Any, rate: tuple[float, float], error: tuple[float, float], baseline: NDArray) -> dict[str, Any]:
    """Arguments of the kernels: ``rate`` (x, y) rad per pixel and year, ``error`` rad per pixel and metre on top."""
    rows, columns = np.mgrid[: pairs.phase.shape[1], : pairs.phase.shape[2]]
    along = [(r * spans(pairs) + e * baseline)[:, None, None] for r, e in zip(rate, error, strict=True)]
    phase = (pairs.phase + encode(along[0] * columns + along[1] * rows)).astype(np.int16)
    return {
        "phase": phase,
        "coherence": pairs.coherence,
        "reference": pairs.reference,
        "secondary": pairs.secondary,
        "span": spans(pairs),
        "baseline": baseline,
    }


def flat(dates: int, longest: int, shape: tuple[int, int], coherence: int = 200) -> speckle.Pairs:
    """Pairs of a network without phase or noise."""
    reference, secondary = speckle.network(dates, longest)
    size = (reference.size, *shape)
    return speckle.Pairs(np.zeros(size, np.int16), np.full(size, coherence, np.uint8), reference, secondary)
