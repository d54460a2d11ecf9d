"""The stage hazard_units: the same map and table for any tiles, and figures that are those of the cells."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import shapely

from slidecloud import simulate
from slidecloud.config_units import UnitsConfig
from slidecloud.hazard.facing import facing, smoothing_of
from slidecloud.hazard.flow import flow
from slidecloud.hazard.slope_units import basins, slope_units
from slidecloud.kernels.terrain import slope_aspect
from slidecloud.pipeline import hazard_units
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_unit_cuts import limits_of
from slidecloud.pipeline.hazard_unit_table import Layer
from slidecloud.store import lease, tables, templates
from slidecloud.store.arrays import Writer, reader
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import locate
from slidecloud.store.specs import map_spec
from slidecloud.store.unit_specs import UNITS_GROUP, UNITS_TABLE
from slidecloud.types import Grid

GRID = Grid("EPSG:32645", 700000.0, 3060000.0, 40.0, -40.0, 300, 560)
LAYERS = (
    Layer("elevation", "number", "m", "1"),
    Layer("aspect", "angle", "rad", "2"),
    Layer("lithology", "category", "1", "3"),
)
CONFIG = UnitsConfig(first_stream=2e6, spread=0.2)


@pytest.fixture(scope="module")
def factors():
    """Elevation with a hole, its aspect, and categories."""
    height = simulate.terrain.fractal_mountains(
        9, shape=(GRID.height, GRID.width), spacing=(40.0, 40.0), mean_slope=np.radians(25), lowest=300.0
    )
    height[100:130, 480:540] = np.nan
    rock = (np.nan_to_num(height) // 400).astype(np.int16)
    rock[:20] = -1
    return {"elevation": height, "aspect": facing(height, spacing=(40.0, 40.0)).aspect, "lithology": rock}


def stored(folder, factors):
    """A store that holds the factors."""
    location = locate(str(folder))
    specs = tuple(map_spec(name, "1", name, dtype=str(values.dtype)) for name, values in factors.items())
    sizes = {"y": GRID.height, "x": GRID.width}
    nothing = {"attributes": {}, "coordinates": {}}
    templates.ensure(location, "factors", templates.group(specs, sizes, path=FACTORS, grid=GRID, **nothing))
    for name, values in factors.items():
        Writer(location).write(f"{FACTORS}/{name}", values, (0, 0))
    return location


def made(location, *, config=CONFIG, layers=LAYERS, tile=None):
    """Run the stage; returns its summary."""
    units, groups = hazard_units.plan(location, config, GRID, layers, memory=2 * 2**30, tile=tile)
    with lease.hold(location) as token:
        for path, objects in groups.items():
            templates.ensure(location, path, objects)
        return drive(units, location=location, token=token, executor=serial(), memory=2 * 2**30)


def results(location):
    return reader(location, UNITS_GROUP)["unit"][:], location.read(UNITS_TABLE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, factors):
    location = stored(tmp_path_factory.mktemp("whole") / "hazard.zarr", factors)
    summary = made(location)
    assert summary.exit_code == 0, summary.lines()
    return location


def test_any_tiles_give_the_same_map_and_the_same_table(tmp_path, factors, whole):
    tiled = stored(tmp_path / "hazard.zarr", factors)
    assert made(tiled, tile=(256, 512)).exit_code == 0
    unit, table = results(whole)
    other_unit, other_table = results(tiled)
    assert np.array_equal(unit, other_unit)
    assert table == other_table
    # Units cross the borders of these tiles, or nothing would have been shown.
    assert np.intersect1d(unit[255], unit[256]).size > 5
    assert np.intersect1d(unit[:, 511], unit[:, 512]).size > 5


def test_units_are_those_of_the_whole_ground_named_after_their_first_cells(factors, whole):
    height = factors["elevation"]
    water = flow(height, spacing=(40.0, 40.0))
    smoothing = smoothing_of(CONFIG.least_area)
    faced = facing(height, spacing=(40.0, 40.0), flat=np.radians(CONFIG.flat), smoothing=smoothing)
    asked = limits_of(CONFIG, GRID)
    wanted = slope_units(water, faced, basins(water, faced, limits=asked), limits=asked)
    unit, _ = results(whole)
    assert ((unit == 0) == np.isnan(height)).all()
    first = np.unique(wanted, return_index=True)[1][1:]
    assert np.array_equal(unit[wanted >= 0], (first + 1)[wanted[wanted >= 0]])


def test_the_table_says_what_the_cells_say(factors, whole):
    unit, data = results(whole)
    table = tables.decode((UNITS_TABLE, data))
    assert np.array_equal(table["unit"], np.setdiff1d(unit, [0]))
    assert (table["aspect_spread"] <= CONFIG.spread + 1e-6).all()
    assert table["area"].max() <= CONFIG.largest_area
    slope = slope_aspect(factors["elevation"], spacing=(40.0, 40.0)).slope
    rng = np.random.default_rng(0)
    for row in table.iloc[rng.choice(len(table), 20, replace=False)].itertuples():
        cells = unit == row.unit
        assert row.area == 1600.0 * cells.sum()
        height = factors["elevation"][cells].astype(float)
        assert row.elevation_mean == pytest.approx(height.mean(), rel=1e-6)
        assert row.height_range == pytest.approx(height.max() - height.min(), rel=1e-5)
        assert row.elevation_std == pytest.approx(height.std(), rel=1e-5)
        aspect = factors["aspect"][cells]
        vector = np.exp(1j * aspect[np.isfinite(aspect)].astype(float)).mean()
        steep = np.isfinite(aspect) & (slope[cells] >= np.radians(CONFIG.flat))
        apart = 1 - abs(np.exp(1j * aspect[steep].astype(float)).mean()) if steep.any() else 0.0
        assert row.cell_aspect_spread == pytest.approx(apart, abs=1e-5)
        assert np.exp(1j * row.aspect_mean) == pytest.approx(vector / abs(vector), abs=1e-5)
        rock = factors["lithology"][cells]
        assert row.lithology_majority == (np.argmax(np.bincount(rock[rock >= 0])) if (rock >= 0).any() else -1)
    flat = table.to_crs(GRID.crs)
    assert shapely.is_valid(flat.geometry.values).all()
    assert flat.area.to_numpy() == pytest.approx(table["area"].to_numpy(), rel=1e-6)
    assert shapely.union_all(flat.geometry.values).area == pytest.approx(table["area"].sum(), rel=1e-5)


def test_a_second_run_does_nothing_and_another_factor_only_the_table(tmp_path, factors):
    location = stored(tmp_path / "hazard.zarr", factors)
    made(location)
    assert made(location).done == 0
    other = (*LAYERS[:2], Layer("lithology", "category", "1", "other"))
    # The parts of the table and the table itself; flow and map stay.
    assert made(location, layers=other).done == 2
    assert hazard_units.sizes(location)["units"] == len(tables.decode((UNITS_TABLE, results(location)[1])))


def test_ground_without_any_elevation_is_set_aside(tmp_path, factors):
    location = stored(tmp_path / "hazard.zarr", {**factors, "elevation": np.full_like(factors["elevation"], np.nan)})
    summary = made(location)
    assert summary.exit_code == 3
    assert "no data" in summary.quarantined[0].reason


def test_what_cannot_be_is_refused():
    with pytest.raises(KeyError, match=r"units\.elevation is 'dem'"):
        hazard_units.plan(locate("nowhere"), UnitsConfig(elevation="dem"), GRID, LAYERS, memory=2**30)
    with pytest.raises(ValueError, match="at least twice"):
        UnitsConfig(least_area=1e5, largest_area=1.5e5)
    with pytest.raises(ValueError, match="drain more than a unit"):
        UnitsConfig(first_stream=1e4)


def test_a_flow_that_does_not_fit_is_refused_with_what_would():
    nation = Grid("EPSG:32645", 0.0, 3060000.0, 30.0, -30.0, 14_000, 14_000)
    with pytest.raises(MemoryError, match=r"14000 x 14000 cells of 65 bytes need 12\.27 GiB.* has 4\.00 GiB") as error:
        hazard_units.check_flow(nation, 4 * 2**30)
    coarser = int(re.search(r"grid of (\d+) m, which would fit", str(error.value))[1])
    for spacing in (coarser - 1, coarser):
        cells = math.ceil(14_000 * 30 / spacing)
        grid = Grid("EPSG:32645", 0.0, 3060000.0, spacing, -spacing, cells, cells)
        if spacing < coarser:
            with pytest.raises(MemoryError):
                hazard_units.check_flow(grid, 4 * 2**30)
        else:
            hazard_units.check_flow(grid, 4 * 2**30)
    hazard_units.check_flow(nation, 13 * 2**30)
    with pytest.raises(MemoryError, match="cut the grid along divides"):
        hazard_units.check_flow(nation, 2**28)
