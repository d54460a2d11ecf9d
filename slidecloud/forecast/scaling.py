"""Scaling of samples for methods that learn by gradients, from the training part alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from slidecloud.forecast.samples import Samples
from slidecloud.types import DataError, Float64

_LEAST: Final = 0.1
"""A point's scale is at least this share of that of all points, so that one that stands still is not blown up."""
_TINY: Final = 1e-3
"""mm; the scale where nothing moves at all."""


class Scaled(NamedTuple):
    """Arrays of samples, all finite (unknown rain, level and features are at their mean, 0), without units.

    ``displacement`` (n, steps) and ``increment`` (n,; NaN where unknown) in units of ``motion`` (n,), mm; ``rain`` and
    ``level`` (n, days) or None; ``features`` (n, k).
    """

    displacement: Float64
    rain: Float64 | None
    level: Float64 | None
    features: Float64
    increment: Float64
    motion: Float64


@dataclass(frozen=True)
class Scaling:
    """Means and spreads of the samples learnt from.

    Attributes
    ----------
    motion
        float64 (points,), mm: root mean square of a point's increments, at least a tenth of that of all points;
        points that were not learnt from have that of all.
    rain, level
        Mean and standard deviation, or None.
    features
        (2, k) means and standard deviations.
    """

    motion: Float64
    rain: tuple[float, float] | None
    level: tuple[float, float] | None
    features: Float64

    @staticmethod
    def learnt(train: Samples, *, points: int) -> Scaling:
        """From samples with known increments.

        Parameters
        ----------
        train
            The training part.
        points
            How many there are in all.

        Raises
        ------
        DataError
            If there is no sample with a known increment.
        """
        known = np.isfinite(train.increment)
        if not known.any():
            raise DataError("train: found no sample with a known increment, expected some to learn from.")
        square, point = train.increment[known] ** 2, train.point[known]
        whole = max(float(np.sqrt(square.mean())), _TINY)
        count, total = (np.bincount(point, weight, minlength=points) for weight in (None, square))
        own = np.sqrt(total / np.maximum(count, 1))
        return Scaling(
            np.where(count > 0, np.maximum(own, _LEAST * whole), whole),
            _spread(train.rain),
            _spread(train.level),
            np.stack([_column(train.features, np.mean, 0.0), _column(train.features, np.std, 1.0)]),
        )

    def __call__(self, samples: Samples) -> Scaled:
        """Samples of the same points, scaled."""
        motion = self.motion[samples.point]
        mean, spread = self.features
        features = (samples.features - mean) / np.where(spread > 0, spread, 1.0)
        return Scaled(
            samples.displacement / motion[:, None],
            _scaled(samples.rain, self.rain),
            _scaled(samples.level, self.level),
            np.nan_to_num(features),
            samples.increment / motion,
            motion,
        )


def signed_motion(train: Samples, *, points: int) -> Float64:
    """`Scaling.motion` (points,), negative where a point moves away from the satellite over the time learnt from."""
    total = np.bincount(train.point, np.nan_to_num(train.increment), minlength=points)
    return np.where(total < 0, -1.0, 1.0) * Scaling.learnt(train, points=points).motion


def _spread(window: Float64 | None) -> tuple[float, float] | None:
    if window is None:
        return None
    spread = float(np.nanstd(window))
    return float(np.nanmean(window)), spread if spread > 0 else 1.0


def _column(features: Float64, what: Callable[[Float64], np.float64], other: float) -> Float64:
    """A statistic of the known values of each column."""
    known = [column[np.isfinite(column)] for column in features.T]
    return np.array([what(values) if len(values) else other for values in known], np.float64)


def _scaled(window: Float64 | None, learnt: tuple[float, float] | None) -> Float64 | None:
    if window is None or learnt is None:
        return None
    return np.nan_to_num((window - learnt[0]) / learnt[1])
