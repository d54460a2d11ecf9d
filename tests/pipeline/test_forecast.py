"""Forecasts of simulated points: what is stored, what is done again, and what a night adds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import forecasting
import numpy as np
import pytest
import runs

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import forecast
from slidecloud.pipeline.executors import threads
from slidecloud.pipeline.forecast_judged import judged
from slidecloud.pipeline.forecast_report import told
from slidecloud.pipeline.forecast_work import DaysWork
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store import forecasts, locate, records
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """A folder with finished forecasts, its configuration and the slides; read it only."""
    folder = tmp_path_factory.mktemp("forecast")
    slides = forecasting.slides()
    forecasting.write(folder, slides)
    config = forecasting.settings(folder)
    forecasting.compute(config)
    return folder, config, slides


@pytest.fixture
def copy(made, tmp_path: Path):
    """A copy that a test may change."""
    folder = Path(shutil.copytree(made[0], tmp_path / "copy"))
    return folder, forecasting.settings(folder)


def test_every_day_after_those_learnt_from_is_forecast(made):
    _, config, slides = made
    found = forecasting.opened(config)
    days = found.time.values.astype("datetime64[D]")
    assert days[0] == forecasting.TRAIN_UNTIL + 1
    assert days[-1] == slides.days[-1]
    assert (np.diff(days) == 1).all()
    assert np.isfinite(found.displacement).mean() > 0.95
    known = np.isfinite(found.displacement.values)
    assert (found.lower.values <= found.displacement.values)[known].all()
    assert (found.upper.values >= found.displacement.values)[known].all()
    origin = found.origin.values.astype("datetime64[D]")
    assert (origin < days[:, None])[known].all()
    np.testing.assert_array_equal(np.isnat(origin), ~known)


def test_persistence_is_the_last_pass(made):
    _, config, slides = made
    found = forecasting.opened(config)
    origin = found.origin.values.astype("datetime64[D]")
    day, point = np.nonzero(~np.isnat(origin))
    place = np.searchsorted(slides.passes, origin[day, point])
    np.testing.assert_allclose(found.displacement.values[day, point], slides.observed[point, place], rtol=1e-6)


def test_probabilities_are_those_of_the_interval(made):
    _, config, slides = made
    found = forecasting.opened(config)
    assert found.attrs["thresholds"] == ["20 mm", "0.2 mm a day away over 12 days"]
    probability = found.exceedance.values
    known = np.isfinite(found.displacement.values)
    np.testing.assert_array_equal(np.isfinite(probability[0]), known)
    assert probability[:, known].min() >= 0
    assert probability[:, known].max() <= 1
    start = np.array([row[np.isfinite(row)][0] for row in slides.observed])
    gone = np.abs(found.displacement.values - start)
    half = (found.upper - found.lower).values / 2
    sure = known & (gone > 20 + 2 * half)
    assert sure.any()
    assert (probability[0][sure] > 0.99).all()
    assert (probability[0][known & (gone < 20 - 2 * half)] < 0.01).all()


def test_a_second_time_nothing_is_done(made):
    _, config, _ = made
    again = forecasting.compute(config)
    assert again.done == 0
    looked = forecast.status(config)
    assert (looked.done, looked.total) == (again.skipped, again.skipped)


def test_any_number_of_workers_gives_the_same_bits(made, tmp_path):
    folder, config, _ = made
    other = forecasting.settings(forecasting.inputs_of(folder, tmp_path))
    pool = threads(3)
    forecasting.compute(other, executor=pool)
    pool.close()
    one, two = (runs.arrays(Path(c.place)) for c in (config, other))
    assert one == two


@pytest.mark.parametrize("method", ["linear", "ridge", "boosting", "kalman_driven"])
def test_days_in_other_chunks_have_the_same_forecasts(made, tmp_path, monkeypatch, method):
    """And what a method has learnt is the same after it was kept: chunks of a whole are forecast by it anew."""
    folder, _, slides = made
    found = []
    for days in (64, 256):
        monkeypatch.setattr("slidecloud.pipeline.forecast_plan.DAYS", days)
        config = forecasting.settings(forecasting.inputs_of(folder, tmp_path / str(days)), method=method)
        forecasting.compute(config)
        found.append(runs.arrays(Path(config.place)))
    assert found[0] == found[1]
    one = forecasting.opened(config)
    truth = slides.truth[:, np.searchsorted(slides.days, one.time.values.astype("datetime64[D]"))].T
    still = np.abs(np.diff(truth, axis=0)).mean() * 6
    assert np.nanmean(np.abs(one.displacement.values - truth)) < still


def test_a_kill_between_units_learns_nothing_again(made, tmp_path, monkeypatch):
    folder, _, _ = made
    config = forecasting.settings(forecasting.inputs_of(folder, tmp_path))
    done: list[DaysWork] = []
    whole = DaysWork.__call__

    def interrupted(self, writer):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(self)
        return whole(self, writer)

    monkeypatch.setattr(DaysWork, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        forecasting.compute(config)
    monkeypatch.undo()
    (model,) = (Path(config.place) / "forecast" / "points" / "models").iterdir()
    before = model.stat().st_mtime_ns, model.read_bytes()
    assert forecasting.compute(config).skipped == 3
    assert (model.stat().st_mtime_ns, model.read_bytes()) == before
    assert runs.arrays(Path(config.place)) == runs.arrays(folder / "forecast.zarr")


def grown(folder: Path, tmp_path: Path, *, until: str, later: str, **changes):
    """Forecasts of the slides up to a day, and a night's data up to a later one."""
    other = forecasting.inputs_of(folder, tmp_path)
    slides = forecasting.slides()
    forecasting.write(other, slides, until=until)
    config = forecasting.settings(other, **changes)
    forecasting.compute(config)
    first = forecasting.opened(config)
    forecasting.write(other, slides, until=later)
    return config, first


