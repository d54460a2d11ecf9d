"""Probabilities of exceeding thresholds against those of distributions that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from slidecloud.forecast.exceedance import Base, exceedance, over_days, since_day

WIDE = norm.ppf(0.95)
NUMBER = st.floats(-50, 50)
WIDTH = st.floats(0.1, 20)


def told(estimate, below, above, limit, *, base=0.0, direction="towards"):
    values = (np.array([one], float) for one in (estimate, estimate - below, estimate + above))
    return exceedance(*values, Base(np.array([base]), np.array([float(limit)])), direction=direction)[0]


@given(NUMBER, WIDTH, NUMBER, st.floats(0, 60))
def test_a_normal_distribution_gives_its_own_probability(estimate, half, base, limit):
    normal = norm(estimate - base, half / WIDE)
    for direction, expected in (
        ("towards", normal.sf(limit)), ("away", normal.cdf(-limit)),
        ("either", min(normal.sf(limit) + normal.cdf(-limit), 1.0)),
    ):  # fmt: skip
        found = told(estimate, half, half, limit, base=base, direction=direction)
        assert found == pytest.approx(expected, abs=1e-12)


@given(NUMBER, WIDTH, WIDTH)
def test_the_ends_of_the_interval_are_exceeded_by_one_in_twenty(estimate, below, above):
    """Whatever the halves: the median is exceeded by half, each end by 5 % beyond it."""
    for limit, expected in ((estimate, 0.5), (estimate + above, 0.05), (estimate - below, 0.95)):
        assert told(estimate, below, above, limit) == pytest.approx(expected, abs=1e-6)


@given(NUMBER, WIDTH, WIDTH, st.floats(0, 60), st.floats(0, 20))
def test_a_higher_threshold_is_less_probable(estimate, below, above, limit, more):
    for direction in ("towards", "away", "either"):
        first = told(estimate, below, above, limit, direction=direction)
        assert told(estimate, below, above, limit + more, direction=direction) <= first + 1e-12


def test_a_forecast_without_width_is_sure():
    assert [told(3.0, 0.0, 0.0, limit) for limit in (2.0, 3.0, 4.0)] == [1.0, 0.5, 0.0]


def test_what_is_not_known_has_no_probability():
    assert np.isnan(told(np.nan, 1.0, 1.0, 2.0))
    assert np.isnan(told(1.0, 1.0, 1.0, 2.0, base=np.nan))


DATES = np.datetime64("2020-01-01") + 12 * np.arange(5)


def test_displacement_counts_from_the_first_pass_of_a_day_or_after_it():
    values = np.array([np.nan, 4.0, 5.0, np.nan, 9.0])
    origin = DATES[[1, 2, 4]]
    whole = since_day(DATES, values, origin=origin, since=None, limit=3.0)
    np.testing.assert_array_equal(whole.value, [4.0, 4.0, 4.0])
    np.testing.assert_array_equal(whole.limit, [3.0, 3.0, 3.0])
    # A pass that is not known yet when the forecast is made is none to count from.
    later = since_day(DATES, values, origin=origin, since=DATES[1] + 1, limit=3.0)
    np.testing.assert_array_equal(later.value, [np.nan, 5.0, 5.0])
    assert np.isnan(since_day(DATES, values, origin=origin, since=DATES[4] + 1, limit=3.0).value).all()


def test_a_rate_is_the_mean_over_its_days_or_since_the_last_pass():
    values = np.array([0.0, 6.0, 12.0, np.nan, 100.0])
    origin = np.array([DATES[2], DATES[2], DATES[2], "NaT"], "datetime64[D]")
    target = DATES[2] + np.array([2, 6, 20, 3])
    base = over_days(DATES, values, origin=origin, target=target, rate=2.0, days=8)
    # Six days before the last pass, of which the line between passes rises by half a millimetre a day; two days before.
    np.testing.assert_allclose(base.value, [9.0, 11.0, 12.0, np.nan])
    np.testing.assert_allclose(base.limit, [16.0, 16.0, 40.0, np.nan])


def test_a_rate_before_the_first_pass_is_not_known():
    base = over_days(DATES, np.full(5, 3.0), origin=DATES[:1], target=DATES[:1] + 2, rate=1.0, days=30)
    assert np.isnan(base.value).all()
    empty = over_days(DATES, np.full(5, np.nan), origin=DATES[:1], target=DATES[:1] + 2, rate=1.0, days=30)
    assert np.isnan(empty.value).all()
