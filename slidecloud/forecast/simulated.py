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


def series(slides: DailySlides) -> Simulated:
    """Series of simulated slides.

    Parameters
    ----------
    slides
        As `slidecloud.simulate.slides_daily.slides_daily` makes them.
    """
    points = len(slides.rate)
    ids = np.array([f"point-{number:05d}" for number in range(points)])
    none = np.zeros((points, 0))
    after = slides.days >= slides.passes[0]
    return Simulated(
        Displacement(slides.passes, slides.observed, None, ids, None, None, none),
        Drivers(slides.days, slides.rain[None], slides.level[None]),
        Displacement(slides.days[after], slides.truth[:, after], None, ids, None, None, none),
    )
