"""Forecasts of the landslides of a small simulated run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forecasting
import numpy as np
import pandas
import pytest
import runs
import small

from slidecloud import open_run
from slidecloud.config_demix import DemixConfig
from slidecloud.pipeline.forecast_points import again, of_run
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store import forecasts
from slidecloud.store.arrays import MissingChunkError
from slidecloud.store.velocity_maps import VelocityMap, velocity_maps

DATES = 36


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """A finished run, forecasts of it, and their configuration; read it only."""
    folder = tmp_path_factory.mktemp("run")
    store = small.finished(folder, small.scene(dates=DATES))
    passes = open_run(str(store)).timeseries(small.BURST).time.values.astype("datetime64[D]")
    days = np.arange(passes[0] - 60, passes[-1] + 10)
    fallen = np.where(np.arange(len(days)) % 5 == 0, 6.0, 0.0)
    pandas.DataFrame({"date": days, "rain": fallen}).to_csv(folder / "rain.csv", index=False)
    config = forecasting.settings(
        folder, run="run.zarr", points=None, store=None, level=None, method="linear", passes=8,
        train_until=str(passes[24]), thresholds=[{"rate": 0.2}], per_landslide=6, least_coherence=0.3,
    )  # fmt: skip
    forecasting.compute(config)
    return config, passes


def test_points_are_the_most_coherent_pixels_of_landslides(made):
    config, passes = made
    run = open_run(config.place)
    assert forecasts.names(run.location) == ("ascending_001",)
    table = forecasts.points(run.location, "ascending_001")
    assert set(table["landslide"]) <= set(run.inventory["id"])
    assert table.groupby("landslide").size().max() <= 6
    series = run.timeseries(small.BURST)
    found = forecasting.opened(config, "ascending_001")
    np.testing.assert_array_equal(found.pass_time.values.astype("datetime64[D]"), passes)
    assert found.point.values.tolist() == table["id"].tolist()
    assert found.landslide_id.values.tolist() == table["landslide"].tolist()
    some = found.displacement.sel(point=table["id"].iloc[0])
    assert some.dims == ("time",)
    for number, (row, column) in enumerate(zip(table["row"], table["column"], strict=True)):
        moved = 1000 * series.displacement.values[:, row, column].astype(float)
        np.testing.assert_allclose(found.observed.values[:, number], moved)
    outline = run.inventory.set_index("id").geometry
    assert all(outline[name].contains(place) for name, place in zip(table["landslide"], table.geometry, strict=True))


def test_the_slide_goes_on_as_it_went(made):
    """0.2 m a year, seen along the line of sight: a line through the last passes is right within its interval."""
    config, _ = made
    found = forecasting.opened(config, "ascending_001")
    at = np.isin(found.time.values, found.pass_time.values)
    observed = found.observed.values[np.isin(found.pass_time.values, found.time.values)]
    inside = (observed >= found.lower.values[at]) & (observed <= found.upper.values[at])
    assert np.isfinite(found.displacement.values[at]).all()
    assert inside.mean() > 0.7


def lines(dates, values):
    """Slope, scatter about the line, and standard error of the slope of each row."""
    time = (dates - dates[0]).astype(float)
    slope, start = np.polyfit(time, values.T, 1)
    scatter = (values - slope[:, None] * time - start[:, None]).std(axis=1)
    return slope, scatter, scatter / (time.std() * np.sqrt(len(time)))


def test_points_are_the_same_without_the_air_and_by_night(made):
    """They lie nearer to a line of the same slope, and a night finds the same series again."""
    config, _ = made
    run, calm = open_run(config.place), config.model_copy(update={"demix": DemixConfig()})
    (plain,), (part,) = (of_run(run, one) for one in (config, calm))
    assert part.displacement.ids.tolist() == plain.displacement.ids.tolist()
    values = part.displacement.values
    np.testing.assert_array_equal(np.isfinite(values), np.isfinite(plain.displacement.values))
    (slope, scatter, doubt), (calm_slope, calm_scatter, _) = (
        lines(part.displacement.dates, each) for each in (plain.displacement.values, values)
    )
    assert (calm_scatter < scatter).all()
    assert (np.abs(calm_slope - slope) < 2 * doubt).all()
    night = again(run, part.title, part.table, part.displacement, calm)
    np.testing.assert_allclose(night.values, values, atol=1e-6)


@dataclass(frozen=True)
class Changed(VelocityMap):
    """A map that overlaps the real one, of which something is otherwise."""

    change: Callable[[str, Any], Any] = lambda name, values: values

    def map(self, name):
        return self.change(name, super().map(name))

    def series(self, name, pixels):
        return self.change(name, super().series(name, pixels))

    @property
    def time(self):
        return self.change("time", super().time)


def maps_are(monkeypatch, *changes):
    """What a run has in place of each of its maps."""

    def changed(location, header):
        (one,) = velocity_maps(location, header)
        return [Changed(one.run, one.header, one.path, change) for change in changes]

    monkeypatch.setattr("slidecloud.pipeline.forecast_points.velocity_maps", changed)


def as_it_is(name, values):
    return values


def elsewhere(name, values):
    """Other pixels are the most coherent."""
    return np.roll(values, 1, axis=0) if name == "temporal_coherence" else values


def raised(name, values):
    return values + 0.005 if name == "displacement" else values


def unfinished(name, values):
    if name == "displacement":
        raise MissingChunkError("gone")
    return values


def test_air_is_learnt_from_the_same_points_every_night(made, monkeypatch):
    """Each map has candidates of its own, and not all become points."""
    config, _ = made
    run, calm = open_run(config.place), config.model_copy(update={"demix": DemixConfig()})
    maps_are(monkeypatch, as_it_is, elsewhere)
    (part,) = of_run(run, calm)
    night = again(run, part.title, part.table, part.displacement, calm)
    np.testing.assert_array_equal(night.values, part.displacement.values)


def test_where_maps_overlap_points_stay_with_the_first_that_has_them(made, monkeypatch):
    config, _ = made
    run = open_run(config.place)
    (expected,) = of_run(run, config)
    for changes in ((as_it_is, raised), (unfinished, as_it_is)):
        maps_are(monkeypatch, *changes)
        (part,) = of_run(run, config)
        night = again(run, part.title, part.table, part.displacement, config)
        for found in (part.displacement, night):
            np.testing.assert_array_equal(found.values, expected.displacement.values)


def test_forecasts_belong_to_the_store(made):
    config, _ = made
    assert not collect(config.place).orphans
    assert not collect(config.place).foreign
    assert not verify(config.place).damaged
    assert open_run(config.place).forecasts == ("ascending_001",)


def test_the_run_itself_is_as_it_was(made):
    config, _ = made
    folder = Path(config.place).parent
    assert runs.rerun(folder, "gradients: {}", "resources: {executor: serial}").done == 0


def test_new_passes_are_taken_by_the_night(made, tmp_path, monkeypatch):
    whole, passes = made
    config = whole.model_copy(update={"run": str(shutil.copytree(whole.place, tmp_path / "run.zarr"))})
    known = len(passes) - 3

    def cut(name, values):
        return values[:known] if values.ndim in (1, 2) and len(values) == len(passes) else values

    with monkeypatch.context() as before:
        maps_are(before, cut)
        forecasting.compute(config)
    first = forecasting.opened(config, "ascending_001")
    np.testing.assert_array_equal(first.pass_time.values.astype("datetime64[D]"), passes[:known])
    forecasting.compute(config, nightly=True)
    found = forecasting.opened(config, "ascending_001")
    expected = forecasting.opened(whole, "ascending_001")
    np.testing.assert_array_equal(found.observed.values, expected.observed.values)
    old = first.sizes["time"]
    assert found.displacement.values[:old].tobytes() == first.displacement.values.tobytes()
    assert found.sizes["time"] == expected.sizes["time"] > old
    new = found.origin.values[old:].astype("datetime64[D]")
    np.testing.assert_array_equal(new, expected.origin.values[old:].astype("datetime64[D]"))
    assert (new > passes[known - 1]).all()
    assert forecasting.compute(config, nightly=True).done == 0
