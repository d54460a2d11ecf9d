"""What is learnt from lies before what is judged by, scaling included."""

from __future__ import annotations

import numpy as np
import pytest
from creeping import displacement, steady, weather

from slidecloud.forecast.interpolation import interpolated
from slidecloud.forecast.samples import samples
from slidecloud.forecast.scaling import feature_scales, signed_motion
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


def test_points_that_stand_still_keep_a_scale():
    still = signed_motion(samples(steady(rates=(0.0, 100.0)), weather(), steps=5), points=2)
    assert still[0] == pytest.approx(0.1 * still[1] / np.sqrt(2))
    assert signed_motion(samples(steady(rates=(0.0,)), weather(), steps=5), points=1)[0] > 0


def test_motion_is_that_of_most_increments_and_keeps_its_sign():
    """A point that is not learnt from has the size of all."""
    train = samples(steady(rates=(-36.525, 73.05)), weather(), steps=5)
    np.testing.assert_allclose(signed_motion(train, points=3), [-1.2, 2.4, np.sqrt((1.2**2 + 2.4**2) / 2)])


def test_features_are_scaled_by_what_is_known_of_them():
    features = np.array([[1.0, 3.0, np.nan], [2.0, 3.0, np.nan], [np.nan, 3.0, np.nan]])
    np.testing.assert_array_equal(feature_scales(features), [[1.5, 3.0, 0.0], [0.5, 0.0, 1.0]])
    assert feature_scales(np.zeros((4, 0))).shape == (2, 0)
