"""Samples and forecasts made by hand, for tests of scores."""

from __future__ import annotations

import numpy as np

from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.samples import Samples

ORIGIN = np.datetime64("2021-03-01", "D")


def judged(increment, *, point=None, origin=None, horizon=12, rain=None, level=None):
    """Samples of known increments, mm; origins are days after `ORIGIN`."""
    moved = np.asarray(increment, np.float64)
    n = len(moved)
    start = ORIGIN + (12 * np.arange(n) if origin is None else np.asarray(origin))
    return Samples(
        inputs="S3",
        point=np.zeros(n, np.intp) if point is None else np.asarray(point, np.intp),
        origin=start,
        target=start + np.broadcast_to(np.asarray(horizon), n),
        value=np.zeros(n),
        displacement=np.zeros((n, 1)),
        displacement_dates=start[:, None],
        rain=rain,
        level=level,
        features=np.zeros((n, 0)),
        increment=moved,
    )


def told(increment, half=1.0):
    """Forecasts with intervals `half` mm to either side."""
    moved = np.asarray(increment, np.float64)
    return Forecast(moved, moved - half, moved + half)
