"""Lags that were put in are found, by correlation and by exchanging what a method is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from creeping import displacement, passes, weather
from judging import ORIGIN, judged, told

from slidecloud.forecast.lags import cross_correlation, permutation
from slidecloud.forecast.methods import method
from slidecloud.forecast.samples import samples
from slidecloud.forecast.series import Drivers
from slidecloud.forecast.simulated import series
from slidecloud.forecast.splits import by_time
from slidecloud.simulate.slides_daily import slides_daily
from slidecloud.types import DataError

DATES = passes(70)


def followed(forcing, days, lag, strength):
    """Displacement at `DATES` by a forcing a day, some days later."""
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(forcing))])
    place = (DATES - days[0]).astype(int) - lag
    return strength * (total[place] - total[place[0]])


def test_lags_that_were_put_in_come_back():
    driven = weather()
    rows = [followed(driven.rain[0], driven.days, lag, sign) for lag, sign in ((0, -0.1), (9, 0.1), (30, -0.2))]
    found = cross_correlation(displacement(rows, DATES), driven, surrogates=199)
    np.testing.assert_array_equal(found.best, [0, 9, 30])
    np.testing.assert_allclose(found.correlation[np.arange(3), [0, 3, 10]], 1.0)
    assert (found.adjusted <= 0.05).all()


def test_a_falling_level_is_told_from_a_rising_one():
    random = np.random.default_rng(0)
    driven = weather()
    level = 160 + np.cumsum(random.normal(0, 0.3, len(driven.days)))
    fall = np.maximum(-np.diff(level, prepend=level[0]), 0.0)
    found = cross_correlation(
        displacement(followed(fall, driven.days, 15, -2.0), DATES),
        Drivers(driven.days, None, level[None]),
        of="drawdown",
        surrogates=99,
    )
    assert found.best[0] == 15
    assert found.correlation[0, 5] == pytest.approx(1.0)


def test_each_point_has_its_own_rain_and_gaps():
    driven = weather(), weather(seed=1)
    rain = np.concatenate([one.rain for one in driven])
    rows = np.stack([followed(rain[k], driven[0].days, 6, 1.0) for k in range(2)])
    rows[1, 20:24] = np.nan
    both = cross_correlation(displacement(rows, DATES), Drivers(driven[0].days, rain, None), surrogates=19)
    np.testing.assert_array_equal(both.best, [6, 6])
    np.testing.assert_allclose(both.correlation[:, 2], 1.0)
    sparse = displacement(np.where(np.arange(70) < 8, rows, np.nan), DATES)
    assert np.isnan(cross_correlation(sparse, Drivers(driven[0].days, rain, None)).p_value).all()


def test_simulated_slides_answer_within_their_intervals():
    slides = slides_daily(3, points=12, passes=200, noise=0.3)
    moved = series(slides)
    found = cross_correlation(moved.displacement, moved.drivers, surrogates=199)
    sure = found.adjusted <= 0.05
    assert sure.sum() >= 4
    # Rain works on for days with a memory of four: the middle of the answer comes that much after the lag.
    true = slides.rain_lag[sure] + 4
    assert np.abs(found.best[sure] - true).mean() < 5
    assert ((found.low[sure] <= true) & (true <= found.high[sure])).mean() > 0.7


class Listener:
    """Moves by a tenth of the rain of one day before the target, as the drivers or the windows of samples have it."""

    def __init__(self, day, *, windows=False):
        self.day, self.windows = day, windows

    def predict(self, displacement, drivers, samples):
        if self.windows:
            return told(0.1 * samples.rain[:, self.day])
        return told(0.1 * drivers.rain[0, (samples.target - drivers.days[0]).astype(int) - self.day])


def heard(day, count=60):
    """Rain, and samples whose motion is a tenth of it on one day before the target."""
    driven = weather(ORIGIN - 60)
    rain = driven.rain[0, (12 * np.arange(1, count + 1) + 60)[:, None] - np.arange(30)]
    return driven, judged(0.1 * rain[:, day], rain=rain)


@pytest.mark.parametrize("windows", [True, False])
def test_the_window_that_a_method_listens_to_is_found(windows):
    driven, given = heard(12)
    listener = Listener(12, windows=windows)
    found = permutation(listener, None, driven, given, width=5, repeats=5)
    assert found["newest"].tolist() == [0, 5, 10, 15, 20, 25]
    assert found["oldest"].tolist() == [4, 9, 14, 19, 24, 29]
    # A perfect method that hears another day's rain errs by root two of its spread.
    assert found.loc[2, "loss"] == pytest.approx(np.sqrt(2) * given.increment.std(), rel=0.15)
    assert found.loc[2, "low"] > 0
    np.testing.assert_array_equal(found["loss"].drop(2), 0)
    assert found.equals(permutation(listener, None, driven, given, width=5, repeats=5))


def test_a_window_of_uneven_width_ends_with_the_last_day():
    driven, given = heard(0, 5)
    assert permutation(Listener(0), None, driven, given, width=3, days=7)["oldest"].tolist() == [2, 5, 6]


def test_a_ridge_listens_to_days_before_the_target_and_not_to_later_ones_alone():
    made = series(slides_daily(4, points=6, passes=140, noise=0.3))
    split = by_time(samples(made.displacement, made.drivers, steps=6), train_until=made.displacement.dates[90])
    fitted = method("ridge").fit(made.displacement, made.drivers, split.train, seed=0)
    found = permutation(fitted, made.displacement, made.drivers, split.test, width=10, days=60, repeats=2)
    # Rain moves these slides after one day to three weeks; what fell six weeks ago has done its work before the pass.
    assert found["loss"][:3].sum() > 0.1
    assert found["loss"][:3].sum() > 3 * np.abs(found["loss"][4:]).sum()
    days = made.drivers.level.shape[1]
    for level in (made.drivers.level, np.where(np.arange(days) % 40 < 38, made.drivers.level, np.nan)):
        given = replace(made.drivers, level=level)
        fell = permutation(fitted, made.displacement, given, split.test, of="level", width=20, days=60, repeats=2)
        # Less than of the rain, which moves them more; leaps at the edges would be twice as much.
        assert 0.1 < fell["loss"].max() < found["loss"].max()
        assert np.abs(fell["loss"][2]) < 0.1 * fell["loss"].max()


def test_bad_requests_are_named():
    driven, known = heard(0, 5)
    with pytest.raises(DataError, match="rain: found none"):
        cross_correlation(displacement(np.zeros(70), DATES), Drivers(weather().days))
    with pytest.raises(DataError, match="level: found none"):
        permutation(Listener(0), None, Drivers(driven.days, driven.rain), known, of="level")
    with pytest.raises(DataError, match="found 0 targets with known increments"):
        permutation(Listener(0), None, driven, judged([np.nan]))
    with pytest.raises(ValueError, match="found 0, 30, 3"):
        permutation(Listener(0), None, driven, known, width=0)