@pytest.mark.parametrize(("until", "later"), [("2019-02-03", "2019-02-04"), ("2019-03-01", "2019-04-20")])
def test_a_night_adds_days_alone(made, tmp_path, until, later):
    """A day within a chunk, and days over its border; passes that came since change nothing that was told."""
    config, first = grown(made[0], tmp_path, until=until, later=later)
    (model,) = (Path(config.place) / "forecast" / "points" / "models").iterdir()
    before = model.stat().st_mtime_ns, model.read_bytes()
    assert forecasting.compute(config, nightly=True).done == (1 if later == "2019-02-04" else 2)
    assert (model.stat().st_mtime_ns, model.read_bytes()) == before
    found = forecasting.opened(config)
    count = first.sizes["time"]
    assert found.time.values[-1].astype("datetime64[D]") == np.datetime64(later)
    assert np.isfinite(found.displacement.values[count:]).any(axis=1).all()
    for name in ("displacement", "lower", "upper", "origin", "exceedance"):
        old = found[name].isel(time=slice(0, count)).values
        assert old.tobytes() == first[name].values.tobytes()
    again = forecasting.compute(config, nightly=True)
    assert again.done == 0


def test_a_night_tells_what_could_not_be_told_before(made, tmp_path):
    """The passes of a point come late: its days are added, and all that was told stays."""
    folder, slides = forecasting.inputs_of(made[0], tmp_path), forecasting.slides()
    late = forecasting.slides()
    late.observed[2, late.passes > np.datetime64("2018-12-10")] = np.nan
    forecasting.write(folder, late, until="2019-02-03")
    config = forecasting.settings(folder)
    forecasting.compute(config)
    first = forecasting.opened(config)
    assert np.isnan(first.displacement.values[20:, 2]).all()
    forecasting.write(folder, slides, until="2019-02-03")
    assert forecasting.compute(config, nightly=True).done == 1
    found = forecasting.opened(config)
    assert np.isfinite(found.displacement.values[20:, 2]).all()
    for name in ("displacement", "lower", "upper", "origin", "exceedance"):
        was = np.isfinite(first.displacement.values)
        assert found[name].values[..., was].tobytes() == first[name].values[..., was].tobytes()
    assert forecasting.compute(config, nightly=True).done == 0


def test_without_nightly_everything_is_as_if_made_now(made, tmp_path):
    folder, _, _ = made
    config, _ = grown(folder, tmp_path, until="2019-03-01", later="2019-04-20")
    forecasting.compute(config, nightly=True)
    told = forecasting.opened(config)
    summary = forecasting.compute(config)
    assert summary.done == 1  # the days that passes have come between
    fresh = forecasting.settings(forecasting.inputs_of(Path(config.place).parent, tmp_path / "fresh"))
    forecasting.compute(fresh)
    one, two = (runs.arrays(Path(c.place)) for c in (config, fresh))
    assert one == two
    # The pass of early March was not there when the days after it were told first.
    assert (forecasting.opened(config).origin.values != told.origin.values).any()


