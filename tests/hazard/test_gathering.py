"""Geometries in the grid's CRS: where they were, and none from the far side of the globe."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
import terrain_files as files

from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.factors import segments
from slidecloud.hazard.gathering import gathered
from slidecloud.types import Grid

GRID = Grid(files.CRS, 400_000.0, 3_300_000.0, 30.0, -30.0, 10, 10)
NEAR = shapely.LineString([(103, 29), (104, 30), (105, 30)])


def brought(*shapes: shapely.Geometry) -> geopandas.GeoDataFrame:
    frame = geopandas.GeoDataFrame(geometry=list(shapes), crs="EPSG:4326")
    return gathered("factors.roads", frame, "roads.gpkg", GRID, reproject=True)


def test_what_is_near_goes_where_its_crs_has_it():
    found = brought(NEAR)
    expected = geopandas.GeoSeries([NEAR], crs="EPSG:4326").to_crs(files.CRS)
    assert found.crs == files.CRS
    np.testing.assert_allclose(shapely.get_coordinates(found.geometry), shapely.get_coordinates(expected), atol=1e-6)
    same = geopandas.GeoDataFrame(geometry=[shapely.Point(5, 6)], crs=files.CRS)
    assert gathered("factors.roads", same, "roads.gpkg", GRID, reproject=False) is same


def test_the_far_side_of_the_globe_is_left_out():
    far = shapely.LineString([(-75, 30), (-76, 31)])
    found = brought(far, NEAR)
    assert len(found) == 1
    around = shapely.LineString([(-75, 30), (-76, 31), (0, 50), (30, 40), *NEAR.coords])
    pieces = segments(brought(around))
    assert len(pieces) == 2
    assert np.isfinite(pieces).all()
    with pytest.raises(ConfigError, match=r"nothing of roads.gpkg lies within 5,000 km"):
        brought(far)


def test_a_polygon_around_the_globe_is_refused():
    belt = shapely.Polygon([(-180, 20), (0, 20), (100, 20), (180, 20), (180, 40), (0, 40), (-180, 40)])
    with pytest.raises(ConfigError, match=r"1 polygons of roads.gpkg reach farther than 5,000 km"):
        brought(belt)
    assert len(brought(shapely.box(-76, 30, -75, 31), shapely.box(103, 29, 104, 30))) == 1
