"""Displacement between passes as straight lines: what some works score against, and why they find small errors."""

from __future__ import annotations

import numpy as np

from slidecloud.forecast.series import DAY, Displacement


def interpolated(displacement: Displacement) -> Displacement:
    """Straight lines between passes, a value a day: not a truth to score against.

    The value of a day between two passes is made from the later one, which a forecast does not know. Errors against it
    come out too small, the more so with a random split. For a labelled comparison only.
    """
    days = np.arange(displacement.dates[0], displacement.dates[-1] + DAY)
    at, known_at = (dates.astype(np.int64) for dates in (days, displacement.dates))
    values = np.full((displacement.points, len(days)), np.nan)
    for row, given in zip(values, displacement.values, strict=True):
        known = np.isfinite(given)
        if known.any():
            row[:] = np.interp(at, known_at[known], given[known], left=np.nan, right=np.nan)
    given = displacement
    return Displacement(days, values, None, given.ids, given.x, given.y, given.features, given.feature_names)
