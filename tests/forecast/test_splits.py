"""What is learnt from lies before what is judged by, scaling included."""

from __future__ import annotations

import numpy as np
import pytest
from creeping import displacement, steady, weather

from slidecloud.forecast.interpolation import interpolated
from slidecloud.forecast.samples import samples
from slidecloud.forecast.scaling import Scaling
from slidecloud.forecast.splits import by_time, optimistic
from slidecloud.types import DataError


def _walk(seed=0):
    return displacement(np.cumsum(np.random.default_rng(seed).normal(size=(3, 60)), axis=1))


def test_split_is_by_date():
    moved = _walk()
    found, date = samples(moved, weather(), truth=interpolated(moved), steps=5), moved.dates[40]
    train, test = by_time(found, train_until=date)
    assert train.target.max() == date
    assert test.origin.min() == moved.dates[41]
    assert len(train) + len(test) == len(found) - 3 * 12  # the days from pass 40 to 41 are in neither


@pytest.mark.parametrize("date", ["2018-01-01", "2030-01-01"])
def test_split_without_a_part_is_refused(date):
    with pytest.raises(DataError, match="expected a date within 2019"):
        by_time(samples(_walk(), weather(), steps=5), train_until=np.datetime64(date))


def test_random_split_mixes_days():
    found = samples(_walk(), weather(), steps=5)
    train, test = optimistic(found, share=0.34)
    assert len(train) + len(test) == len(found)
    assert len(test) == round(0.34 * len(found)) + (0.34 * len(found) % 1 < 0.5)
    assert train.target.max() > test.target.min()


def test_scaling_knows_nothing_of_the_future():
    moved, driven = _walk(), weather()
    date = moved.dates[40]
    learnt = Scaling.learnt(by_time(samples(moved, driven, steps=5), train_until=date).train, points=3)
    moved.values[:, moved.dates > date] *= 1000.0
    driven.rain[:, driven.days > date] *= 1000.0
    driven.level[:, driven.days > date] += 1000.0
    again = Scaling.learnt(by_time(samples(moved, driven, steps=5), train_until=date).train, points=3)
    np.testing.assert_array_equal(learnt.motion, again.motion)
    assert (learnt.rain, learnt.level) == (again.rain, again.level)


def test_scaled_training_samples_have_mean_0_and_spread_1():
    moved = displacement(_walk().values, features=np.array([[1.0, 3], [2, 3], [np.nan, 3]]), feature_names=("a", "b"))
    driven = weather()
    driven.rain[0, 100:103] = np.nan
    train = samples(moved, driven, steps=5)
    scaled = Scaling.learnt(train, points=3)(train)
    known = np.isfinite(train.rain)
    assert scaled.rain[known].mean() == pytest.approx(0, abs=1e-9)
    assert scaled.rain[known].std() == pytest.approx(1)
    assert scaled.level.std() == pytest.approx(1)
    assert (scaled.increment**2).mean() == pytest.approx(1)
    assert all(np.isfinite(given).all() for given in scaled)
    assert (scaled.features[:, 1] == 0).all()


def test_points_that_stand_still_keep_a_scale():
    moved = steady(rates=(0.0, 100.0))
    still = Scaling.learnt(samples(moved, weather(), steps=5), points=2).motion
    assert still[0] == pytest.approx(0.1 * still[1] / np.sqrt(2))
    none = Scaling.learnt(samples(steady(rates=(0.0,)), weather(), steps=5), points=1)
    assert none.motion[0] > 0
