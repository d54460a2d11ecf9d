"""Lags that were put in are found, by correlation and by exchanging what a method is given."""

from __future__ import annotations

import numpy as np
import pytest
from creeping import displacement, passes, weather
from judging import judged, told

from slidecloud.forecast.lags import cross_correlation, permutation
from slidecloud.forecast.series import Drivers
from slidecloud.forecast.simulated import series
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
    """Moves by a tenth of the rain of one day before the target."""

    def __init__(self, day):
        self.day = day

    def predict(self, displacement, drivers, samples):
        return told(0.1 * samples.rain[:, self.day])


def test_the_window_that_a_method_listens_to_is_found():
    random = np.random.default_rng(1)
    rain = random.gamma(0.5, 10.0, (200, 30))
    samples = judged(0.1 * rain[:, 12], rain=rain)
    found = permutation(Listener(12), None, None, samples, width=5, repeats=5)
    assert found["newest"].tolist() == [0, 5, 10, 15, 20, 25]
    assert found["oldest"].tolist() == [4, 9, 14, 19, 24, 29]
    # A perfect method that hears another day's rain errs by root two of its spread.
    assert found.loc[2, "loss"] == pytest.approx(0.1 * np.sqrt(2) * rain[:, 12].std(), rel=0.1)
    assert found.loc[2, "low"] > 0
    assert (found["loss"].drop(2) == 0).all()
    again = permutation(Listener(12), None, None, samples, width=5, repeats=5)
    assert found.equals(again)


def test_a_window_of_uneven_width_ends_with_the_last_day():
    samples = judged(np.ones(5), rain=np.ones((5, 7)))
    found = permutation(Listener(0), None, None, samples, width=3)
    assert found["oldest"].tolist() == [2, 5, 6]


def test_a_method_that_does_not_listen_says_so():
    samples = judged(np.arange(9.0), rain=np.random.default_rng(2).random((9, 30)))

    class Deaf:
        def predict(self, displacement, drivers, samples):
            return told(np.zeros(len(samples)))

    assert np.isnan(permutation(Deaf(), None, None, samples)["loss"]).all()


def test_bad_requests_are_named():
    with pytest.raises(DataError, match="rain: found none"):
        cross_correlation(displacement(np.zeros(70), DATES), Drivers(weather().days))
    with pytest.raises(DataError, match="level: found none in the samples"):
        permutation(Listener(0), None, None, judged([1.0], rain=np.ones((1, 3))), of="level")
    with pytest.raises(DataError, match="none with a known increment"):
        permutation(Listener(0), None, None, judged([np.nan], rain=np.ones((1, 3))))
    with pytest.raises(ValueError, match="width, repeats: found 0"):
        permutation(Listener(0), None, None, judged([1.0], rain=np.ones((1, 3))), width=0)
