"""ARIMA models of passes in state-space form, fitted by maximum likelihood with a Kalman filter (KF-ARIMA)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.intervals import Calibrated, Estimate, conformal
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import DAY, Displacement, Drivers
from slidecloud.libraries import library
from slidecloud.types import Float64

_ORDER: Final = (1, 1, 1)
"""Steps between passes follow their mean, the step before and the surprise before."""
_PARAMETERS: Final = 4
_FEWEST: Final = 12
"""Passes of a point below which it is taken to stay where it is."""
_ITERATIONS: Final = 50


@dataclass(frozen=True)
class KalmanArima:
    """ARIMA(1, 1, 1) with drift, for each point; it uses displacement alone."""

    name: str = "kf_arima"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:  # noqa: ARG002
        """Learns a model for each point, and intervals.

        Raises
        ------
        ModuleNotFoundError
            Naming the extra where statsmodels is not installed.
        """

        def learn(part: Samples) -> Models:
            return _models(displacement.until(part.target.max()))

        return conformal(learn, displacement, drivers, train, blocks=1, parameters=_PARAMETERS)


@dataclass(frozen=True)
class Models:
    """What has been learnt.

    Attributes
    ----------
    revisit
        (points,), days of a step; passes are put to the nearest, counted from a point's first pass.
    scale
        (points,), mm, a usual step; NaN where there is no model.
    parameters
        (points, 4), of series in units of `scale`: drift, of the step before, of the surprise before, variance.
    """

    revisit: NDArray[np.int64]
    scale: Float64
    parameters: Float64

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Estimate:  # noqa: ARG002
        increment = np.zeros(len(samples))
        for point, rows in samples.by_point():
            if np.isfinite(self.scale[point]):
                increment[rows] = self._ahead(displacement, point, samples.where(rows))
        return Estimate(increment)

    def _ahead(self, displacement: Displacement, point: int, samples: Samples) -> Float64:
        """Increments of one point's samples: whole steps by the model, days between them along straight lines."""
        scale, revisit = self.scale[point], int(self.revisit[point])
        dates, values = _known(displacement, point)
        found = _model(_steps(dates, values, revisit) / scale).filter(self.parameters[point])
        state = found.filtered_state[:, _place(samples.origin, dates[0], revisit)]
        space = found.model.ssm
        transition, design, drift = space["transition"], space["design"][0], space["state_intercept"][:, -1:]
        share = samples.horizon / revisit
        ways = [design @ state]
        for _ in range(int(np.ceil(share.max()))):
            state = transition @ state + drift
            ways.append(design @ state)
        way = np.stack(ways)
        whole = np.minimum(np.floor(share).astype(np.intp), len(ways) - 2)
        row = np.arange(len(share))
        between = way[whole, row] + (share - whole) * (way[whole + 1, row] - way[whole, row])
        increment: Float64 = scale * (between - way[0])
        return increment


def _models(displacement: Displacement) -> Models:
    points = displacement.points
    revisit = np.ones(points, np.int64)
    scale, parameters = np.full(points, np.nan), np.full((points, _PARAMETERS), np.nan)
    for point in range(points):
        dates, values = _known(displacement, point)
        usual = float(np.sqrt(np.mean(np.diff(values) ** 2))) if len(values) >= _FEWEST else 0.0
        if usual > 0:
            revisit[point] = np.median(np.diff(dates) / DAY)
            parameters[point] = _largest_likelihood(_steps(dates, values, int(revisit[point])) / usual)
            scale[point] = usual if np.isfinite(parameters[point]).all() else np.nan
    return Models(revisit, scale, parameters)


def _largest_likelihood(steps: Float64) -> Float64:
    with warnings.catch_warnings():
        # Of starting values and of searches that end early: what was found is used as it is.
        warnings.simplefilter("ignore")
        found = _model(steps).fit(disp=False, maxiter=_ITERATIONS, cov_type="none")
    return np.asarray(found.params, np.float64)


def _model(steps: Float64) -> Any:
    return library("statsmodels.tsa.statespace.sarimax", extra="forecast").SARIMAX(steps, order=_ORDER, trend="c")


def _known(displacement: Displacement, point: int) -> tuple[NDArray[np.datetime64], Float64]:
    """Dates of a point's passes, and their values."""
    known = np.isfinite(displacement.values[point])
    return displacement.dates[known], displacement.values[point, known]


def _steps(dates: NDArray[np.datetime64], values: Float64, revisit: int) -> Float64:
    """Values on steps of the revisit from the first pass, NaN where there is none.

    Of several passes in a step the first counts: a later one may be a target.
    """
    place = _place(dates, dates[0], revisit)
    steps = np.full(place[-1] + 1, np.nan)
    steps[place[::-1]] = values[::-1]
    return steps


def _place(dates: NDArray[np.datetime64], first: np.datetime64, revisit: int) -> NDArray[np.intp]:
    return np.round((dates - first) / DAY / revisit).astype(np.intp)
