"""Ridge regression on lagged rain, drawdown, season and earlier motion: what all points share, and what each adds.

Increments of a point are divided by its own size of motion, which keeps its sign. Coefficients common to all points are
fitted first; then each point's own departures from them, held small by a penalty that is chosen by forecasting the last
quarter of the time learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from slidecloud.forecast.intervals import Calibrated, Estimate, Predict, conformal
from slidecloud.forecast.lagged import matrix
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scaling import signed_motion
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.forecast.splits import earlier
from slidecloud.types import Float64

_PENALTIES: Final = (0.3, 3.0, 30.0, 300.0, 3e4)
"""Of squared departures, in samples that show none."""
_COMMON: Final = 1.0
"""The same of the common coefficients, which have the samples of all points."""


@dataclass(frozen=True)
class Ridge:
    """Ridge on lagged inputs."""

    name: str = "ridge"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:  # noqa: ARG002
        """Chooses the penalty, learns coefficients and intervals."""

        def learn(part: Samples) -> Predict:
            return _chosen(part, drivers, displacement.points)

        return conformal(learn, displacement, drivers, train)


@dataclass(frozen=True)
class Coefficients:
    """What has been learnt.

    Attributes
    ----------
    motion
        (points,), mm, as `slidecloud.forecast.scaling.signed_motion`.
    usual
        (column,), value for each day of the horizon, taken where a column is not known.
    scale
        (column,), root mean square.
    common
        (column,), of scaled columns and increments.
    own
        (points, column), departures from `common`.
    """

    motion: Float64
    usual: Float64
    scale: Float64
    common: Float64
    own: Float64

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Estimate:  # noqa: ARG002
        return Estimate(self.increment(drivers, samples))

    def increment(self, drivers: Drivers, samples: Samples) -> Float64:
        """Increments (n,), mm."""
        rows = _filled(matrix(samples, drivers, self.motion), samples, self.usual) / self.scale
        found = np.einsum("nk,nk->n", rows, self.common + self.own[samples.point])
        return np.asarray(found * self.motion[samples.point])


def _chosen(train: Samples, drivers: Drivers, points: int) -> Coefficients:
    """With the penalty that forecasts the last quarter best; the middle one where there is no such quarter."""
    early, late = earlier(train)
    penalty = _PENALTIES[len(_PENALTIES) // 2]
    if len(early) and len(late):
        tried = _fitted(early, drivers, points, _PENALTIES)
        errors = [np.mean((one.increment(drivers, late) - late.increment) ** 2) for one in tried]
        penalty = _PENALTIES[int(np.argmin(errors))]
    return _fitted(train, drivers, points, (penalty,))[0]


def _fitted(train: Samples, drivers: Drivers, points: int, penalties: Sequence[float]) -> list[Coefficients]:
    """One for each penalty."""
    motion = signed_motion(train, points=points)
    raw = matrix(train, drivers, motion)
    known = np.isfinite(raw)
    usual = np.where(known, raw, 0.0).sum(axis=0) / np.maximum((known * train.horizon[:, None]).sum(axis=0), 1)
    rows = _filled(raw, train, usual)
    scale = np.sqrt((rows * rows).mean(axis=0))
    scale[scale == 0] = 1.0
    rows, target = rows / scale, train.increment / motion[train.point]
    squares, products = np.zeros((points, rows.shape[1], rows.shape[1])), np.zeros((points, rows.shape[1]))
    for point, own in train.by_point():
        squares[point], products[point] = rows[own].T @ rows[own], rows[own].T @ target[own]
    eye = np.eye(rows.shape[1])
    common = np.linalg.solve(squares.sum(axis=0) + _COMMON * eye, products.sum(axis=0))
    left = products - squares @ common
    return [
        Coefficients(motion, usual, scale, common, np.linalg.solve(squares + penalty * eye, left[..., None])[..., 0])
        for penalty in penalties
    ]


def _filled(rows: Float64, samples: Samples, usual: Float64) -> Float64:
    return np.where(np.isfinite(rows), rows, usual * samples.horizon[:, None])
