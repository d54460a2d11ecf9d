"""Air that points share with the ground around them is taken out of their series, and their own motion is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from slidecloud import config_forecast
from slidecloud.pipeline.forecast_demixed import without_air
from slidecloud.store.velocity_maps import Pixels
from slidecloud.types import DataError

SIDE, DATES = 30, 100
DAYS = np.datetime64("2018-01-01", "D") + 12 * np.arange(DATES)


@dataclass(frozen=True)
class Ground:
    """A map of displacement, m (time, y, x)."""

    moved: np.ndarray
    path: str = "timeseries/b"

    def map(self, name):
        assert name == "velocity"
        return self.moved[-1]

    def series(self, name, pixels):
        assert name == "displacement"
        return self.moved[:, pixels.rows, pixels.columns]


def ground(*, season: float = 0.0):
    """A slide that creeps and speeds up, under air drawn anew at each date; motion, mm (y, x, date)."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    years = (DAYS - DAYS[0]).astype(float) / 365.25
    slide = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.01)
    motion = slide[..., None] * (-20.0 * years - 2.0 * years**2)
    air = np.stack([gaussian_filter(random.normal(size=(SIDE, SIDE)), 10) for _ in range(DATES)], axis=-1)
    air *= 3.0 / air.std(axis=(0, 1))
    wave = season * (x + y)[..., None] * np.sin(2 * np.pi * years)
    grain = 0.3 * random.normal(size=motion.shape)
    return Ground((motion + air + wave + grain).transpose(2, 0, 1) / 1000.0), motion, wave


def settings(until=DAYS[75], **demix):
    return config_forecast.parse(
        f"run: r\nrain: {{path: a}}\ntrain_until: {until}\ndemix: {demix or '{}'}\n".replace("'", "")
    )


POINTS = Pixels(np.array([14, 15, 15, 16]), np.array([15, 14, 15, 16]))


def series(one):
    return 1000.0 * one.series("displacement", POINTS).T


def rms(values):
    return float(np.sqrt(np.mean((values - values.mean(axis=1, keepdims=True)) ** 2)))


def test_air_goes_and_motion_stays():
    one, motion, _ = ground()
    truth, given = motion[POINTS.rows, POINTS.columns], series(one)
    found = without_air(one, DAYS, given, settings(around=900))
    before, after = rms(given - truth), rms(found - truth)
    assert before > 2.0
    assert after < 0.5 * before
    late = slice(76, None)
    assert rms((found - truth)[:, late]) < 0.7 * rms((given - truth)[:, late])


def test_what_comes_later_changes_nothing_before():
    one, *_ = ground()
    other = Ground(one.moved.copy())
    other.moved[80:] += np.random.default_rng(1).normal(0, 0.01, other.moved[80:].shape)
    was, now = (without_air(each, DAYS, series(each), settings()) for each in (one, other))
    np.testing.assert_allclose(now[:, :80], was[:, :80], atol=1e-9)


def test_a_season_is_kept_unless_it_is_to_go():
    one, motion, wave = ground(season=6.0)
    truth, given = motion[POINTS.rows, POINTS.columns], series(one)
    keep, gone = (without_air(one, DAYS, given, settings(season=how)) for how in ("keep", "remove"))
    swing = wave[POINTS.rows, POINTS.columns]
    assert rms(keep - truth - swing) < 0.5 * rms(given - truth - swing)
    assert rms(gone - truth) < 0.5 * rms(keep - truth)


def test_where_no_component_is_motion_nothing_is_taken_out():
    """Four components cannot hold the air, and the slide is spread over them."""
    one, *_ = ground()
    np.testing.assert_array_equal(without_air(one, DAYS, series(one), settings(components=4)), series(one))


def test_gaps_stay_gaps():
    one, *_ = ground()
    given = series(one)
    given[1, 40:43] = np.nan
    found = without_air(one, DAYS, given, settings())
    np.testing.assert_array_equal(np.isnan(found), np.isnan(given))


def test_too_few_dates_are_told_with_the_map():
    one, *_ = ground()
    with pytest.raises(DataError, match=r"timeseries/b cannot be separated.*Leave out demix"):
        without_air(one, DAYS, series(one), settings(until=DAYS[8]))
