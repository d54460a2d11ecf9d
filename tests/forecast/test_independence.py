"""The test of independence: tables by hand, no discovery where there is none, and those that were put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, kstest

from slidecloud.forecast.independence import adjusted_p, independence


def memory(random, points, n, share):
    """Normal series of unit variance whose neighbours correlate by `share`."""
    series = random.normal(size=(points, n))
    for i in range(1, n):
        series[:, i] = share * series[:, i - 1] + np.sqrt(1 - share**2) * series[:, i]
    return series


def test_statistic_is_that_of_the_table():
    random = np.random.default_rng(0)
    driver = random.integers(0, 3, 90).astype(float)
    motion = driver + random.integers(0, 3, 90)
    low = np.searchsorted(np.quantile(motion, [1 / 3, 2 / 3]), motion)
    wet = np.searchsorted(np.quantile(driver, [1 / 3, 2 / 3]), driver)
    table = np.zeros((3, 3))
    np.add.at(table, (low, wet), 1)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    known = chi2_contingency(table, correction=False)
    found = independence(motion[None], driver)
    assert found.statistic[0] == pytest.approx(known.statistic)
    assert found.textbook_p[0] == pytest.approx(known.pvalue)
    assert found.normalised[0] == pytest.approx(np.sqrt(known.statistic / 90 / (min(table.shape) - 1)))


def test_motion_that_is_a_function_of_the_driver_has_the_largest_value():
    driver = np.random.default_rng(1).normal(size=99)
    found = independence(np.stack([driver, -(driver**3)]), driver)
    np.testing.assert_allclose(found.normalised, 1.0)
    np.testing.assert_allclose(found.statistic, 198.0)
    # Each point's own driver, given twice, is the same as one for both.
    twice = independence(np.stack([driver, -(driver**3)]), np.stack([driver, driver]))
    np.testing.assert_array_equal(twice.p_value, found.p_value)


def test_memory_makes_no_connection():
    """Slow series against a slow driver: the textbook finds what is not there, moves along the record do not."""
    random = np.random.default_rng(2)
    pairs = [(memory(random, 1, 150, 0.8), memory(random, 1, 150, 0.8)[0]) for _ in range(400)]
    found = [independence(a, b) for a, b in pairs]
    p, textbook = (np.array([getattr(each, name)[0] for each in found]) for name in ("p_value", "textbook_p"))
    # Binomial standard error .011.
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(textbook <= 0.05) > 0.2


def test_p_values_of_noise_are_uniform():
    random = np.random.default_rng(3)
    p = [independence(random.normal(size=(1, 120)), random.normal(size=120)).p_value[0] for _ in range(300)]
    assert kstest(p, "uniform").pvalue > 0.01
    assert min(p) >= 1 / 120


def test_the_field_is_silent_where_nothing_is_and_finds_most_of_what_is():
    random = np.random.default_rng(4)
    rain = np.where(random.random(150) < 0.4, random.gamma(1.0, 20.0, 150), 0.0)
    false = 0
    for _ in range(40):
        false += independence(memory(random, 60, 150, 0.5), np.roll(rain, random.integers(150))).field
    # At a rate of 5 % the field of independent points is called significant in 5 % of the cases; standard error .034.
    assert false / 40 <= 0.15
    motion = memory(random, 60, 150, 0.5)
    motion[:30] += 0.06 * rain
    found = independence(motion, rain)
    assert found.field
    assert found.significant[:30].sum() >= 24
    assert found.significant[30:].sum() <= 5
    assert found.normalised[:30].mean() > 2 * found.normalised[30:].mean()


@given(st.integers(0, 2**31))
def test_scale_direction_and_order_of_points_do_not_matter(seed):
    random = np.random.default_rng(seed)
    motion, driver = random.normal(size=(3, 40)), random.gamma(1.0, 1.0, 40)
    motion[random.random(motion.shape) < 0.1] = np.nan
    found = independence(motion, driver)
    other = independence(1 + 7 * motion[::-1], np.sqrt(driver))
    np.testing.assert_allclose(found.statistic, other.statistic[::-1], rtol=1e-12)
    assert ((found.normalised >= 0) & (found.normalised <= 1)).all()
    assert ((found.p_value > 0) & (found.p_value <= 1)).all()
    assert (found.adjusted >= found.p_value - 1e-15).all()
    np.testing.assert_array_equal(found.intervals, np.isfinite(motion).sum(axis=1))


def test_more_points_than_a_block_are_those_of_each_alone():
    random = np.random.default_rng(5)
    motion, driver = random.normal(size=(300, 30)), random.normal(size=30)
    whole = independence(motion, driver)
    np.testing.assert_array_equal(whole.p_value[280:], independence(motion[280:], driver).p_value)


def test_what_cannot_be_tested_is_not_a_number():
    motion = np.random.default_rng(6).normal(size=(3, 40))
    motion[0] = 2.0
    motion[1, 15:] = np.nan
    found = independence(motion, np.arange(40.0))
    assert np.isnan(found.normalised[:2]).all()
    assert np.isnan(found.adjusted[:2]).all()
    assert np.isfinite(found.normalised[2])
    assert not found.significant[:2].any()
    assert not independence(motion[:, :10], np.arange(10.0)).field
    assert np.isnan(independence(motion, np.zeros(40)).p_value).all()
    assert independence(np.zeros((0, 40)), np.arange(40.0)).p_value.shape == (0,)


def test_adjusted_by_hand():
    np.testing.assert_allclose(adjusted_p([0.01, np.nan, 0.04, 0.03]), [0.03, np.nan, 0.04, 0.04])
    assert np.isnan(adjusted_p([np.nan])).all()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"classes": 1}, "found 1 and 0.05"),
        ({"rate": 5}, "found 3 and 5"),
        ({"driver": np.zeros(3)}, r"found shapes \(1, 40\) and \(3,\)"),
    ],
)
def test_bad_requests_are_named(settings, says):
    given_ = {"driver": np.zeros(40), **settings}
    with pytest.raises(ValueError, match=says):
        independence(np.zeros((1, 40)), **given_)
