"""Terrain factors against independent formulas and another program's maps, and what geometries become."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import terrain_files as files
from scipy.ndimage import correlate
from scipy.stats import spearmanr

from slidecloud.config_factors import FactorConfig, GridConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard import factors
from slidecloud.kernels.curvature import curvature
from slidecloud.kernels.terrain import slope_aspect

TERRAIN = {
    "slope": FactorConfig(kind="slope"),
    "aspect": FactorConfig(kind="aspect"),
    "relief": FactorConfig(kind="relief", window=150),
    "bend": FactorConfig(kind="profile_curvature"),
}


def rough(shape: tuple[int, int]) -> np.ndarray:
    """Ground that is steep and uneven, m."""
    rng = np.random.default_rng(4)
    y, x = np.indices(shape) * 30.0
    return (800 + files.height(x, y) + rng.normal(0, 8, shape)).astype(np.float32)


def test_slope_and_aspect_are_horns_by_another_way():
    ground = rough((80, 90))
    weights = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / (8 * 30.0)
    east = correlate(ground.astype(np.float64), weights)
    north = correlate(ground.astype(np.float64), -weights.T)
    size = factors.halo(list(TERRAIN.values()), 30.0)
    made = factors.terrain(ground, TERRAIN, spacing=30.0, halo=size)
    inside = slice(size, -size), slice(size, -size)
    np.testing.assert_allclose(made["slope"], np.arctan(np.hypot(east, north))[inside], rtol=1e-6)
    expected = np.mod(np.degrees(np.arctan2(-east, -north)), 360)[inside]
    turn = np.mod(np.degrees(made["aspect"]) - expected + 180, 360) - 180
    np.testing.assert_allclose(turn, 0, atol=1e-4)
    assert {values.shape for values in made.values()} == {(80 - 2 * size, 90 - 2 * size)}


def test_slope_and_aspect_agree_with_gdaldem(tmp_path: Path):
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem is not on the path")
    # It adds in single precision, which holds sums of eighths of a metre exactly.
    ground = np.round(rough((60, 70)) * 8) / 8
    dem = files.write_map(tmp_path / "dem.tif", ground, crs=files.CRS, left=0.0, top=0.0, step=30.0)
    made = slope_aspect(ground, spacing=(30.0, 30.0))
    for name in ("slope", "aspect"):
        subprocess.run(["gdaldem", name, dem, tmp_path / f"{name}.tif"], check=True, capture_output=True)
        with rasterio.open(tmp_path / f"{name}.tif") as file:
            theirs = file.read(1)[1:-1, 1:-1]
        turn = np.mod(np.degrees(getattr(made, name))[1:-1, 1:-1] - theirs + 180, 360) - 180
        np.testing.assert_allclose(np.radians(turn), 0, atol=1e-4)


def test_real_ground_ranks_as_another_program_has_it(real_data):
    """SAGA's maps by Zevenbergen and Thorne (1987): another surface, the same signs and nearly the same order."""
    with rasterio.open(real_data("ecuador_lsl") / "ta.tif") as file:
        bands = {name: file.read(number + 1) for number, name in enumerate(file.descriptions)}
    bent = curvature(bands["elev"], spacing=(10.0, 10.0))
    slope = np.degrees(slope_aspect(bands["elev"], spacing=(10.0, 10.0)).slope)
    for name, found, least in (("slope", slope, 0.98), ("cplan", bent.plan, 0.95), ("cprof", bent.profile, 0.94)):
        known = np.isfinite(found) & np.isfinite(bands[name])
        assert known.mean() > 0.9
        assert spearmanr(found[known], bands[name][known]).statistic > least, name


def test_windows_are_odd_and_the_halo_holds_them():
    assert [factors.window_reach(window, 30.0) for window in (10, 90, 150, 330)] == [1, 1, 2, 5]
    assert factors.halo([], 30.0) == 0
    assert factors.halo([TERRAIN["slope"]], 30.0) == 1
    assert factors.halo(list(TERRAIN.values()), 30.0) == 2


def test_geometries_of_all_kinds_become_straight_pieces():
    hole = shapely.Polygon([(0, 0), (9, 0), (9, 9)], [[(6, 1), (8, 1), (8, 3)]])
    shapes = [
        shapely.Point(1, 2), shapely.MultiPoint([(3, 4), (5, 6)]), shapely.LineString([(0, 0), (1, 0), (1, 1)]),
        shapely.LinearRing([(0, 0), (1, 0), (1, 1)]), hole,
        shapely.MultiLineString([[(0, 5), (1, 5)], [(2, 5), (3, 5)]]),
    ]  # fmt: skip
    pieces = factors.segments(geopandas.GeoDataFrame(geometry=shapes, crs=files.CRS))
    lines = shapely.linestrings(pieces.reshape(-1, 2, 2))
    assert len(pieces) == 3 + 2 + 3 + 6 + 2
    assert shapely.length(lines).sum() == pytest.approx(sum(one.length for one in shapes))
    assert (shapely.distance(lines[:3], [shapely.Point(1, 2), shapely.Point(3, 4), shapely.Point(5, 6)]) == 0).all()


@pytest.mark.parametrize("value", [-2.0, 0.5, 40_000.0])
def test_what_is_no_category_is_named(value):
    good = np.array([[3.0, np.nan]], np.float32)
    np.testing.assert_array_equal(factors.categories(good, "rock.tif"), [[3, -1]])
    with pytest.raises(ValueError, match=r"rock.tif holds .*whole numbers from 0 to 32767"):
        factors.categories(np.array([[value]], np.float32), "rock.tif")


def test_the_grid_has_whole_metric_pixels():
    grid = factors.grid_of(GridConfig(crs="EPSG:32648", spacing=25, bounds=(100, 200, 200, 275)))
    assert (grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width) == (100, 275, 25, -25, 3, 4)
    with pytest.raises(ConfigError, match="EPSG:99999', which is unknown"):
        factors.grid_of(GridConfig(crs="EPSG:99999", spacing=25, bounds=(100, 200, 200, 275)))
    with pytest.raises(ConfigError, match="projected CRS in metres"):
        factors.grid_of(GridConfig(crs="EPSG:2263", spacing=25, bounds=(100, 200, 200, 275)))