def test_a_night_that_is_cut_short_goes_on(made, tmp_path, monkeypatch):
    folder, _, _ = made
    config, _ = grown(folder, tmp_path, until="2019-03-01", later="2019-04-20")
    whole = Path(shutil.copytree(Path(config.place).parent, tmp_path / "whole"))
    expected = config.model_copy(update={"store": str(whole / "forecast.zarr")})
    forecasting.compute(expected, nightly=True)
    write = records.write

    def stopped(location, record):
        if record.key.stage == "forecast":
            raise KeyboardInterrupt
        return write(location, record)

    monkeypatch.setattr(records, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        forecasting.compute(config, nightly=True)
    monkeypatch.undo()
    forecasting.compute(config, nightly=True)
    assert runs.arrays(Path(config.place)) == runs.arrays(Path(expected.place))


def test_a_night_of_other_settings_is_refused(copy):
    folder, _ = copy
    changed = forecasting.settings(folder, thresholds=[{"displacement": 21.0}])
    with pytest.raises(ConfigError, match=r"thresholds was .* and is now .*without --nightly"):
        forecasting.compute(changed, nightly=True)
    fresh = forecasting.settings(folder, store="other.zarr")
    with pytest.raises(DataError, match="no forecasts to add days to"):
        forecasting.compute(fresh, nightly=True)


def test_other_thresholds_learn_nothing_again(copy):
    folder, _ = copy
    changed = forecasting.settings(folder, thresholds=[{"displacement": 21.0}])
    summary = forecasting.compute(changed)
    assert summary.skipped == 1
    assert forecasting.opened(changed).sizes["threshold"] == 1


def test_other_days_leave_nothing_of_the_old(copy, monkeypatch):
    """Forecasts of other days must not be taken for those of these, before these are made."""
    folder, _ = copy
    later = forecasting.settings(folder, train_until="2019-01-31")

    def fails(self, writer):
        raise KeyboardInterrupt

    monkeypatch.setattr(DaysWork, "__call__", fails)
    with pytest.raises(KeyboardInterrupt):
        forecasting.compute(later)
    assert np.isnan(forecasting.opened(later).displacement).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "oracle"}, "method is 'oracle'; expected one of persistence"),
        ({"train_until": "2030-01-01"}, "Give an earlier date, or newer data"),
        ({"store": "points.csv"}, "points.csv"),
    ],
)
def test_what_cannot_be_done_is_told(copy, changes, says):
    folder, _ = copy
    with pytest.raises((ConfigError, OSError, DataError), match=says):
        forecasting.compute(forecasting.settings(folder, **changes))


def test_points_without_enough_passes_have_no_forecast(made, tmp_path):
    folder, _, _ = made
    other = forecasting.inputs_of(folder, tmp_path)
    slides = forecasting.slides()
    slides.observed[2, 20:] = np.nan
    forecasting.write(other, slides)
    config = forecasting.settings(other)
    forecasting.compute(config)
    found = forecasting.opened(config)
    assert np.isnan(found.displacement.values[:, 2]).all()
    assert np.isfinite(found.displacement.values[:, 3]).any()


def test_what_a_stopped_writer_left_is_found(copy):
    _, config = copy
    store = Path(config.place)
    stray = store / "forecast" / "points" / "displacement" / "c" / "9" / "0"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half")
    (store / "forecast" / "points" / "models" / "0000512.npz").write_bytes(b"half")
    (store / "forecast" / "points" / "notes.txt").write_bytes(b"mine")
    found = collect(config.place)
    assert [one.key for one in found.orphans] == [
        "forecast/points/displacement/c/9/0", "forecast/points/models/0000512.npz",
    ]  # fmt: skip
    assert found.foreign == ("forecast/points/notes.txt",)


def test_a_damaged_forecast_is_found_and_made_again(copy):
    _, config = copy
    chunk = Path(config.place) / "forecast" / "points" / "lower" / "c" / "1" / "0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (damage,) = verify(config.place).damaged
    assert "slidecloud forecast" in damage.remedy
    verify(config.place, repair=True)
    assert forecasting.compute(config).done == 1
    assert chunk.read_bytes() == whole


def test_points_with_too_few_passes_are_set_aside_by_name(made, tmp_path):
    folder, _, _ = made
    config = forecasting.settings(forecasting.inputs_of(folder, tmp_path), passes=100)
    summary = forecast.compute(config, executor=forecasting.serial())
    assert summary.exit_code == 3
    (aside,) = summary.quarantined
    assert aside.unit == "points/fit/0000000"
    assert "one looks back on 100 passes" in aside.reason
    assert len(summary.blocked) == 4
    assert forecast.status(config).quarantined == 1


@pytest.mark.parametrize(
    ("changes", "missing", "extra"),
    [
        ({"method": "musenet"}, "torch", "detect"),
        ({"beside": ["boosting"]}, "lightgbm", "forecast"),
        ({"beside": ["kf_arima"]}, "statsmodels", "forecast"),
    ],
)
def test_a_missing_library_is_told_before_anything_is_done(made, tmp_path, monkeypatch, changes, missing, extra):
    config = forecasting.settings(forecasting.inputs_of(made[0], tmp_path), **changes)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'slidecloud\[{extra}\]'"):
        forecasting.compute(config)
    assert not Path(config.place).exists()


