"""Simulated land where the probability of a slide is known in every cell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.special import expit

STATIC = ("slope", "wetness", "distance")
SPACING = 100.0


class Region(NamedTuple):
    """Cells in rows: factors, known probability, slides drawn by it, coordinates (m), and what static factors and all
    factors say of the logit at best."""

    table: pd.DataFrame
    truth: np.ndarray
    slid: np.ndarray
    x: np.ndarray
    y: np.ndarray
    static: np.ndarray
    full: np.ndarray


def region(seed: int, *, side: int = 140, gain: float = 0.0, mean: float = -4.2) -> Region:
    """A square of cells; `gain` is the coefficient of the deformation rate in the logit.

    Factors are smooth fields, so that neighbours are alike; `distance` has no influence.
    """
    random = np.random.default_rng(seed)
    slope, wetness, distance, rate = (_field(random, side) for _ in range(4))
    static = 1.2 * slope + 0.8 * wetness
    full = static + gain * rate
    truth = expit(mean + full)
    y, x = np.indices((side, side)) * SPACING
    table = pd.DataFrame({"slope": slope, "wetness": wetness, "distance": distance, "rate": rate})
    return Region(table, truth, random.uniform(size=truth.size) < truth, x.ravel(), y.ravel(), static, full)


def _field(random: np.random.Generator, side: int) -> np.ndarray:
    rough = gaussian_filter(random.normal(size=(side, side)), 3, mode="wrap")
    return ((rough - rough.mean()) / rough.std()).ravel()
