"""Forecasts of simulated points: what is stored, what is done again, and what a night adds."""

from __future__ import annotations

import shutil
from pathlib import Path

import forecasting
import numpy as np
import pytest
import runs

from slidecloud.pipeline import forecast
from slidecloud.pipeline.executors import threads
from slidecloud.pipeline.forecast_work import DaysWork


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


def test_days_in_other_chunks_have_the_same_forecasts(made, tmp_path, monkeypatch):
    folder, config, _ = made
    other = forecasting.settings(forecasting.inputs_of(folder, tmp_path))
    monkeypatch.setattr("slidecloud.pipeline.forecast_plan.DAYS", 128)
    forecasting.compute(other)
    one, two = (runs.arrays(Path(c.place)) for c in (config, other))
    assert one == two


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
