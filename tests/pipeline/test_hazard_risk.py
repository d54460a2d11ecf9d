"""The stage of risk: from files to levels, the same bits for any tiling, and only what is not made."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
import terrain_files as files
import xarray as xr
import zarr

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import hazard_factors, hazard_motion, hazard_risk
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_risk_classes import deformation_in
from slidecloud.store import locate
from slidecloud.types import DataError

RISK = {
    "factors": {"slope": {"breaks": [5, 10, 20]}, "aspect": {}, "cover": {}, "elevation": {"parts": 4}},
    "points": "slides.gpkg",
    "masks": ["water.tif"],
    "weighting": "entropy",
    "folds": 3,
    "picked_by": ["visibility"],
}
FACTORS = {
    "elevation": {"kind": "raster", "path": "dem.tif", "units": "m"},
    "slope": {},
    "aspect": {},
    "cover": {"kind": "category", "path": "cover.tif", "classes": {1: "forest", 2: "bare ground"}},
}


def _write(folder: Path, name: str, values: np.ndarray) -> None:
    west, _, _, north = files.BOUNDS
    files.write_map(folder / name, values, crs=files.CRS, left=west, top=north, step=files.SPACING, nodata=255)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slides on bare ground four times as often as in forest; none on water; two of them off the grid."""
    found = tmp_path_factory.mktemp("valley")
    files.write_elevation(found / "dem.tif")
    cover, water = np.ones(files.SHAPE, np.uint8), np.zeros(files.SHAPE, np.uint8)
    cover[:, 300:] = 2
    cover[:5] = 255
    water[100:160, 100:500] = 1
    _write(found, "cover.tif", cover)
    _write(found, "water.tif", water)
    rng = np.random.default_rng(5)
    west, south, east, north = files.BOUNDS
    x, y = rng.uniform(west, east, 1500), rng.uniform(south, north, 1500)
    keep = rng.uniform(size=1500) < np.where(x > west + 9000, 0.8, 0.2)
    places = shapely.points(np.append(x[keep], [west - 99, east + 99]), np.append(y[keep], [south, north]))
    geopandas.GeoDataFrame(geometry=places, crs=files.CRS).to_file(found / "slides.gpkg")
    return found


