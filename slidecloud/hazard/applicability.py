"""Where a model may be asked at all: ground like that it learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from slidecloud.hazard.spatial_cv import Fold
from slidecloud.types import Float64

_MOST: Final = 2000
"""Places whose pairs give the mean distance; beyond, that many are drawn."""


@dataclass(frozen=True, slots=True)
class Area:
    """Ground that a model knows.

    Attributes
    ----------
    mean, scale
        (column,): columns less `mean` times `scale` are standardised and weighted.
    places
        (n, column) places learnt from, so scaled.
    typical
        Mean distance between any two of them.
    threshold
        Dissimilarity up to which ground is known.
    """

    mean: Float64
    scale: Float64
    places: Float64
    typical: float
    threshold: float

    def dissimilarity(self, matrix: ArrayLike) -> Float64:
        """Distance to the most similar place learnt from over the mean distance between these, over the threshold.

        Parameters
        ----------
        matrix
            (n, column) of the same design; NaN in a row = not known.

        Returns
        -------
        float64 (n,), from 0; ground above 1 lies outside the area of applicability; NaN where a row is not known.
        """
        rows = (np.asarray(matrix, np.float64) - self.mean) * self.scale
        known = np.isfinite(rows).all(axis=1)
        found = np.full(len(rows), np.nan)
        if known.any():
            found[known] = cKDTree(self.places).query(rows[known])[0] / (self.typical * self.threshold)
        return found


def area_of_applicability(matrix: ArrayLike, weight: ArrayLike, splits: Sequence[Fold], *, seed: int = 0) -> Area:
    """Area of applicability of a model (Meyer and Pebesma, 2021).

    Parameters
    ----------
    matrix
        (n, column) of the places learnt from; rows with NaN are left out.
    weight
        (column,), weight of each column in the model, not negative; columns without weight do not count.
    splits
        Folds of the evaluation; those of the first repeat are taken.
    seed
        Of the draw of 2000 places whose pairs are measured, where there are more.

    Returns
    -------
    Area
        Its threshold is the greatest dissimilarity of a place to those of the other folds that is no outlier (upper
        quartile and 1.5 interquartile ranges): as unlike as what the model was judged by.

    Raises
    ------
    ValueError
        If no column has weight, or places are all alike.

    References
    ----------
    Meyer, H. and Pebesma, E. (2021), Predicting into unknown space? Estimating the area of applicability of spatial
    prediction models, Methods Ecol. Evol. 12, 1620-1633.
    """
    rows, heavy = np.asarray(matrix, np.float64), np.asarray(weight, np.float64)
    known = np.asarray(np.isfinite(rows).all(axis=1), bool)
    if heavy.shape != rows.shape[1:] or (heavy < 0).any() or not heavy.sum() > 0:
        raise ValueError(
            f"weight: found shape {heavy.shape} of sum {heavy.sum():.4g}, expected {rows.shape[1:]}, above 0"
        )
    mean, spread = rows[known].mean(axis=0), rows[known].std(axis=0)
    scale = np.where(spread > 0, heavy / np.where(spread > 0, spread, 1.0), 0.0)
    scaled = (rows - mean) * scale
    places = scaled[known]
    some = places
    if len(places) > _MOST:
        some = places[np.random.default_rng(seed).choice(len(places), _MOST, replace=False)]
    typical = float(pdist(some).mean())
    if not typical > 0:
        raise ValueError(f"matrix: found {len(places)} places that are all alike, expected factors that differ")
    apart = np.concatenate([_to_others(scaled, known, each) for each in splits if each.repeat == 0]) / typical
    low, high = np.quantile(apart, [0.25, 0.75])
    threshold = float(apart[apart <= high + 1.5 * (high - low)].max())
    return Area(mean, scale, places, typical, threshold or float(np.finfo(np.float64).eps))


def _to_others(scaled: Float64, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], split: Fold) -> Float64:
    """Distance of each place of a test to the nearest of its training."""
    train, test = split.train[known[split.train]], split.test[known[split.test]]
    if not train.size or not test.size:
        return np.zeros(0)
    found: Float64 = cKDTree(scaled[train]).query(scaled[test])[0]
    return found
