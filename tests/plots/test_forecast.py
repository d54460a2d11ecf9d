"""Pictures of forecasts: which point stands for a landslide, and what is drawn of it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from slidecloud.forecast.assessment import Answer
from slidecloud.forecast.events import Event
from slidecloud.plots.forecast import forecast_figure
from slidecloud.plots.forecast_errors import event_figure
from slidecloud.plots.forecast_page import shown


def made(*, drivers: tuple[str, ...] = ("rain", "level"), thresholds: int = 1) -> xr.Dataset:
    """Four points: the second likely to exceed the threshold, the last without any forecast or pass."""
    days, passes = (np.datetime64("2020-01-01") + step * np.arange(40 // step) for step in (1, 10))
    told = np.outer(np.arange(40.0), [1.0, -2.0, 0.5, np.nan]).astype(np.float32)
    chance = np.tile(np.array([0.1, 0.9, 0.2, np.nan], np.float32), (thresholds, 40, 1))
    arrays = {
        "displacement": (("time", "point"), told), "lower": (("time", "point"), told - 1),
        "upper": (("time", "point"), told + 1), "exceedance": (("threshold", "time", "point"), chance),
        "observed": (("pass", "point"), told[::10].astype(float)),
        "pass_time": (("pass",), passes.astype("datetime64[ns]")),
    }  # fmt: skip
    for name in drivers:
        arrays |= {
            name: ((f"{name}_place", "driver_day"), np.ones((1, 40))),
            f"{name}_of": (("point",), np.zeros(4, np.int32)),
            "driver_time": (("driver_day",), days.astype("datetime64[ns]")),
        }
    names = [f"{n + 1} mm" for n in range(thresholds)]
    return xr.Dataset(arrays, {"time": days.astype("datetime64[ns]")}, {"thresholds": names})


def test_the_likeliest_point_stands_for_its_landslide():
    chosen = list(shown(made(), ["a", "a", "b", ""]))
    assert [(one.landslide, one.point) for one in chosen] == [("a", 1), ("b", 2), ("", 3)]
    assert chosen[0].probability == pytest.approx(0.9)
    assert chosen[0].moved == 60.0
    assert np.isnan(chosen[2].probability)
    assert chosen[2].moved == 0.0


def test_a_threshold_that_is_not_known_hides_no_other():
    found = made(thresholds=2)
    found["exceedance"][0] = np.nan
    probability = {one.point: one.probability for one in shown(found, ["a", "a", "b", ""])}
    assert probability[1] == pytest.approx(0.9)
    assert probability[2] == pytest.approx(0.2)
    assert np.isnan(probability[3])


def test_without_thresholds_it_is_the_one_that_moved_most():
    chosen = list(shown(made(thresholds=0), ["a", "a", "a", "a"]))
    assert [one.point for one in chosen] == [1]


@pytest.mark.parametrize("drivers", [("rain",), ("level",), ("rain", "level")])
@pytest.mark.parametrize("thresholds", [0, 2])
def test_every_part_that_there_is_is_drawn(drivers, thresholds):
    figure = forecast_figure(made(drivers=drivers, thresholds=thresholds), 1, title="A slide")
    labels = [axes.get_ylabel().split(" ")[0].split("\n")[0] for axes in figure.axes]
    assert labels == [*drivers, "displacement", *(["probability"] if thresholds else [])]
    if thresholds:
        assert len(figure.axes[-1].lines) == 2
    figure.canvas.draw()


def test_a_point_without_passes_is_drawn_too():
    forecast_figure(made(), 3, title="Nothing").canvas.draw()


def test_an_event_is_marked_in_all_parts_and_what_comes_long_after_is_left_out():
    first, last = np.datetime64("2020-01-02"), np.datetime64("2020-01-04")
    answer = Answer(Event("heavy rain", first, last, 80.0), 1, np.datetime64("2020-01-11"))
    found = made()
    later = found.assign_coords(time=found["time"] + np.arange(40) * np.timedelta64(2, "D").astype("timedelta64[ns]"))
    figure = event_figure(later, answer, title="Rain")
    figure.canvas.draw()
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert axes.patches
        assert axes.get_xlim()[1] < np.datetime64("2020-03-01").astype(int)
