"""Everything that is told of forecasts, on samples made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from judging import ORIGIN, judged, told

from slidecloud.forecast.assessment import assess
from slidecloud.forecast.series import Drivers

DAYS = ORIGIN - 30 + np.arange(400)


def raining(*spells, level=None):
    """Rain of 50 mm a day on three days from each of the given days after `ORIGIN`, a row a point."""
    rain = np.zeros((len(spells), len(DAYS)))
    for row, first in zip(rain, spells, strict=True):
        row[30 + first : 33 + first] = 50.0
    return Drivers(DAYS, rain, level)


def several(points: int = 6, passes: int = 20, seed: int = 0):
    """Samples of some points and forecasts with errors of 1 mm."""
    random = np.random.default_rng(seed)
    point = np.repeat(np.arange(points), passes)
    origin = np.tile(12 * np.arange(passes), points)
    moved = random.uniform(-10, 10, len(point))
    return judged(moved, point=point, origin=origin), told(moved + random.normal(0, 1, len(point)), half=1.645)


def test_intervals_hold_the_errors_that_were_put_in():
    samples, forecast = several(points=30)
    found = assess(samples, forecast, raining(100), landslide=np.full(30, "", object))
    rows = found.sizes
    assert list(rows.index) == ["<2", "2-4", "4-6", "6-8", ">8", "all"]
    assert ((rows["rmse_low"] < rows["rmse"]) & (rows["rmse"] < rows["rmse_high"])).all()
    assert rows.loc["all", "rmse_low"] < 1.0 < rows.loc["all", "rmse_high"]
    assert found.coverage.holds(0.9)
    assert found.horizons.loc[12, "rmse_high"] == pytest.approx(rows.loc["all", "rmse_high"])
    assert found.skill.low > 0.95


def test_points_of_a_landslide_are_one_block():
    """Six points with the same errors in each of three landslides tell no more than one point in each."""
    moved, wrong = np.tile([3.0, -4.0], 9), np.repeat([1.0, 2.0, 4.0], 6)
    point = np.repeat(np.arange(9), 2)
    samples, forecast = judged(moved, point=point), told(moved + wrong)
    single = assess(samples, forecast, raining(100), landslide=np.full(9, "", object))
    names = np.repeat(np.array(["a", "b", "c"], object), 3)
    grouped = assess(samples, forecast, raining(100), landslide=names)
    one, other = (found.sizes.loc["all"] for found in (single, grouped))
    assert one["rmse"] == other["rmse"]
    assert other["rmse_high"] - other["rmse"] > 1.5 * (one["rmse_high"] - one["rmse"])


def test_one_point_has_scores_without_intervals():
    samples, forecast = several(points=1)
    found = assess(samples, forecast, raining(100), landslide=np.array(["a"], object))
    assert np.isfinite(found.sizes.loc["all", "rmse"])
    assert np.isnan([found.skill.low, found.coverage.high, found.sizes.loc["all", "rmse_high"]]).all()


def test_each_point_has_the_events_of_its_own_rain():
    """Rain falls at the second point later and errors are large there then."""
    moved = np.ones(40)
    origin, point = np.tile(12 * np.arange(20), 2), np.repeat([0, 1], 20)
    wrong = np.where((point == 1) & (origin >= 96) & (origin <= 108), 5.0, 0.0)
    moved[20 + 9] = 30.0
    samples, forecast = judged(moved, point=point, origin=origin), told(moved + wrong)
    found = assess(samples, forecast, raining(24, 108), landslide=np.full(2, "", object))
    assert found.events.loc["quiet", "rmse"] == 0.0
    # Of each point the three times between passes that meet its rain or the 14 days after it.
    assert found.events.loc["heavy rain", "count"] == 6
    (answer,) = found.answers
    assert (answer.event.kind, answer.event.size) == ("heavy rain", 150.0)
    alone = assess(samples, forecast, raining(24), landslide=np.full(2, "", object))
    assert alone.events.loc["quiet", "rmse"] > 0.0


def test_a_falling_level_is_an_event_too():
    level = np.full((1, len(DAYS)), 170.0)
    level[:, 30 + 60 : 30 + 70] -= np.arange(1, 11)
    level[:, 30 + 70 :] -= 10
    samples, forecast = several(points=2)
    found = assess(samples, forecast, Drivers(DAYS, None, level), landslide=np.full(2, "", object))
    assert list(found.events.index) == ["drawdown", "quiet"]
    (answer,) = found.answers
    assert answer.event.kind == "drawdown"
    assert answer.event.size == pytest.approx(10.0)
    assert answer.event.first <= ORIGIN + 60 <= answer.event.last
