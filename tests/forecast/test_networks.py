"""Networks on series: interrupted or not the same, by any batch the same, and better than standing still."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from creeping import QUICK, displacement, passes, steady, weather

from slidecloud.forecast import network_published
from slidecloud.forecast.methods import method
from slidecloud.forecast.network_drivers import DriverScaling
from slidecloud.forecast.network_frame import Frame
from slidecloud.forecast.network_windows import learnt_from
from slidecloud.forecast.samples import samples
from slidecloud.forecast.series import Drivers
from slidecloud.forecast.simulated import series
from slidecloud.forecast.splits import by_time
from slidecloud.models import fitting
from slidecloud.models.response import NEW, WARM
from slidecloud.simulate.slides_daily import slides_daily

NETWORKS = ("musenet", "musenet_published", "kf_lstm")
WINDOWS = {"steps": 6, "days": 20}


@pytest.fixture(scope="module")
def given():
    return series(slides_daily(3, points=3, passes=50, noise=0.5))


@pytest.fixture(scope="module")
def split(given):
    return by_time(samples(given.displacement, given.drivers, **WINDOWS), train_until=given.displacement.dates[32])


def made(name, **options):
    return method(name, **{**QUICK[name], "steps": 12, **options})


class Killed(BaseException):
    """As a process that ends amid a fit."""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_killed_fit_goes_on_to_the_same_bits_and_does_nothing_twice(name, given, split, tmp_path, monkeypatch):
    moved, driven, _ = given
    monkeypatch.setattr(fitting, "_KEEP_EVERY", 5)
    whole = made(name).fit(moved, driven, split.train, seed=4).predict(moved, driven, split.test)
    keep, left = fitting.checkpoint.keep, [5 if name == "musenet" else 2]

    def kept(path, state):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        keep(path, state)

    monkeypatch.setattr(fitting.checkpoint, "keep", kept)
    with pytest.raises(Killed):
        made(name, folder=str(tmp_path)).fit(moved, driven, split.train, seed=4)
    again = made(name, folder=str(tmp_path)).fit(moved, driven, split.train, seed=4)
    for one, other in zip(whole, again.predict(moved, driven, split.test), strict=True):
        np.testing.assert_array_equal(one, other)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    monkeypatch.setattr(fitting, "_step", None)
    made(name, folder=str(tmp_path)).fit(moved, driven, split.train, seed=4)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files


def test_another_seed_or_other_data_have_checkpoints_of_their_own(given, split, tmp_path):
    moved, driven, _ = given
    options = {"members": 1, "folder": str(tmp_path)}
    made("musenet", **options).fit(moved, driven, split.train, seed=1)
    before = set(Path(tmp_path).iterdir())
    made("musenet", **options).fit(moved, driven, split.train, seed=2)
    other = set(Path(tmp_path).iterdir())
    made("musenet", **options).fit(replace(moved, values=moved.values * 1.01), driven, split.train, seed=1)
    assert before < other < set(Path(tmp_path).iterdir())


@pytest.mark.parametrize("name", NETWORKS)
def test_samples_can_be_asked_for_in_any_parts(name, given, split):
    moved, driven, _ = given
    fitted = made(name).fit(moved, driven, split.train, seed=4)
    whole = fitted.predict(moved, driven, split.test)
    order = np.random.default_rng(0).permutation(len(split.test))
    for part in np.array_split(order, 3):
        for one, other in zip(fitted.predict(moved, driven, split.test.where(part)), whole, strict=True):
            np.testing.assert_allclose(one, other[part], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["musenet", "kf_lstm"])
def test_points_with_drivers_of_their_own_are_forecast_by_them(name, given, split):
    """Three rows of the same rain say what one row says; a row that differs changes its own point alone."""
    moved, driven, _ = given
    rows = Drivers(driven.days, np.repeat(driven.rain, 3, axis=0), np.repeat(driven.level, 3, axis=0))
    fitted = made(name).fit(moved, driven, split.train, seed=4)
    whole = fitted.predict(moved, driven, split.test)
    same = fitted.predict(moved, rows, split.test)
    np.testing.assert_allclose(same.increment, whole.increment, rtol=1e-9, atol=1e-12)
    rows.rain[1] *= 3.0
    changed = fitted.predict(moved, rows, split.test).increment != whole.increment
    assert changed[split.test.point == 1].any()
    np.testing.assert_allclose(
        fitted.predict(moved, rows, split.test).increment[split.test.point != 1],
        whole.increment[split.test.point != 1],
        rtol=1e-9,
        atol=1e-12,
    )


def test_a_calendar_does_not_change_when_days_are_added():
    moved, driven = displacement(np.zeros((1, 40))), weather(days=700)
    scaling = DriverScaling.learnt(driven, "S3")
    short = scaling.calendar(driven.until(passes()[20]), moved, passes()[20])
    long = scaling.calendar(driven, moved, passes()[40])
    assert short.first == long.first
    last = int(short.number(passes()[20]))
    np.testing.assert_array_equal(short.plain[:, : last + 1], long.plain[:, : last + 1])
    for one, other in zip(short.pieces, long.pieces, strict=True):
        pieces = last // NEW
        np.testing.assert_array_equal(one[:, :pieces], other[:, :pieces])
        end = WARM + last % NEW + 1
        np.testing.assert_array_equal(one[:, pieces, :end], other[:, pieces, :end])


@pytest.mark.parametrize(("inputs", "steps"), [("S1", 60), ("S3", 90)])
def test_windows_are_joined_as_published(inputs, steps):
    """30 passes, and 30 days of each driver, with their dates; every column of mean 0 over what is learnt from."""
    moved, driven = steady(), weather()
    windows = network_published.windows_of(samples(moved, driven, inputs=inputs))
    joined = network_published._joined(windows, network_published._scales(windows, np.ones(1)))
    assert joined.shape == (90, steps, 4)
    np.testing.assert_allclose(joined.reshape(90, -1, 30, 4).mean(axis=(0, 2)), 0.0, atol=1e-9)


def test_scaling_knows_nothing_of_the_future(given, split):
    moved, driven, _ = given
    learnt = Frame.learnt(moved, driven, split.train)
    date = split.train.target.max()
    values, rain, level = moved.values.copy(), driven.rain.copy(), driven.level.copy()
    values[:, moved.dates > date] *= 1000.0
    rain[:, driven.days > date] *= 1000.0
    level[:, driven.days > date] += 1000.0
    moved, driven = replace(moved, values=values), Drivers(driven.days, rain, level)
    train = by_time(samples(moved, driven, **WINDOWS), train_until=given.displacement.dates[32]).train
    again = Frame.learnt(moved, driven, train)
    np.testing.assert_array_equal(learnt.motion, again.motion)
    for one, other in ((learnt.drivers.mean, again.drivers.mean), (learnt.drivers.spread, again.drivers.spread)):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def test_windows_that_reach_before_the_first_pass_are_filled_with_it():
    values = np.array([[0.0, 1.0, 3.0, np.nan, 6.0, 10.0, 15.0, 21.0, 28.0]])
    moved, driven = displacement(values), weather()
    train = samples(moved, driven, steps=7, days=20)
    found = learnt_from(moved, train)
    assert found.increment.tolist() == [6.0, 7.0, 13.0]
    assert found.target.tolist() == [passes()[7].item(), passes()[8].item(), passes()[8].item()]
    assert found.moved[0].tolist() == [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    assert found.passes[0].tolist() == [passes()[k].item() for k in (6, 5, 4, 2, 1, 0, 0)]


def test_truth_between_passes_is_learnt_from_too(given):
    moved, driven, truth = given
    daily = by_time(samples(moved, driven, truth=truth, **WINDOWS), train_until=moved.dates[20]).train
    found = learnt_from(moved, daily)
    between = ~np.isin(found.target, moved.dates)
    assert between.sum() == (~np.isin(daily.target, moved.dates)).sum() > 100


@pytest.mark.parametrize("name", NETWORKS)
def test_without_torch_the_extra_is_named(name, given, split, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=r"torch is not installed.*slidecloud\[detect\]"):
        method(name).fit(given.displacement, given.drivers, split.train, seed=0)


def test_slides_that_answer_to_rain_are_forecast_better_than_by_standing_still(given, split):
    moved, driven, _ = given
    fitted = method("musenet", members=2, steps=120).fit(moved, driven, split.train, seed=0)
    error = fitted.predict(moved, driven, split.test).increment - split.test.increment
    assert np.mean(error**2) < 0.5 * np.mean(split.test.increment**2)


def test_absolute_displacement_does_not_extrapolate(given, split):
    """The published network learns its training part and loses to standing still on what follows."""
    moved, driven, _ = given
    fitted = method("musenet_published", steps=200, batch=16).fit(moved, driven, split.train, seed=0)
    errors = [
        np.sqrt(np.mean((fitted.predict(moved, driven, part).increment - part.increment) ** 2))
        for part in (split.train, split.test)
    ]
    assert errors[1] > 3 * errors[0]
    assert errors[1] > np.sqrt(np.mean(split.test.increment**2))


@pytest.mark.parametrize("apart", [False, True])
def test_a_series_that_begins_late_is_lived_with(given, split, apart):
    """Where points share a network it has intervals as others have; a network of its own it has not."""
    moved, driven, _ = given
    values = moved.values.copy()
    values[2, :34] = np.nan
    moved = replace(moved, values=values)
    train, test = by_time(samples(moved, driven, **WINDOWS), train_until=moved.dates[32])
    told = made("musenet_published", apart=apart).fit(moved, driven, train, seed=0).predict(moved, driven, test)
    late = test.point == 2
    assert late.any()
    assert np.isfinite(np.stack(told)[:, ~late]).all()
    assert (told.upper - told.lower > 0.1)[late].all() != apart
    # One that begins within the time learnt from does not stop the factor from being learnt.
    values[2, 14:] = given.displacement.values[2, 14:]
    train = by_time(samples(moved, driven, **WINDOWS), train_until=moved.dates[32]).train
    assert np.isfinite(made("musenet_published", apart=apart).fit(moved, driven, train, seed=0).factor)


@pytest.mark.long
@pytest.mark.parametrize("noise", [0.3, 1.0, 2.0])
def test_intervals_hold_what_they_promise(noise):
    """90 % of what later passes measure, within 4 points, over 30 points."""
    moved, driven, _ = series(slides_daily(11, noise=noise))
    train, test = by_time(samples(moved, driven), train_until=moved.dates[0] + np.timedelta64(1090, "D"))
    told = method("musenet").fit(moved, driven, train, seed=0).predict(moved, driven, test)
    held = (told.lower <= test.increment) & (test.increment <= told.upper)
    assert held.mean() == pytest.approx(0.9, abs=0.04)
