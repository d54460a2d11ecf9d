"""What a report tells of stored forecasts, point by point."""

from __future__ import annotations

import io
from pathlib import Path

import forecasting
import geopandas
import numpy as np
import pandas
import pytest

from slidecloud.pipeline.forecast_judged import judged
from slidecloud.pipeline.forecast_report import ERRORS, table_of, told
from slidecloud.plots.forecast_errors import map_figure
from slidecloud.store import locate


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """Forecasts of points with places."""
    folder = tmp_path_factory.mktemp("report")
    forecasting.write(folder, forecasting.slides(points=4))
    rows = pandas.read_csv(folder / "points.csv")
    rows["longitude"], rows["latitude"] = 106.0 + rows["id"].str[1:].astype(int) / 1000, 31.0
    rows.to_csv(folder / "points.csv", index=False)
    config = forecasting.settings(folder, method="ridge")
    forecasting.compute(config)
    return config


def test_the_table_has_the_errors_of_every_point(made):
    location = locate(made.place)
    (one,) = judged(location)
    found = told(location, one, made)
    table = geopandas.read_parquet(io.BytesIO(table_of([found])))
    assert list(table.columns) == [*(spec.name for spec in ERRORS), "geometry"]
    assert table["passes"].sum() == one.scores.count
    whole = np.sqrt((table["rmse"] ** 2 * table["passes"]).sum() / table["passes"].sum())
    assert whole == pytest.approx(one.scores.rmse)
    assert table.geometry.x.tolist() == pytest.approx([106.0, 106.001, 106.002, 106.003])
    assert found.exchanged is None
    assert found.assessment is not None
    assert found.assessment.skill.holds(one.scores.skill)
    drawn = map_figure(table)
    assert drawn is not None
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert "root mean square error (mm)" in titles
    assert sum("Cramer" in title for title in titles) == 2
    drawn.canvas.draw()


def test_points_without_a_place_have_no_map(made):
    location = locate(made.place)
    (one,) = judged(location)
    table = told(location, one, made).errors()
    nowhere = table.set_geometry(geopandas.points_from_xy([np.nan] * 4, [np.nan] * 4), crs=table.crs)
    assert map_figure(nowhere) is None


def test_what_the_method_needs_is_told_where_asked(made):
    """Slides answer to rain and drawdown, so a ridge loses by other days' rain and level."""
    location = locate(made.place)
    (one,) = judged(location)
    exchanged = told(location, one, made, permute=True).exchanged
    assert exchanged is not None
    assert sorted(exchanged["input"].unique()) == ["level", "rain"]
    assert set(exchanged["points"]) == {"1-4"}
    assert (exchanged.groupby("input")["loss"].max() > 0.05).all()


def test_before_the_first_pass_there_is_nothing_to_judge(made, tmp_path):
    folder = forecasting.inputs_of(Path(made.place).parent, tmp_path)
    config = forecasting.settings(folder, train_until="2019-07-28")
    location = locate(config.place)
    forecasting.write(folder, forecasting.slides(points=4), until="2019-07-28", rain_until="2019-08-10")
    forecasting.compute(config)
    (one,) = judged(location)
    found = told(location, one, config)
    assert found.assessment is None
    assert found.errors()["passes"].sum() == 0