def config(folder: Path, store: Path, *, risk: dict[str, Any] | None = None, **more: Any) -> HazardConfig:
    factors = {
        name: {**one, "path": str(folder / one["path"])} if "path" in one else one for name, one in FACTORS.items()
    }
    section = RISK | {"points": str(folder / "slides.gpkg"), "masks": [str(folder / "water.tif")]} | (risk or {})
    grid = {"crs": files.CRS, "spacing": files.SPACING, "bounds": files.BOUNDS}
    return HazardConfig.model_validate({"store": str(store), "grid": grid, "factors": factors, "risk": section, **more})


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """Factors and risk in one tile: the store and what the stage gave."""
    store = tmp_path_factory.mktemp("whole") / "hazard.zarr"
    settings = config(folder, store)
    assert hazard_factors.compute(settings, executor=serial()).exit_code == 0
    summary, result = hazard_risk.compute(settings, executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return store, result


def opened(store: Path) -> xr.Dataset:
    return xr.open_zarr(store / "hazard" / "risk", chunks=None, decode_coords="all")


def test_what_was_put_in_is_found(made):
    store, result = made
    cover = result.risk.tables[2]
    assert cover.classes.labels == ("forest", "bare ground")
    assert np.diff(cover.information.value) == pytest.approx(np.log(4), abs=0.35)
    assert cover.tally.open_cells.sum() == 265 * 610 - 60 * 400
    elevation = result.risk.tables[3]
    np.testing.assert_allclose(elevation.tally.cells / elevation.tally.cells.sum(), 0.25, atol=0.01)
    maps = opened(store)
    assert np.isnan(maps["index"].values[:5]).all()
    level = maps["level"].values
    assert set(np.unique(level[5:])) == {1, 2, 3, 4}
    np.testing.assert_array_equal(np.isnan(level), np.isnan(maps["index"].values))
    assert result.cells.tolist() == np.bincount(np.nan_to_num(level).astype(int).ravel(), minlength=5).tolist()


def test_what_speaks_against_it_is_stored(made):
    store, result = made
    about = zarr.open_group(store, path="hazard/risk_report", mode="r").attrs
    assert about["caveats"] == list(result.caveats)
    assert about["caveats"][0].startswith("Landslides left out: 2 off the grid, ")
    assert any("picked by visibility" in text for text in about["caveats"])
    assert about["auc_held_out"] == result.scores.auc < 0.75
    assert [row["factor"] for row in about["weights"]] == list(RISK["factors"])


def test_other_tiles_give_the_same_bits_and_a_second_run_does_nothing(folder, made, tmp_path):
    store, result = made
    settings = config(folder, tmp_path / "other.zarr", resources={"tile": [256, 512]})
    hazard_factors.compute(settings, executor=serial())
    summary, other = hazard_risk.compute(settings, executor=serial())
    assert summary.done == 12
    for name in ("index", "level"):
        np.testing.assert_array_equal(opened(tmp_path / "other.zarr")[name], opened(store)[name])
    assert other.scores.auc == result.scores.auc
    again, same = hazard_risk.compute(settings, executor=serial())
    assert (again.done, again.skipped) == (0, 12)
    assert same.caveats == other.caveats
    # Other weights need no new counts.
    changed, _ = hazard_risk.compute(
        config(folder, tmp_path / "other.zarr", resources={"tile": [256, 512]}, risk={"weighting": "equal"}),
        executor=serial(),
    )
    assert (changed.done, changed.skipped) == (8, 4)


def test_what_cannot_be_done_is_told(folder, made, tmp_path):
    with pytest.raises(ConfigError, match="holds no factors yet; make them with 'slidecloud hazard factors'"):
        hazard_risk.compute(config(folder, tmp_path / "empty.zarr"), executor=serial())
    store, _ = made
    with pytest.raises(ConfigError, match=r"risk.factors.cover.breaks is for quantities"):
        hazard_risk.compute(config(folder, store, risk={"factors": {"cover": {"breaks": [1]}}}), executor=serial())
    with pytest.raises(DataError, match="0 random places lie on open ground"):
        hazard_risk.compute(config(folder, store, risk={"masks": [str(folder / "dem.tif")]}), executor=serial())
    with pytest.raises(ConfigError, match=r"risk cannot be scored on \d+ landslides as it asks for: .*expected 2 to"):
        hazard_risk.compute(config(folder, store, risk={"folds": 5000}), executor=serial())
    with pytest.raises(ConfigError, match="risk is missing"):
        hazard_risk.compute(config(folder, store).model_copy(update={"risk": None}), executor=serial())


def test_a_run_that_found_nothing_is_told_as_such(folder, made, monkeypatch):
    sides = {name: np.zeros(0) for name in ("west", "south", "east", "north")}
    nothing = geopandas.GeoDataFrame(sides, geometry=[], crs="EPSG:4326")
    monkeypatch.setattr(hazard_motion, "open_run", lambda _: SimpleNamespace(inventory=nothing))
    settings = config(folder, made[0])
    section = settings.risk.model_copy(update={"points": None})
    with pytest.raises(DataError, match=r"run's inventory holds no landslide; give risk\.points"):
        hazard_risk.compute(settings.model_copy(update={"risk": section}), executor=serial())


def test_judgements_are_refused_before_anything_is_read(folder, tmp_path):
    wrong = {"factors": {"slope": {"breaks": [5]}, "aspect": {}}, "matrix": [[1, 2], [1, 1]], "weighting": "judgement"}
    with pytest.raises(ValueError, match=r"aspect against slope .* expects 0\.5"):
        hazard_risk.compute(config(folder, tmp_path / "empty.zarr", risk=wrong), executor=serial())


def test_deformation_among_the_factors_is_told_of(tmp_path):
    zarr.open_group(tmp_path, path="hazard/factors", mode="w", attributes={"deformation_ends": {"rate": "2021-05-04"}})
    told = deformation_in(locate(str(tmp_path)), ["slope", "rate"])
    assert len(told) == 1
    assert told[0].startswith("rate is deformation until 2021-05-04")


def test_ground_whose_factors_are_lost_is_set_aside(folder, tmp_path):
    settings = config(folder, tmp_path / "lost.zarr", resources={"tile": [256, 512]})
    hazard_factors.compute(settings, executor=serial())
    (tmp_path / "lost.zarr" / "hazard" / "factors" / "slope" / "c" / "1" / "0").unlink()
    summary, result = hazard_risk.compute(settings, executor=serial())
    assert (summary.exit_code, result) == (3, None)
    assert "slope/c/1/0 is missing" in summary.quarantined[0].reason


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"factors": {"rain": {}}}, "risk.factors: rain is no factor"),
        ({"points": None}, "risk.points"),
    ],
)
def test_a_section_that_does_not_go_with_the_rest_is_told(folder, tmp_path, change, says):
    with pytest.raises(ValueError, match=says):
        config(folder, tmp_path, risk=change)
