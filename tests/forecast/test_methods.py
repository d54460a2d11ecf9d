"""Every method forecasts what it should, and none looks ahead."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from creeping import QUICK, displacement, passes, steady, weather

from slidecloud.forecast.lagged import between, summed
from slidecloud.forecast.methods import METHODS, method
from slidecloud.forecast.samples import queries, samples
from slidecloud.forecast.series import Drivers
from slidecloud.forecast.simulated import series
from slidecloud.forecast.splits import by_time
from slidecloud.simulate.slides_daily import slides_daily
from slidecloud.types import DataError

PLAIN = ("persistence", "linear", "ridge", "boosting", "kalman", "kalman_driven", "kf_arima")
WINDOWS = {"steps": 6, "days": 20}


@cache
def _simulated():
    return series(slides_daily(5, points=4, passes=70, noise=0.5))


def _made(name):
    return method(name, **QUICK.get(name, {}))


@cache
def _fitted(name):
    given = _simulated()
    split = by_time(samples(given.displacement, given.drivers, **WINDOWS), train_until=given.displacement.dates[45])
    return split, _made(name).fit(given.displacement, given.drivers, split.train, seed=1)


def _spoilt(given, date, seed=0):
    """A copy in which everything after a date is another."""
    draw = np.random.default_rng(seed)
    moved, driven = given.displacement, given.drivers
    values, rain, level = moved.values.copy(), driven.rain.copy(), driven.level.copy()
    values[:, moved.dates > date] = 1000 * draw.normal(size=(moved.points, int((moved.dates > date).sum())))
    rain[:, driven.days > date] = 300.0
    level[:, driven.days > date] -= 100 * draw.random(int((driven.days > date).sum()))
    return replace(moved, values=values), Drivers(driven.days, rain, level)


def _same(one, other):
    for first, second in zip(one, other, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9)


def test_plain_methods_are_there():
    assert set(PLAIN) <= set(METHODS)
    assert all(_made(name).name == name for name in PLAIN)


@pytest.mark.parametrize("name", METHODS)
def test_nothing_is_learnt_from_the_test_part(name):
    given, (split, fitted) = _simulated(), _fitted(name)
    moved, driven = _spoilt(given, split.train.target.max())
    again = _made(name).fit(moved, driven, split.train, seed=1)
    told = [one.predict(given.displacement, given.drivers, split.test) for one in (fitted, again)]
    _same(*told)


def _denser(given):
    """The same with passes twice as often after the 45th."""
    kept = given.displacement.until(given.displacement.dates[45])
    day = np.flatnonzero(given.truth.dates == kept.dates[-1])[0] + 6 * np.arange(1, 40)
    later = given.truth.values[:, day] + np.random.default_rng(2).normal(0, 0.5, (kept.points, len(day)))
    dates = np.concatenate([kept.dates, given.truth.dates[day]])
    return given._replace(displacement=replace(kept, dates=dates, values=np.concatenate([kept.values, later], axis=1)))


@pytest.mark.parametrize("name", METHODS)
def test_nothing_after_origin_or_target_changes_a_forecast(name):
    """Also where passes come twice as often as those learnt from."""
    given, (split, fitted) = _denser(_simulated()), _fitted(name)
    test = samples(given.displacement, given.drivers, **WINDOWS)
    test = test.where(test.origin > split.train.target.max())
    whole = fitted.predict(given.displacement, given.drivers, test)
    for origin, target in sorted(set(zip(test.origin, test.target, strict=True)))[::5]:
        rows = np.flatnonzero((test.origin == origin) & (test.target == target))
        moved, _ = _spoilt(given, origin)
        _, driven = _spoilt(given, target)
        _same(fitted.predict(moved, driven, test.where(rows)), [part[rows] for part in whole])


@pytest.mark.parametrize("name", METHODS)
def test_forecasts_are_sound(name):
    given, (split, fitted) = _simulated(), _fitted(name)
    told = fitted.predict(given.displacement, given.drivers, split.test)
    assert all(np.isfinite(part).all() and part.shape == (len(split.test),) for part in told)
    assert (told.lower <= told.increment).all()
    assert (told.increment <= told.upper).all()
    truth = split.test.increment
    if name != "musenet_published":  # which does not extrapolate: see its own test
        assert 0.7 < ((told.lower <= truth) & (truth <= told.upper)).mean() <= 1.0
    none = fitted.predict(given.displacement, given.drivers, split.test.where(np.zeros(len(split.test), bool)))
    assert len(none.increment) == 0
    days = given.displacement.dates[-1] + np.arange(1, 5)
    ahead = queries(given.displacement, given.drivers, days, **WINDOWS)
    assert np.isfinite(fitted.predict(given.displacement, given.drivers, ahead).increment).all()


@pytest.mark.parametrize("name", METHODS)
def test_same_seed_same_forecast(name):
    given, (split, fitted) = _simulated(), _fitted(name)
    again = _made(name).fit(given.displacement, given.drivers, split.train, seed=1)
    one, two = (each.predict(given.displacement, given.drivers, split.test) for each in (fitted, again))
    np.testing.assert_array_equal(one.increment, two.increment)


@pytest.mark.parametrize("name", [name for name in PLAIN if name != "persistence"])
def test_simulated_slides_are_forecast_better_than_by_standing_still(name):
    given, (split, fitted) = _simulated(), _fitted(name)
    error = fitted.predict(given.displacement, given.drivers, split.test).increment - split.test.increment
    assert np.mean(error**2) < 0.5 * np.mean(split.test.increment**2)


@pytest.mark.parametrize(
    ("name", "within"),
    [("linear", 1e-9), ("kalman", 2e-3), ("kalman_driven", 2e-2), ("ridge", 2e-2), ("kf_arima", 2e-2)],
)
def test_constant_velocity_is_forecast(name, within):
    """Of -40, 0 and 25 mm a year, with passes 12 days apart and gaps."""
    dates = passes()[np.setdiff1d(np.arange(60), [20, 33, 34, 50])]
    moved, driven = steady(dates=dates), weather()
    train, test = by_time(samples(moved, driven, **WINDOWS), train_until=dates[40])
    told = method(name).fit(moved, driven, train, seed=0).predict(moved, driven, test)
    expected = np.array([-40.0, 0.0, 25.0])[test.point] * test.horizon / 365.25
    np.testing.assert_allclose(told.increment, expected, atol=within)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("inputs", ["S1", "S2"])
def test_points_that_never_move_stay_where_they_are(name, inputs):
    """And rain or level may be absent."""
    moved, driven = displacement(np.full((3, 60), 7.0)), weather()
    driven = Drivers(driven.days, driven.rain, None) if inputs == "S1" else Drivers(driven.days, None, driven.level)
    train, test = by_time(samples(moved, driven, inputs=inputs, **WINDOWS), train_until=moved.dates[40])
    told = _made(name).fit(moved, driven, train, seed=0).predict(moved, driven, test)
    np.testing.assert_allclose(told.increment, 0.0, atol=0.01)
    assert all(np.isfinite(part).all() for part in told)


@pytest.mark.parametrize("name", PLAIN)
def test_gaps_and_days_without_rain_are_lived_with(name):
    given = _simulated()
    moved, driven = given.displacement, given.drivers
    draw = np.random.default_rng(3)
    values, rain, level = moved.values.copy(), driven.rain.copy(), driven.level.copy()
    values[draw.random(values.shape) < 0.25] = np.nan
    values[3, 8:] = np.nan  # a point that is lost early
    rain[:, draw.random(rain.shape[1]) < 0.1] = np.nan
    level[:, draw.random(level.shape[1]) < 0.1] = np.nan
    moved, driven = replace(moved, values=values), Drivers(driven.days, rain, level)
    train, test = by_time(samples(moved, driven, **WINDOWS), train_until=moved.dates[45])
    assert test.horizon.max() > 12
    told = method(name).fit(moved, driven, train, seed=0).predict(moved, driven, test)
    assert all(np.isfinite(part).all() for part in told)
    assert np.mean((told.increment - test.increment) ** 2) < 1.01 * np.mean(test.increment**2)


def _answering(lag, strength, *, of):
    """A point that moves by what rain or the falling level did some days before, and nothing else."""
    driven = weather(days=1100)
    level = driven.level + np.cumsum(np.random.default_rng(1).normal(0, 0.3, driven.level.shape), axis=1)
    driven = Drivers(driven.days, driven.rain, level)
    daily = driven.rain if of == "rain" else np.maximum(-np.diff(level, axis=1, prepend=np.nan), 0.0)
    first = (passes(80) - driven.days[0]).astype(int)
    row, start = np.zeros(80, int), np.full(80, first[0]) - lag
    moved = strength * between(summed(daily), row, start, first - lag + 1)
    return displacement(moved - moved[0], passes(80)), driven


@pytest.mark.parametrize(("of", "strength"), [("rain", 0.04), ("rain", -0.02), ("fall", 1.5)])
@pytest.mark.parametrize("lag", [3, 9, 15])
def test_answers_to_rain_and_drawdown_are_found_with_their_lags(of, strength, lag):
    moved, driven = _answering(lag, strength, of=of)
    train, test = by_time(samples(moved, driven, **WINDOWS), train_until=moved.dates[60])
    for name, share in (("ridge", 0.02), ("kalman_driven", 0.02)):
        fitted = method(name).fit(moved, driven, train, seed=0)
        error = fitted.predict(moved, driven, test).increment - test.increment
        assert np.mean(error**2) < share * np.var(test.increment)
        if name == "kalman_driven":
            assert fitted.estimate.filters.lag[0, 0 if of == "rain" else 1] == lag


def test_passes_before_the_drivers_begin_do_no_harm():
    moved, driven, _ = series(slides_daily(4, points=4, passes=140, noise=0.3))
    known = driven.days >= moved.dates[80]
    late = Drivers(driven.days[known], driven.rain[:, known], driven.level[:, known])
    since = replace(moved, dates=moved.dates[80:], values=moved.values[:, 80:])
    errors = []
    for given in (moved, since):
        train, test = by_time(samples(given, late, **WINDOWS), train_until=moved.dates[115])
        fitted = method("kalman_driven").fit(given, late, train, seed=0)
        told = fitted.predict(given, late, test)
        errors.append(np.sqrt(np.mean((told.increment - test.increment) ** 2)))
    assert errors[0] == pytest.approx(errors[1], rel=0.05)


def test_the_season_goes_on_where_drivers_end():
    moved, driven = displacement(30 * np.sin(2 * np.pi * np.arange(60) * 12 / 365.25)), weather()
    train, test = by_time(samples(moved, driven, **WINDOWS), train_until=moved.dates[45])
    fitted = method("kalman_driven").fit(moved, driven, train, seed=0)
    error = fitted.predict(moved, driven.until(moved.dates[46]), test).increment - test.increment
    assert np.mean(error**2) < 0.01 * np.mean(test.increment**2)


def test_unknown_method_is_named():
    with pytest.raises(DataError, match="found 'oracle', expected one of persistence"):
        method("oracle")


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_to_learn_from_is_refused(name):
    given, (split, _) = _simulated(), _fitted(name)
    unknown = replace(split.train, increment=np.full(len(split.train), np.nan))
    with pytest.raises(DataError, match="no sample with a known increment"):
        method(name).fit(given.displacement, given.drivers, unknown, seed=0)


def test_sums_count_unknown_days_as_the_mean_of_the_known():
    daily = np.array([[1.0, 2.0, np.nan, 3.0, 4.0, 6.0]])
    row = np.zeros(3, int)
    found = between(summed(daily), row, np.array([0, 4, 1]), np.array([6, 6, 4]))
    np.testing.assert_allclose(found, [16 / 5 * 6, 10.0, np.nan])
    assert np.isnan(between(summed(daily), row[:1], np.array([-5]), np.array([2])))[0]


def test_features_of_points_reach_the_trees():
    """Rain makes half of the points faster, which a feature tells."""
    kind, driven = np.arange(12) % 2, weather(days=1400)
    day = (passes(110) - driven.days[0]).astype(int)
    fallen = between(summed(driven.rain), np.zeros(109, int), day[:-1] + 1, day[1:] + 1)
    steps = 3.0 + np.where(kind == 1, 0.05, 0.0)[:, None] * (fallen - fallen.mean())
    plain = displacement(np.concatenate([np.zeros((12, 1)), np.cumsum(steps, axis=1)], axis=1), passes(110))
    errors = []
    for moved in (plain, replace(plain, features=kind[:, None].astype(float), feature_names=("kind",))):
        train, test = by_time(samples(moved, driven, **WINDOWS), train_until=moved.dates[80])
        told = method("boosting").fit(moved, driven, train, seed=0).predict(moved, driven, test)
        errors.append(np.sqrt(np.mean((told.increment - test.increment) ** 2)))
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.parametrize(("name", "hidden"), [("boosting", "lightgbm"), ("kf_arima", "statsmodels")])
def test_missing_library_is_named_with_its_extra(monkeypatch, name, hidden):
    given, (split, _) = _simulated(), _fitted("persistence")
    for module in [module for module in sys.modules if module.partition(".")[0] == hidden]:
        monkeypatch.delitem(sys.modules, module)

    class Hiding:
        def find_spec(self, module, path=None, target=None):
            if module.partition(".")[0] == hidden:
                raise ModuleNotFoundError(f"No module named {hidden!r}", name=hidden)

    monkeypatch.setattr(sys, "meta_path", [Hiding(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'slidecloud\[forecast\]'"):
        method(name).fit(given.displacement, given.drivers, split.train, seed=0)
