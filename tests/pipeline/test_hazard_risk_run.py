"""Risk of a run: its own inventory, its deformation as a factor, in its own store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small
import xarray as xr
from pyproj import CRS, Transformer

from slidecloud.config_hazard import HazardConfig
from slidecloud.pipeline import hazard_factors, hazard_risk
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.verify import verify
from slidecloud.store import open_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.finished(tmp_path_factory.mktemp("run"), small.scene())


def config(run: Path) -> HazardConfig:
    grid = open_run(str(run)).header(small.BURST).grid
    assert grid is not None
    turn = Transformer.from_crs(CRS.from_user_input(grid.crs), "EPSG:4326", always_xy=True)
    longitude, latitude = turn.transform(*np.meshgrid(grid.x, grid.y))
    crs = f"EPSG:{32600 + int((longitude.mean() + 180) // 6) + 1}"
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude)
    (west, east), (south, north) = (np.round([axis.min(), axis.max()], -2) for axis in (x, y))
    return HazardConfig.model_validate(
        {
            "run": str(run),
            "grid": {"crs": crs, "spacing": 50, "bounds": (west, south, east, north)},
            "factors": {"los_rate": {}, "los_displacement": {}},
            "risk": {
                "factors": {"los_rate": {"parts": 6}, "los_displacement": {"parts": 4}},
                "weighting": "equal",
                "held_out": "optimistic",
                "folds": 2,
            },
        }
    )


def test_the_inventory_of_a_run_finds_what_moves(run: Path) -> None:
    settings = config(run)
    assert hazard_factors.compute(settings, executor=serial()).exit_code == 0
    summary, result = hazard_risk.compute(settings, executor=serial())
    assert summary.exit_code == 0
    assert result is not None
    assert len(result.x) == len(open_run(str(run)).inventory)
    # Landslides move away from the satellite here or towards it: the middle of the rates holds none.
    assert result.scores.apparent > 0.8
    assert any(text.startswith("los_rate is deformation until 20") for text in result.caveats)
    level = xr.open_zarr(run / "hazard" / "risk", chunks=None)["level"]
    assert int(np.nanmax(level)) == 4
    assert verify(str(run)).damaged == ()
