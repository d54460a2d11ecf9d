"""Simulated slides as series to forecast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.simulate.slides_daily import DailySlides


class Simulated(NamedTuple):
    """`displacement` at the passes, `drivers`, and the daily `truth` without noise."""

    displacement: Displacement
    drivers: Drivers
    truth: Displacement


def series(slides: DailySlides, *, noise: float | None = None) -> Simulated:
    """Series of simulated slides.

    Parameters
    ----------
    slides
        As `slidecloud.simulate.slides_daily.slides_daily` makes them.
    noise
        Sigma that passes are said to have, mm; None where it is not known.
    """
    points = len(slides.rate)
    ids = np.array([f"point-{number:05d}" for number in range(points)])
    none = np.zeros((points, 0))
    sigma = None if noise is None else np.full(points, noise)
    after = slides.days >= slides.passes[0]
    return Simulated(
        Displacement(slides.passes, slides.observed, sigma, ids, None, None, none),
        Drivers(slides.days, slides.rain[None], slides.level[None]),
        Displacement(slides.days[after], slides.truth[:, after], None, ids, None, None, none),
    )
