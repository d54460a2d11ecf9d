"""Independent components: cubes whose parts are known are taken apart, the same way every time, from the past alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from slidecloud.forecast.demixing import demix
from slidecloud.types import DataError

SIDE = 20


def cube(seed, *, dates=120, atmosphere=2.0, noise=1.0):
    """A creeping slide, one that goes in steps, a season that grows with height, and air drawn anew at every date."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    when = np.datetime64("2018-01-01") + 12 * np.arange(dates)
    years = 12 * np.arange(dates) / 365.25
    creep = np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.02).ravel()
    steps = np.exp(-((x - 0.7) ** 2 + (y - 0.6) ** 2) / 0.03).ravel()
    gone = np.cumsum(np.where(random.random(dates) < 0.08, random.gamma(2, 4, dates), 0.0))
    motion = -30 * creep[:, None] * years - steps[:, None] * gone
    season = 5 * np.sin(3 * x + 2 * y).ravel()[:, None] * np.sin(2 * np.pi * years + 0.4)
    fields = np.stack([gaussian_filter(random.normal(size=(SIDE, SIDE)), 5).ravel() for _ in range(dates)], axis=1)
    air = atmosphere * fields / fields.std(axis=0)
    grain = noise * random.normal(size=motion.shape)
    return motion + season + air + grain, when, motion, season, air


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


def centred(values):
    return values - values.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_motion_comes_apart_from_air_and_season(seed):
    given, when, motion, season, air = cube(seed)
    found = demix(given, when)
    assert found.moves.sum() == 2
    unwanted = rms(centred(given) - centred(motion))
    assert rms(centred(found.motion) - centred(motion)) < 0.45 * unwanted
    assert rms(found.season - centred(season)) < 0.5 * rms(centred(season))
    assert rms(found.atmosphere - centred(air)) < 0.7 * rms(air)


def test_parts_sum_to_the_components():
    given, when, *_ = cube(3)
    found = demix(given, when)
    whole = found.motion + found.season + found.atmosphere
    np.testing.assert_allclose(whole, given.mean(axis=1)[:, None] + found.maps @ found.courses, atol=1e-9)
    # What is left is the noise of 1 mm and the faintest of the air, less the share of the noise in the components.
    assert rms(given - whole) == pytest.approx(1.0, abs=0.2)


def test_components_have_one_sign_and_order_whatever_the_start():
    given, when, *_ = cube(4)
    one, other = (demix(given, when, seed=seed) for seed in (0, 1))
    for found in (one, other):
        size = (found.maps**2).sum(axis=0)
        assert (np.diff(size) <= 1e-9 * size[0]).all()
        assert (found.maps.max(axis=0) >= -found.maps.min(axis=0)).all()
        np.testing.assert_allclose(found.courses.std(axis=1), 1.0)
    np.testing.assert_array_equal(one.maps, demix(given, when, seed=0).maps)
    np.testing.assert_allclose(one.motion, other.motion, atol=0.05 * rms(one.motion))


def test_turning_the_cube_over_turns_the_courses_alone():
    given, when, *_ = cube(5)
    one, other = demix(given, when), demix(-given, when)
    np.testing.assert_allclose(np.abs(one.maps), np.abs(other.maps), atol=1e-3 * np.abs(one.maps).max())
    np.testing.assert_allclose(one.motion, -other.motion, atol=1e-3 * np.abs(one.motion).max())


def test_no_later_date_reaches_an_earlier_one():
    given, when, *_ = cube(6)
    given[3, 75:90] = np.nan
    until = when[79]
    changed = given.copy()
    changed[:, 100:] += np.random.default_rng(0).normal(0, 50, changed[:, 100:].shape)
    one, other = demix(given, when, learn_until=until), demix(changed, when, learn_until=until)
    short = demix(given[:, :80], when[:80])
    for name in ("motion", "season", "atmosphere"):
        np.testing.assert_array_equal(getattr(one, name)[:, :100], getattr(other, name)[:, :100])
        np.testing.assert_allclose(getattr(one, name)[:, :80], getattr(short, name), atol=1e-6)


def test_later_dates_are_taken_apart_by_the_maps_learnt():
    given, when, motion, *_ = cube(7)
    found = demix(given, when, learn_until=when[79])
    after = np.s_[:, 80:]
    error = centred(found.motion)[after] - centred(motion)[after]
    assert rms(error) < 0.25 * rms(centred(motion)[after])


def test_gaps_are_bridged_and_empty_points_stay_empty():
    given, when, motion, *_ = cube(8)
    given[np.random.default_rng(1).random(given.shape) < 0.1] = np.nan
    given[5] = np.nan
    found = demix(given, when)
    assert np.isnan(found.motion[5]).all()
    assert np.isnan(found.maps[5]).all()
    others = np.arange(len(given)) != 5
    assert rms(centred(found.motion[others]) - centred(motion[others])) < 0.3 * rms(centred(motion))


def test_number_of_components_is_that_above_the_noise():
    random = np.random.default_rng(9)
    when = np.datetime64("2018-01-01") + 12 * np.arange(100)
    maps, courses = random.laplace(size=(400, 3)), random.normal(size=(3, 100)).cumsum(axis=1)
    found = demix(3 * maps @ courses + random.normal(size=(400, 100)), when)
    assert len(found.share) == 3
    assert found.converged
    # Without noise the maps come back as they were, up to size and sign.
    clean = demix(maps @ courses, when, components=3)
    match = np.abs(np.corrcoef(maps.T, clean.maps.T)[:3, 3:])
    np.testing.assert_allclose(match.max(axis=0), 1.0, atol=0.02)
    assert clean.share.sum() == pytest.approx(1.0, abs=0.05)


def test_less_than_a_year_has_no_season():
    given, when, *_ = cube(10, dates=24)
    assert not demix(given, when).season.any()


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda v, t: demix(v[:1], t), DataError, "found 1 points with 70% of 30 dates"),
        (lambda v, t: demix(v, t, learn_until=t[4]), DataError, "of 5 dates"),
        (lambda v, t: demix(np.zeros_like(v), t), DataError, "do not move at all"),
        (lambda v, t: demix(v, t, components=31), ValueError, "components: found 31"),
        (lambda v, t: demix(v, t[::-1]), ValueError, "ascending"),
    ],
)
def test_bad_requests_are_named(call, kind, says):
    values = np.random.default_rng(11).normal(size=(40, 30))
    with pytest.raises(kind, match=says):
        call(values, np.datetime64("2020-01-01") + 12 * np.arange(30))
