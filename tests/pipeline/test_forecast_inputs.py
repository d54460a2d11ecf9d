"""Rain and level as they are given to forecasts: missing days, none at all, and stations far away."""

from __future__ import annotations

import pickle
from pathlib import Path

import forecasting
import numpy as np
import pandas
import pytest

from slidecloud.pipeline import forecast
from slidecloud.pipeline.summary import Summary
from slidecloud.types import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few points with places, rain and level."""
    forecasting.write(tmp_path, forecasting.slides(points=3))
    points = pandas.read_csv(tmp_path / "points.csv")
    points.assign(longitude=110.0, latitude=31.0).to_csv(tmp_path / "points.csv", index=False)
    return tmp_path


def without(folder: Path, days) -> None:
    rain = pandas.read_csv(folder / "rain.csv")
    rain[~rain["date"].isin([str(day) for day in days])].to_csv(folder / "rain.csv", index=False)


class Heard:
    """A progress that remembers sentences."""

    def __init__(self):
        self.told = []

    def start(self, **_):
        pass

    advance = start

    def message(self, text):
        self.told.append(text)

    def stop(self):
        pass


def test_missing_days_of_rain_are_refused_or_left_unknown(folder):
    lost = forecasting.TRAIN_UNTIL + np.arange(60, 75)
    without(folder, lost)
    with pytest.raises(DataError, match=f"no rain for 15 of .* days, the first is {lost[0]}"):
        forecasting.compute(forecasting.settings(folder))
    config = forecasting.settings(folder, rain={"path": "rain.csv", "missing": "unknown"})
    forecasting.compute(config)
    found = forecasting.opened(config).displacement
    days = found.time.values.astype("datetime64[D]")
    some = np.isfinite(found.values).any(axis=1)
    # A window of 30 days bears 6 that are unknown.
    touched = (days >= lost[6]) & (days < lost[-7] + 30)
    assert not some[touched].any()
    assert some[days < lost[0]].mean() > 0.9
    assert some[days > lost[-1] + 30].mean() > 0.9


def test_each_input_may_be_absent(folder):
    found = {}
    for name, absent in (("S1", "level"), ("S2", "rain"), ("S3", "none")):
        config = forecasting.settings(folder, method="ridge", store=f"{name}.zarr", **{absent: None})
        forecasting.compute(config)
        found[name] = forecasting.opened(config)
        assert found[name].attrs["inputs"] == name
    assert "level" not in found["S1"]
    assert "rain" not in found["S2"]
    assert (found["S1"].displacement.values != found["S3"].displacement.values).any()


def test_a_station_far_away_is_told_and_refused(folder):
    rain = pandas.read_csv(folder / "rain.csv")
    rain.assign(station="Badong", longitude=110.23, latitude=31.0).to_csv(folder / "rain.csv", index=False)
    with pytest.raises(DataError, match=r"Badong, 2\d\.\d km away.*expected at most 20 km.*farthest"):
        forecasting.compute(forecasting.settings(folder))
    heard = Heard()
    config = forecasting.settings(folder, rain={"path": "rain.csv", "farthest": None})
    forecast.compute(config, executor=forecasting.serial(), progress=heard)
    assert any("3 points take the rain of Badong, 2" in sentence for sentence in heard.told)


def test_a_file_that_is_not_there_is_named(folder):
    (folder / "level.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"level\.csv"):
        forecasting.compute(forecasting.settings(folder))


def test_units_travel_light(folder, monkeypatch):
    """What is sent to workers holds no series: they read them from the store."""
    seen = []
    monkeypatch.setattr(forecast, "drive", lambda units, **_: seen.extend(units) or Summary())
    config = forecasting.settings(folder)
    forecast.compute(config, executor=forecasting.serial())
    assert len(seen) > 2
    for unit in seen:
        text = pickle.dumps(unit)
        assert len(text) < 10_000
        assert pickle.loads(text).key == unit.key


def test_how_well_passes_measure_makes_probabilities_those_of_the_motion(folder):
    """The interval is what a pass would measure, and stays; probability gathers about the motion itself."""
    found = {}
    for sigma in (None, 0.5):
        points = pandas.read_csv(folder / "points.csv")
        if sigma is not None:
            points.assign(sigma=sigma).to_csv(folder / "points.csv", index=False)
        config = forecasting.settings(folder, method="ridge", store=f"{sigma}.zarr", thresholds=[{"rate": 0.2}])
        forecasting.compute(config)
        found[sigma] = forecasting.opened(config)
    np.testing.assert_array_equal(found[None].lower.values, found[0.5].lower.values)
    less, more = (np.abs(found[sigma].exceedance.values - 0.5) for sigma in (None, 0.5))
    known = np.isfinite(less)
    np.testing.assert_array_equal(known, np.isfinite(more))
    assert more[known].mean() > less[known].mean() + 0.01
