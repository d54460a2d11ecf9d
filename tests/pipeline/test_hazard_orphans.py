"""Hazard and ``verify``: its parts are known as its own, none that is needed goes, and what no record owns is found."""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import terrain_files as files

from slidecloud.config_hazard import HazardConfig
from slidecloud.pipeline import hazard_factors, hazard_risk, hazard_units
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store import hazard_keys, locate, open_run, records, susceptibility_specs, templates
from slidecloud.types import DataError


def config(folder: Path, **factors: Any) -> HazardConfig:
    """Factors, units and risk by points, in a store of their own."""
    return HazardConfig.model_validate(
        {
            "store": str(folder / "hazard.zarr"),
            "grid": {"crs": files.CRS, "spacing": files.SPACING, "bounds": files.BOUNDS},
            "factors": {
                "elevation": {"kind": "raster", "path": str(folder / "dem.tif"), "units": "m"}, "slope": {}, **factors
            },
            "risk": {
                "factors": {"slope": {"breaks": [4, 7, 10, 13]}}, "points": str(folder / "points.parquet"),
                "weighting": "entropy", "folds": 2,
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hazard")
    files.write_elevation(folder / "dem.tif", margin=0)
    west, south, east, north = files.BOUNDS
    x, y = np.random.default_rng(1).uniform((west, south), (east, north), (60, 2)).T
    geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x, y), crs=files.CRS).to_parquet(folder / "points.parquet")
    assert hazard_factors.compute(config(folder, relief={"window": 330}), executor=serial()).exit_code == 0
    assert hazard_units.compute(config(folder, relief={"window": 330}), executor=serial()).exit_code == 0
    summary, _ = hazard_risk.compute(config(folder, relief={"window": 330}), executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_nothing_goes_from_a_finished_store(folder):
    store = folder / "hazard.zarr"
    before = everything(store)
    found = collect(str(store), remove=True)
    assert (found.orphans, found.foreign) == ((), ())
    assert everything(store) == before
    assert verify(str(store)).damaged == ()


def test_every_object_that_hazard_writes_is_known_by_its_key(folder):
    location = locate(str(folder / "hazard.zarr"))
    for key in records.done(location):
        records.withdraw(location, key)
    found = collect(str(location))
    assert found.foreign == ()
    keys = {orphan.key for orphan in found.orphans}
    assert {"zarr.json", "hazard/zarr.json", "hazard/units.parquet", "hazard/basins.parquet"} < keys
    assert any(key.startswith("hazard/parts/") for key in keys)
    assert any(key.startswith("hazard/factors/slope/c/") for key in keys)
    assert any(key.startswith("hazard/risk/index/c/") for key in keys)
    assert "hazard/risk_report/zarr.json" in keys


def test_keys_of_susceptibility_are_hazards_own():
    arrays = re.compile(f"{hazard_keys.ARRAY}|{hazard_keys.METADATA}")
    for spec in susceptibility_specs.susceptibility_specs(["random_forest", "logistic_insar"]):
        assert arrays.fullmatch(f"{susceptibility_specs.SUSCEPTIBILITY}/{spec.name}/c/0/12")
    assert arrays.fullmatch(f"{susceptibility_specs.REPORT}/zarr.json")
    assert not arrays.fullmatch(f"{susceptibility_specs.SUSCEPTIBILITY}/notes/c/0/0")
    objects = re.compile(hazard_keys.OBJECT)
    for key in (
        susceptibility_specs.PLACES, susceptibility_specs.UNITS, susceptibility_specs.SAMPLE,
        f"{susceptibility_specs.PARTS}/y0-256x0-512.parquet", susceptibility_specs.model_key("random_forest"),
        susceptibility_specs.figures_key("logistic"),
    ):  # fmt: skip
        assert objects.fullmatch(key), key
    assert not objects.fullmatch("hazard/notes.parquet")


def test_left_overs_are_removed_and_what_others_put_there_stays(folder):
    store = folder / "hazard.zarr"
    location, before = locate(str(store)), everything(store)
    left = [
        f"hazard/factors/slope/c/0/0.{uuid.uuid4().hex}.partial",
        "hazard/flow/basin/c/9/9",
        "hazard/factors/gone/zarr.json",
        "hazard/factors/gone/c/0/0",
        "hazard/parts/y0-256x0-512.parquet",
    ]
    theirs = ["hazard/notes.txt", "hazard/parts/mine.parquet", "hazard/flow/mine/c/0/0", "slope/c/0/0", "hazard/a.json"]
    for key in (*left, *theirs):
        assert location.read(key) is None
        location.write(key, b"?")
    found = collect(str(store), remove=True)
    assert sorted(orphan.key for orphan in found.orphans) == sorted(left)
    assert sorted(found.foreign) == sorted(theirs)
    assert everything(store) == sorted([*before, *theirs])
    assert verify(str(store)).damaged == ()


def test_a_factor_that_is_no_longer_asked_for_goes_and_the_rest_stays_whole(folder):
    assert hazard_factors.compute(config(folder), executor=serial()).exit_code == 0
    location = locate(str(folder / "hazard.zarr"))
    keys = {orphan.key for orphan in collect(str(location), remove=True).orphans}
    assert "hazard/factors/relief/zarr.json" in keys
    assert all(key.startswith("hazard/factors/relief/") for key in keys)
    assert verify(str(location)).damaged == ()
    assert hazard_units.compute(config(folder), executor=serial()).exit_code == 0
    assert collect(str(location)).orphans == ()


def test_metadata_that_results_need_is_kept(folder):
    location = locate(str(folder / "hazard.zarr"))
    (key,) = (key for key in records.done(location, stage=templates.STAGE) if key.unit == "hazard/units")
    records.withdraw(location, key)
    with pytest.raises(DataError, match="has no record"):
        collect(str(location), remove=True)
    assert location.read("hazard/units/zarr.json") is not None


def test_a_run_keeps_what_hazard_has_put_into_it(run_copy):
    url = str(run_copy / "run.zarr")
    grid = open_run(url).header("sim_small").grid
    stack = str(run_copy / "stacks" / "sim_small.zarr")
    bounds = grid.left, grid.top + grid.height * grid.dy, grid.left + grid.width * grid.dx, grid.top
    elevation = {"kind": "raster", "path": stack, "variable": "elevation", "units": "m"}
    content = {"run": url, "grid": {"crs": grid.crs, "spacing": grid.dx, "bounds": bounds}}
    settings = HazardConfig.model_validate({**content, "factors": {"elevation": elevation, "slope": {}}})
    assert hazard_factors.compute(settings, executor=serial()).exit_code == 0
    before = everything(run_copy)
    locate(url).write("hazard/factors/gone/c/0/0", b"?")
    found = collect(url, remove=True)
    assert [orphan.key for orphan in found.orphans] == ["hazard/factors/gone/c/0/0"]
    assert found.foreign == ()
    assert everything(run_copy) == before
