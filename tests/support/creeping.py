"""Small series of points for tests of forecasts, whose motion is known."""

from __future__ import annotations

import numpy as np

from slidecloud.forecast.series import Displacement, Drivers

FIRST = np.datetime64("2019-01-04", "D")


def passes(count=60, *, every=12):
    return FIRST + every * np.arange(count)


def displacement(values, dates=None, **changes):
    """Points named p0, p1, ... without features."""
    values = np.atleast_2d(np.asarray(values, np.float64))
    points, count = values.shape
    given = {
        "dates": passes(count) if dates is None else dates,
        "values": values,
        "sigma": None,
        "ids": np.array([f"p{n}" for n in range(points)]),
        "x": None,
        "y": None,
        "features": np.zeros((points, 0)),
    }
    return Displacement(**(given | changes))


def steady(rates=(-40.0, 0.0, 25.0), *, dates=None, noise=0.0, seed=0):
    """Points that move by a constant rate, mm a year."""
    dates = passes() if dates is None else dates
    years = (dates - dates[0]).astype(float) / 365.25
    values = np.asarray(rates, float)[:, None] * years
    return displacement(values + noise * np.random.default_rng(seed).normal(size=values.shape), dates)


def weather(first=FIRST - 60, days=900, *, seed=0):
    """Rain of showers, and a level that goes up and down with the year."""
    calendar = first + np.arange(days)
    draw = np.random.default_rng(seed)
    rain = np.where(draw.random(days) < 0.3, draw.exponential(8.0, days), 0.0)
    level = 160.0 + 12.0 * np.cos(2 * np.pi * np.arange(days) / 365.25)
    return Drivers(calendar, rain[None], level[None])


QUICK: dict[str, dict[str, object]] = {
    "kf_lstm": {"steps": 40},
    "musenet": {"members": 2, "steps": 60},
    "musenet_published": {"steps": 40},
}
"""Options of methods that make them fast enough for tests, by name."""
