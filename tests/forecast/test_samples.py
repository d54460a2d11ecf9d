"""Samples hold what was known, and nothing that came later."""

from __future__ import annotations

import numpy as np
import pytest
from creeping import FIRST, displacement, passes, steady, weather
from hypothesis import given
from hypothesis import strategies as some

from slidecloud.forecast.interpolation import interpolated
from slidecloud.forecast.samples import queries, samples
from slidecloud.forecast.series import Drivers
from slidecloud.types import DataError


def test_a_sample_of_a_steady_point_is_known_in_full():
    moved, driven = steady(rates=(36.525,)), weather()
    found = samples(moved, driven, steps=5, days=20)
    assert len(found) == 60 - 5
    np.testing.assert_allclose(found.increment, 1.2)
    np.testing.assert_allclose(found.displacement, np.tile(-1.2 * np.arange(5), (55, 1)), atol=1e-12)
    assert (found.horizon == 12).all()
    assert found.displacement_dates[0, 0] == found.origin[0] == FIRST + 48
    assert found.rain_dates[0, 0] == found.target[0]
    day = (found.target[3] - driven.days[0]).astype(int)
    np.testing.assert_array_equal(found.rain[3], driven.rain[0, day - 19 : day + 1][::-1])
    np.testing.assert_array_equal(found.level[3], driven.level[0, day - 19 : day + 1][::-1])


def test_gaps_lengthen_the_way_to_the_next_pass():
    moved = steady(rates=(36.525, -10.0))
    moved.values[0, 20:22] = np.nan
    found = samples(moved, weather(), steps=3)
    first = found.where(found.point == 0)
    assert set(first.horizon) == {12, 36}
    np.testing.assert_allclose(first.increment, first.horizon / 10)
    assert not np.isnan(found.displacement).any()
    assert not np.isin(moved.dates[20:22], first.displacement_dates).any()


def test_what_is_too_far_from_the_last_pass_makes_no_sample():
    moved = steady(rates=(10.0,))
    moved.values[0, 20:26] = np.nan
    assert samples(moved, weather(), steps=3).horizon.max() == 12
    assert samples(moved, weather(), steps=3, longest=100).horizon.max() == 84


@given(gone=some.sets(some.integers(0, 39), max_size=25), steps=some.integers(1, 6), seed=some.integers(0, 99))
def test_nothing_after_the_origin_or_the_target_is_in_a_sample(gone, steps, seed):
    """Values after the origin, and rain and level after the target, may be anything."""
    draw = np.random.default_rng(seed)
    values = np.cumsum(draw.normal(size=(2, 40)), axis=1)
    values[0, list(gone)] = np.nan
    moved, driven = displacement(values), weather(days=700, seed=seed)
    found = samples(moved, driven, steps=steps)
    one = int(draw.integers(len(found)))
    origin, target = found.origin[one], found.target[one]
    moved.values[:, moved.dates > origin] = draw.normal(size=(2, int((moved.dates > origin).sum())))
    driven.rain[:, driven.days > target] += 50.0
    driven.level[:, driven.days > target] -= 9.0
    again = queries(moved, driven, np.array([target]), steps=steps, longest=500)
    same = np.flatnonzero((again.point == found.point[one]) & (again.origin == origin))
    if len(same):
        for name in ("displacement", "displacement_dates", "rain", "level", "value"):
            np.testing.assert_array_equal(getattr(again, name)[same[0]], getattr(found, name)[one])


def test_daily_truth_is_held_against_the_pass_before():
    moved = steady(rates=(36.525,))
    truth = interpolated(moved)
    found = samples(moved, weather(), truth=truth, steps=5)
    assert set(found.horizon) == set(range(1, 13))
    np.testing.assert_allclose(found.increment, 0.1 * found.horizon)


def test_queries_do_not_know_the_truth():
    moved = steady(rates=(10.0, 20.0))
    targets = moved.dates[-1] + np.arange(1, 8)
    found = queries(moved, weather(days=1200), targets)
    assert len(found) == 14
    assert np.isnan(found.increment).all()
    assert (found.origin == moved.dates[-1]).all()


def test_interpolation_leaves_what_lies_outside_the_values():
    values = np.arange(10.0)
    values[[0, 9]] = np.nan
    found = interpolated(displacement(values))
    assert len(found.dates) == 9 * 12 + 1
    assert np.isnan(found.values[0, :12]).all()
    np.testing.assert_allclose(found.values[0, 12:97], 1.0 + np.arange(85) / 12)


def test_days_without_rain_are_unknown_and_too_many_make_no_sample():
    moved, driven = steady(rates=(10.0,)), weather()
    full = len(samples(moved, driven, steps=5))
    driven.rain[0, 300:303] = np.nan
    found = samples(moved, driven, steps=5)
    assert len(found) == full
    assert np.isnan(found.rain).sum() > 0
    driven.rain[0, 300:320] = np.nan
    assert full - 4 <= len(samples(moved, driven, steps=5)) < full


def test_drivers_that_are_not_there_are_named():
    moved, driven = steady(), weather()
    dry = Drivers(driven.days, driven.rain, None)
    assert samples(moved, dry, inputs="S1").level is None
    with pytest.raises(DataError, match="found S3, which needs level"):
        samples(moved, dry, inputs="S3")
    with pytest.raises(DataError, match="use S2"):
        samples(moved, Drivers(driven.days, None, driven.level))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "expected at least 1"),
        ({"inputs": "S4"}, "expected one of S1, S2, S3"),
        ({"steps": 60}, "up to 60 passes"),
    ],
)
def test_what_makes_no_samples_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        samples(steady(), weather(), **change)


def test_dates_in_disorder_are_refused():
    dates = passes(5)
    with pytest.raises(DataError, match="in order and each once"):
        displacement(np.zeros(5), dates[::-1])
    with pytest.raises(DataError, match="in order and each once"):
        displacement(np.zeros(5), np.repeat(dates[:1], 5))
    with pytest.raises(DataError, match="every day"):
        Drivers(dates, np.zeros((1, 5)))
    with pytest.raises(DataError, match="expected at least 0"):
        Drivers(FIRST + np.arange(3), np.array([[0.0, -1.0, 2.0]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": np.array(["p0", "p0"])}, "each point once"),
        ({"sigma": np.ones(3)}, "sigma"),
        ({"x": np.ones(3)}, "x: found"),
        ({"x": np.array([np.nan, 512000.0])}, "x: found 512000, expected degrees of longitude"),
        ({"y": np.array([31.0, -91.0])}, "y: found -91, expected degrees of longitude"),
        ({"features": np.ones((2, 2)), "feature_names": ("slope",)}, "a column a name"),
        ({"values": np.full((2, 5), np.inf)}, "infinite"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        displacement(**({"values": np.zeros((2, 5))} | change))


def test_truth_of_other_points_is_refused():
    other = displacement(np.zeros((3, 60)), ids=np.array(["a", "b", "c"]))
    with pytest.raises(DataError, match="other points"):
        samples(steady(), weather(), truth=other)


def test_rows_are_found_by_point():
    found = samples(steady(), weather(), steps=5)
    mixed = found.where(np.random.default_rng(0).permutation(len(found)))
    parts = dict(mixed.by_point())
    assert list(parts) == [0, 1, 2]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(found)))
    assert all((mixed.point[rows] == point).all() for point, rows in parts.items())
    assert list(found.where(np.zeros(len(found), bool)).by_point()) == []
