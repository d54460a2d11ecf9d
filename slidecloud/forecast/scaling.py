"""How far points usually move and what is usual of their features, from the training part alone."""

from __future__ import annotations

from typing import Final

import numpy as np

from slidecloud.forecast.samples import Samples
from slidecloud.types import DataError, Float64

_LEAST: Final = 0.1
"""A point's scale is at least this share of that of all points, so that one that stands still is not blown up."""
_TINY: Final = 1e-3
"""mm; the scale where nothing moves at all."""


def signed_motion(train: Samples, *, points: int) -> Float64:
    """Size of a point's increments, negative where it moves away from the satellite over the time learnt from.

    Parameters
    ----------
    train
        The training part.
    points
        How many there are in all.

    Returns
    -------
    float64 (points,), mm: root mean square of a point's increments, at least a tenth of that of all points; points that
    are not learnt from have that of all.

    Raises
    ------
    DataError
        If there is no sample with a known increment.
    """
    known = np.isfinite(train.increment)
    if not known.any():
        raise DataError("train: found no sample with a known increment, expected some to learn from.")
    increment, point = train.increment[known], train.point[known]
    square = increment**2
    whole = max(float(np.sqrt(square.mean())), _TINY)
    count, squares, total = (np.bincount(point, weight, minlength=points) for weight in (None, square, increment))
    own = np.sqrt(squares / np.maximum(count, 1))
    size = np.where(count > 0, np.maximum(own, _LEAST * whole), whole)
    return np.where(total < 0, -size, size)


def feature_scales(features: Float64) -> Float64:
    """Mean and standard deviation (2, k) of the known values of each column (n, k); 0 and 1 of a column without any."""
    known = [column[np.isfinite(column)] for column in features.T]
    scales = [(values.mean(), values.std()) if len(values) else (0.0, 1.0) for values in known]
    return np.array(scales, np.float64).reshape(-1, 2).T
