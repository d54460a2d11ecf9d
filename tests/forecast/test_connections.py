"""Points that follow rain are told from those that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from creeping import displacement, passes, weather

from slidecloud.forecast.connections import connections
from slidecloud.forecast.lags import driven
from slidecloud.forecast.series import Drivers

DATES = passes(90)


def points(count: int, *, following: int, lag: int):
    """Points of which the first follow the rain some days later, and the others move by chance."""
    rain, random = replace(weather(), level=None), np.random.default_rng(1)
    moved = random.normal(0, 1, (count, len(DATES) - 1))
    wet = np.nan_to_num(driven(rain, DATES, lag=lag)[0]) * np.diff(DATES).astype(float)
    moved[:following] += 3.0 * wet / wet.std()
    return displacement(np.cumsum(np.pad(moved, ((0, 0), (1, 0))), axis=1), DATES), rain


def test_those_that_follow_are_found_with_their_lag():
    (found,) = connections(*points(12, following=5, lag=9), surrogates=199)
    assert (found.cause, found.lag) == ("rain", 9)
    np.testing.assert_array_equal(found.lags.best[:5], 9)
    assert found.test.significant[:5].all()
    assert found.test.significant[5:].sum() <= 1


def test_points_of_tracks_that_see_them_on_different_days_are_tested():
    """And one that is hardly seen at all stops none."""
    moved, rain = points(12, following=8, lag=9)
    seen = np.arange(len(DATES)) % 2 == np.arange(12)[:, None] % 2
    seen[11] = np.arange(len(DATES)) == 3
    (found,) = connections(replace(moved, values=np.where(seen, moved.values, np.nan)), rain, surrogates=199)
    assert (found.test.intervals[:11] > 30).all()
    assert found.test.significant[:8].all()
    assert not found.test.significant[8:].any()


def test_where_nothing_follows_nothing_is_searched():
    (found,) = connections(*points(12, following=0, lag=9), surrogates=199)
    assert found.lag == 0
    assert not found.test.field


def test_each_driver_that_is_given_is_looked_at():
    moved, rain = points(2, following=2, lag=0)
    assert rain.rain is not None
    level = 170.0 + np.cumsum(np.random.default_rng(0).normal(0, 0.2, rain.rain.shape[1]))
    both = connections(moved, Drivers(rain.days, rain.rain, level[None]), surrogates=99)
    assert [one.cause for one in both] == ["rain", "drawdown"]
    (falling,) = connections(moved, Drivers(rain.days, None, level[None]), surrogates=99)
    assert falling.cause == "drawdown"


def test_a_driver_between_passes_is_its_mean():
    days = np.datetime64("2020-01-01", "D") + np.arange(30)
    rain = Drivers(days, np.arange(30.0)[None], None)
    dates = days[[10, 14, 20]]
    np.testing.assert_allclose(driven(rain, dates), [[11.5, 16.5]])
    np.testing.assert_allclose(driven(rain, dates, lag=3), [[8.5, 13.5]])
