"""Sums of several bins together."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels._gradients_check import Estimator, check_estimator
from slidecloud.kernels._gradients_rate_sums import merge_rates
from slidecloud.kernels._gradients_types import GradientSums, RateSums, SumsT
from slidecloud.kernels._gradients_unwrap import rewrap

_DISTANCES = ("distance_xx", "distance_xy", "distance_yx", "distance_yy")


def merge(first: SumsT, second: SumsT, *, estimator: Estimator = "coherent") -> SumsT:
    """Sums of two bins together, for maps over all their pairs; fold bin by bin in the order of time.

    Products, magnitudes and counts add. Variances add as well: each stays about its own bin's angle, so that what
    differs between bins (seasons) is not counted as noise, and pairs of different bins count as independent though
    those at the border share dates. Distances are means weighted by magnitude; flags are those of either bin. Of
    ``rate``, rates and DEM errors are means weighted by their information.
    """
    check_estimator(estimator)
    if first.count.shape != second.count.shape:
        raise ValueError(
            f"merge: found sums of {first.count.shape} and {second.count.shape} pixels, expected the same (y, x)"
        )
    means = merge_rates(first, second) if isinstance(first, RateSums) else {}
    added = {
        name: getattr(first, name) + getattr(second, name)
        for name in first._fields
        if name not in means and name not in _DISTANCES and name != "flags"
    }
    total = added["magnitude"].astype(np.float64)
    for name in _DISTANCES:
        weighted = first.magnitude * getattr(first, name).astype(np.float64) + second.magnitude * getattr(second, name)
        means[name] = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0).astype(np.float32)
    sums = first._replace(**means, **added, flags=first.flags | second.flags)  # type: ignore[arg-type]  # by name
    return rewrap(sums) if isinstance(sums, GradientSums) and estimator == "rewrapped" else sums
