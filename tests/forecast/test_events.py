"""Events by hand, and scores in and out of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import ORIGIN, judged, told

from slidecloud.forecast.events import Event, drawdowns, during, heavy_rain, in_times
from slidecloud.forecast.series import Drivers
from slidecloud.types import DataError

DAY = np.timedelta64(1, "D")


def driven(*, rain=None, level=None):
    days = ORIGIN + np.arange(len(rain if rain is not None else level))
    return Drivers(days, *(None if one is None else np.asarray(one, float)[None] for one in (rain, level)))


def test_rain_by_hand():
    rain = np.zeros(30)
    rain[[5, 6, 8, 20]] = 20, 30, 15, 90
    found = heavy_rain(driven(rain=rain), days=2, least=40)
    assert found == [
        Event("heavy rain", ORIGIN + 5, ORIGIN + 6, 50.0),
        Event("heavy rain", ORIGIN + 19, ORIGIN + 21, 90.0),
    ]
    # The rarest of the record without a threshold, and nothing in one without rain.
    assert heavy_rain(driven(rain=rain), days=2)[0].first == ORIGIN + 19
    assert heavy_rain(driven(rain=np.zeros(30))) == []
    assert heavy_rain(driven(rain=np.full(30, np.nan))) == []


def test_drawdown_by_hand():
    level = np.concatenate([np.full(10, 170.0), 170 - 1.5 * np.arange(1, 6), np.full(10, 162.5), np.full(5, 175.0)])
    found = drawdowns(driven(level=level), days=3, least=4.5)
    assert found == [Event("drawdown", ORIGIN + 10, ORIGIN + 14, 7.5)]
    # A level that rises is no event, whatever the threshold.
    assert drawdowns(driven(level=np.arange(30.0)), days=3) == []


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_spells_are_apart_and_hold_every_wet_window(seed, days):
    rain = np.random.default_rng(seed).gamma(0.3, 20.0, 80)
    least = 40.0
    given_ = driven(rain=rain)
    found = heavy_rain(given_, days=days, least=least)
    assert all(one.last + DAY < other.first for one, other in itertools.pairwise(found))
    assert all(one.size >= least for one in found)
    inside = np.zeros(80, bool)
    for one in found:
        inside[int((one.first - ORIGIN) / DAY) : int((one.last - ORIGIN) / DAY) + 1] = True
    for end in range(days - 1, 80):
        window = slice(end - days + 1, end + 1)
        assert inside[window].all() or rain[window].sum() < least * (1 + 1e-12)


def test_an_answer_may_come_days_after():
    event = [Event("heavy rain", ORIGIN + 30, ORIGIN + 32, 80.0)]
    samples = judged(np.zeros(6))
    # Passes on days 0, 12, ..., each with a target 12 days on.
    np.testing.assert_array_equal(during(samples, event, after=0), [False, False, True, False, False, False])
    np.testing.assert_array_equal(during(samples, event, after=5), [False, False, True, True, False, False])
    # A target on the first day meets the event, a pass on its last does not.
    edges = judged([0.0, 0.0], origin=[18, 32])
    np.testing.assert_array_equal(during(edges, event, after=0), [True, False])


def test_scores_in_and_out_of_events():
    rain, fall = Event("heavy rain", ORIGIN + 25, ORIGIN + 25, 9.0), Event("drawdown", ORIGIN + 25, ORIGIN + 40, 9.0)
    moved = np.array([1.0, 1.0, 5.0, 6.0, 1.0, 1.0])
    samples = judged(moved)
    chosen = {event.kind: during(samples, [event], after=0) for event in (rain, fall)}
    found = in_times(samples, told(np.ones(6)), chosen)
    assert list(found.index) == ["heavy rain", "drawdown", "quiet"]
    assert found["count"].tolist() == [1, 2, 4]
    assert found["rmse"].tolist() == pytest.approx([4.0, np.sqrt((16 + 25) / 2), 0.0])
    assert found["coverage"].tolist() == [0.0, 0.0, 1.0]
    assert in_times(samples, told(moved), {}).index.tolist() == ["quiet"]


def test_absent_drivers_are_named():
    with pytest.raises(DataError, match="level: found none"):
        drawdowns(driven(rain=np.zeros(5)))
    with pytest.raises(ValueError, match="days: found 0"):
        drawdowns(driven(level=np.zeros(5)), days=0)
