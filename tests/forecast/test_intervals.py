"""Intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from creeping import displacement, passes, weather

from slidecloud.forecast.intervals import of_motion
from slidecloud.forecast.methods import Forecast, method
from slidecloud.forecast.samples import samples
from slidecloud.forecast.splits import by_time


def _walk(*, sizes=(1.0,), passes_=160, gone=0.2, seed=0):
    """Random walks with steps of a variance that grows with their days."""
    draw = np.random.default_rng(seed)
    dates = passes(passes_)[np.sort(draw.permutation(passes_)[: int((1 - gone) * passes_)])]
    days = np.diff(dates, prepend=dates[0] - 12).astype(float)
    steps = np.asarray(sizes)[:, None] * np.sqrt(days / 12) * draw.normal(size=(len(sizes), len(dates)))
    return displacement(np.cumsum(steps, axis=1), dates)


def test_nine_in_ten_are_held():
    moved, driven = _walk(sizes=np.ones(40)), weather(days=2200)
    train, test = by_time(samples(moved, driven, steps=3), train_until=moved.dates[80])
    told = method("persistence").fit(moved, driven, train, seed=0).predict(moved, driven, test)
    held = (told.lower <= test.increment) & (test.increment <= told.upper)
    assert held.mean() == pytest.approx(0.9, abs=0.03)
    far = test.horizon > 12
    assert held[far].mean() == pytest.approx(0.9, abs=0.05)
    width = told.upper - told.lower
    assert width[test.horizon == 24].mean() == pytest.approx(np.sqrt(2) * width[test.horizon == 12].mean(), rel=0.1)


def test_points_have_intervals_of_their_own():
    sizes = np.repeat([0.5, 5.0], 10)
    moved, driven = _walk(sizes=sizes), weather(days=2200)
    train, test = by_time(samples(moved, driven, steps=3), train_until=moved.dates[80])
    told = method("persistence").fit(moved, driven, train, seed=0).predict(moved, driven, test)
    held, width = (told.lower <= test.increment) & (test.increment <= told.upper), told.upper - told.lower
    for size in (0.5, 5.0):
        own = (sizes[test.point] == size) & (test.horizon == 12)
        assert width[own].mean() == pytest.approx(2 * 1.645 * size, rel=0.25)
        assert held[own].mean() == pytest.approx(0.9, abs=0.06)


def test_noise_of_the_pass_is_taken_out_in_squares():
    sigma = np.array([1.0, 1.0, 9.0])
    half = 1.6448536 * np.sqrt(np.array([5.0, 1.0, 4.0]))
    given = Forecast(np.zeros(3), -half, half)
    found = of_motion(given, sigma)
    np.testing.assert_allclose(found.upper, [1.6448536 * 2.0, 0.16448536, 0.1 * half[2]], rtol=1e-6)
    np.testing.assert_allclose(found.lower, -found.upper)
