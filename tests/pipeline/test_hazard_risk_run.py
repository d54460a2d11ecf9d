"""Risk from what a run has found itself: its own inventory, deformation and elevation, without a file of points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
import small
import zarr

from slidecloud import simulate
from slidecloud.config_hazard import HazardConfig
from slidecloud.hazard.factors import grid_of
from slidecloud.pipeline import hazard_factors, hazard_risk
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_motion import inventory_places
from slidecloud.store import locate, open_run

FACTORS = {"slope": {"breaks": [10, 20, 30]}, "aspect": {"sectors": 4}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has found dozens of slides on ground of 12 to 40 degrees; the store is written by hazard alone."""
    found = tmp_path_factory.mktemp("valleys")
    small.finished(found, simulate.scene(11, shape=(256, 320), dates=10, slides=60, id=small.BURST))
    return found


def config(folder: Path, **risk: Any) -> HazardConfig:
    grid = open_run(str(folder / "run.zarr")).header(small.BURST).grid
    bounds = grid.left, grid.top + grid.height * grid.dy, grid.left + grid.width * grid.dx, grid.top
    stack = str(folder / "stacks" / f"{small.BURST}.zarr")
    factors = {
        "elevation": {"kind": "raster", "path": stack, "variable": "elevation", "units": "m"},
        "slope": {},
        "aspect": {},
        "rate": {"kind": "los_rate"},
        "slides": {"kind": "density", "radius": 2000},
    }
    content = {"run": str(folder / "run.zarr"), "grid": {"crs": grid.crs, "spacing": grid.dx, "bounds": bounds}}
    section = {"factors": FACTORS, "weighting": "entropy", "folds": 3} | risk
    return HazardConfig.model_validate({**content, "factors": factors, "risk": section})


@pytest.fixture(scope="module")
def made(folder: Path) -> Path:
    """The same with its factors."""
    assert hazard_factors.compute(config(folder), executor=serial()).exit_code == 0
    return folder


def test_the_points_are_the_landslides_that_the_run_has_found(made):
    summary, result = hazard_risk.compute(config(made), executor=serial())
    assert summary.exit_code == 0, summary.lines()
    grid = grid_of(config(made).grid)
    found = inventory_places(locate(str(made / "run.zarr")), grid)
    assert len(found) >= 20
    assert {table.points.sum() for table in result.risk.tables} == {len(found)}
    # Each lies in the cell that holds the centre of its box.
    assert np.abs(np.column_stack([result.x, result.y]) - found).max() <= 0.5 * grid.dx
    # Slides were put on steep ground, at the same rate wherever it is steep: flat ground has the least of them.
    assert np.argmin(result.risk.tables[0].information.value) == 0
    assert result.scores.apparent > 0.6
    level = zarr.open_group(made / "run.zarr", path="hazard/risk", mode="r")["level"][:]
    assert np.bincount(level.ravel(), minlength=5).tolist() == result.cells.tolist()


def test_what_a_run_finds_was_picked_by_what_radar_sees(made):
    _, result = hazard_risk.compute(config(made), executor=serial())
    assert result.scores.criteria == ("visibility",)
    moving = {"slope": {"breaks": [20]}, "rate": {"parts": 4}}
    _, result = hazard_risk.compute(config(made, factors=moving), executor=serial())
    assert result.scores.criteria == ("los_rate", "visibility")
    assert any("picked by los_rate, visibility, which the index contains" in text for text in result.caveats)
    assert any(text.startswith("rate is deformation until ") for text in result.caveats)


def test_a_density_of_the_same_landslides_is_told_of_and_one_of_others_is_not(made, tmp_path):
    dense = {"slope": {"breaks": [20]}, "slides": {"parts": 4}}
    _, own = hazard_risk.compute(config(made, factors=dense), executor=serial())
    assert own.caveats[0].startswith("slides is a density made of these landslides, held-out ones among them")
    grid = grid_of(config(made).grid)
    x, y = np.random.default_rng(2).choice(grid.x, 40), np.random.default_rng(3).choice(grid.y, 40)
    geopandas.GeoDataFrame(geometry=shapely.points(x, y), crs=grid.crs).to_file(tmp_path / "others.gpkg")
    given = config(made, factors=dense, points=str(tmp_path / "others.gpkg"))
    _, others = hazard_risk.compute(given, executor=serial())
    assert not any("density" in text for text in others.caveats)


def test_a_run_that_has_not_looked_for_landslides_is_told(made, tmp_path):
    lost = made / "run.zarr" / "products" / "inventory.parquet"
    lost.rename(tmp_path / "inventory.parquet")
    try:
        with pytest.raises(KeyError, match="has no inventory; add the stage 'detect'"):
            hazard_risk.compute(config(made), executor=serial())
    finally:
        (tmp_path / "inventory.parquet").rename(lost)