def test_missing_days_name_the_key_that_allows_them(made, tmp_path):
    folder = forecasting.inputs_of(made[0], tmp_path)
    for name in ("rain", "level"):
        rows = (folder / f"{name}.csv").read_text().splitlines(keepends=True)
        (folder / f"{name}.csv").write_text("".join(rows[:40] + rows[41:]))
    with pytest.raises(DataError, match=r"choose rain\.missing 'unknown'.* or 'dry'"):
        forecasting.compute(forecasting.settings(folder))
    with pytest.raises(DataError, match=r"choose level\.missing 'unknown'"):
        forecasting.compute(forecasting.settings(folder, rain={"path": "rain.csv", "missing": "dry"}))


def test_longer_windows_are_planned_with_their_memory(made, tmp_path, monkeypatch):
    folder, drive = forecasting.inputs_of(made[0], tmp_path), forecast.drive
    needed = []

    def watched(units, **options):
        needed.append(max(unit.peak_memory for unit in units))
        return drive(units, **options)

    monkeypatch.setattr(forecast, "drive", watched)
    for days in (30, 395):
        forecasting.compute(forecasting.settings(folder, days=days))
    samples = 7 * 64
    assert needed[1] - needed[0] > 8 * 365 * samples


def test_a_horizon_shorter_than_the_time_between_passes_sets_nothing_aside(made, tmp_path):
    config = forecasting.settings(forecasting.inputs_of(made[0], tmp_path), beside=["linear"], horizon=5)
    forecasting.compute(config)
    (one,) = judged(locate(config.place))
    assert one.scores.count == 0
    assert not one.beside
    assert told(locate(config.place), one, config, permute=True).exchanged is None


def chunked(monkeypatch, points):
    """So many points in a chunk, which are learnt from together."""
    for module in ("slidecloud.store.forecast_specs", "slidecloud.pipeline.forecast_plan"):
        monkeypatch.setattr(f"{module}.points_chunk", lambda _: points)


def test_points_of_which_nothing_was_learnt_keep_no_others_from_their_night(made, tmp_path, monkeypatch):
    chunked(monkeypatch, 4)
    folder, slides = forecasting.inputs_of(made[0], tmp_path), forecasting.slides()
    slides.observed[4:, 20:] = np.nan
    forecasting.write(folder, slides, until="2019-02-03")
    config = forecasting.settings(folder)
    assert forecast.compute(config, executor=forecasting.serial()).exit_code == 3
    forecasting.write(folder, slides, until="2019-02-04")
    assert forecasting.compute(config, nightly=True).done == 1
    known = np.isfinite(forecasting.opened(config).displacement.values[-1])
    assert known[:4].any()
    assert not known[4:].any()


def test_a_part_that_has_no_points_any_more_is_taken_away(made, tmp_path, monkeypatch):
    config = forecasting.settings(forecasting.inputs_of(made[0], tmp_path))
    monkeypatch.setattr("slidecloud.pipeline.forecast_points.TABLE", "descending_009")
    forecasting.compute(config)
    monkeypatch.undo()
    location = locate(config.place)
    assert forecasts.names(location) == ("descending_009",)
    forecasting.compute(config)
    assert forecasts.names(location) == ("points",)
    assert not any("descending" in key.unit for key in records.done(location))
    assert not list(Path(config.place).glob("forecast/descending_009/models/*"))
    assert forecasting.compute(config, nightly=True).done == 0


def test_other_methods_are_judged_on_the_same_passes(made, tmp_path):
    """Persistence beside a ridge has the errors that it has when it forecasts itself."""
    folder, config, _ = made
    other = forecasting.settings(
        forecasting.inputs_of(folder, tmp_path), method="ridge", beside=["ridge", "linear", "persistence"]
    )
    assert forecasting.compute(other).done == 7
    (alone,), (one,) = (judged(locate(c.place)) for c in (config, other))
    assert [found.method for found in one.beside] == ["linear", "persistence"]
    still = one.beside[1]
    assert still.passes == alone.scores.count == one.scores.count > 50
    assert still.rmse == pytest.approx(alone.scores.rmse, rel=1e-5)
    assert still.mae == pytest.approx(alone.scores.mae, rel=1e-5)
    assert still.coverage == pytest.approx(alone.scores.coverage)
    assert one.scores.rmse < one.beside[0].rmse < still.rmse
    assert alone.scores.skill == pytest.approx(0.0, abs=1e-6)
    assert any("beside it, persistence" in line for line in one.lines())
    assert forecasting.compute(other).done == 0
