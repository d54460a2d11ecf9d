"""How far apart places must lie to be independent of each other."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls
from scipy.spatial.distance import pdist

from slidecloud.types import Float64

_MOST: Final = 1500
"""Places whose pairs are looked at; beyond, that many are drawn."""
LEAST: Final = 30
"""Places with a value from which a range is looked for."""
_LEAST_PAIRS: Final = 10
_RANGES: Final = 240


class Variogram(NamedTuple):
    """Half the mean squared difference of two places by their distance.

    `distance` (k,), m, and `semivariance` (k,) are float64 means over `pairs` (k,) pairs each. The spherical model
    through them rises from `nugget` by `sill` until `reach`, m, from where on places are independent; `reach` is 0
    where distance makes no difference.
    """

    distance: Float64
    semivariance: Float64
    pairs: Float64
    nugget: float
    sill: float
    reach: float


def variogram(
    x: ArrayLike, y: ArrayLike, value: ArrayLike, *, bins: int = 20, longest: float | None = None, seed: int = 0
) -> Variogram:
    """Empirical variogram of values at places and the spherical model through it.

    Parameters
    ----------
    x, y
        (n,), m, in a metric CRS.
    value
        (n,), such as the outcome less a model's probability, or a factor; NaN = left out.
    bins
        Classes of distance of equal width, at least 4.
    longest
        Greatest distance looked at, m; None: a third of the diagonal of the places, beyond which pairs are few and
        speak of the borders.
    seed
        Of the draw of 1500 places where there are more.

    Returns
    -------
    Variogram

    Raises
    ------
    ValueError
        If shapes disagree, fewer than 30 places have a value, or they all lie in one place.

    Notes
    -----
    Estimator of Matheron (1963). Nugget and sill are the non-negative least squares for each of 240 ranges, weighted
    with the number of pairs over the squared distance, and the range that leaves the least is taken (Cressie, 1985):
    no start values, no failure to converge. A range beyond `longest` cannot be seen and is given as `longest`.
    """
    place = np.stack([np.asarray(axis, np.float64) for axis in (x, y)], axis=-1)
    found = np.asarray(value, np.float64)
    if found.ndim != 1 or place.shape != (*found.shape, 2):
        raise ValueError(f"x, y, value: found shapes {place.shape[:-1]} and {found.shape}, expected (n,) for all")
    known = np.isfinite(found) & np.isfinite(place).all(axis=1)
    if known.sum() < LEAST or bins < 4:
        raise ValueError(
            f"found {int(known.sum())} places with a value and {bins} bins, expected at least {LEAST} and 4"
        )
    place, found = place[known], found[known]
    if found.size > _MOST:
        drawn = np.random.default_rng(seed).choice(found.size, _MOST, replace=False)
        place, found = place[drawn], found[drawn]
    limit = longest if longest is not None else float(np.hypot(*np.ptp(place, axis=0))) / 3
    if not limit > 0:
        raise ValueError(f"x, y, longest: found places within {limit:.4g} m, expected some distance between them")
    apart, half = pdist(place), pdist(found[:, None], "sqeuclidean") / 2
    near = apart <= limit
    group = np.minimum((apart[near] / limit * bins).astype(np.intp), bins - 1)
    pairs = np.bincount(group, minlength=bins).astype(np.float64)
    used = pairs >= _LEAST_PAIRS
    distance, semivariance = (
        np.bincount(group, weights=each[near], minlength=bins)[used] / pairs[used] for each in (apart, half)
    )
    return Variogram(distance, semivariance, pairs[used], *_spherical(distance, semivariance, pairs[used], limit))


def _spherical(distance: Float64, semivariance: Float64, pairs: Float64, limit: float) -> tuple[float, float, float]:
    """Nugget, sill and range of the model that leaves the least weighted squares."""
    scale = np.sqrt(pairs) / distance
    best = np.inf
    found = (0.0, 0.0, 0.0)
    for reach in np.linspace(limit / _RANGES, limit, _RANGES):
        step = np.minimum(distance / reach, 1.0)
        shape = np.stack([np.ones_like(step), 1.5 * step - 0.5 * step**3], axis=1)
        (nugget, sill), left = nnls(shape * scale[:, None], semivariance * scale)
        if left < best * (1 - 1e-9):
            best, found = left, (float(nugget), float(sill), float(reach))
    nugget, sill, reach = found
    return (nugget, sill, reach) if sill > 0.05 * (nugget + sill) else (nugget + sill, 0.0, 0.0)
