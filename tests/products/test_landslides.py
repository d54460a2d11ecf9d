"""The inventory leaves as KMZ and GeoJSON, whole and well formed; density maps count each landslide and place once."""

from __future__ import annotations

import json
import zipfile
from xml.etree import ElementTree

import geopandas
import numpy as np
import pytest
import shapely
from kml import valid

from slidecloud.products import geojson, kmz
from slidecloud.products.density import CELL, MOST_CELLS, area_fraction, density, density_grid
from slidecloud.store import tables
from slidecloud.store.inventory_specs import LANDSLIDES
from slidecloud.types import Grid

KML = "{http://www.opengis.net/kml/2.2}"


def inventory(geometries, *, probability=0.9):
    count = len(geometries)
    bounds = shapely.bounds(geometries).reshape(-1, 4)
    columns = {spec.name: np.full(count, 0.5) for spec in LANDSLIDES}
    columns |= {spec.name: [f"<&> {k}" for k in range(count)] for spec in LANDSLIDES if spec.dtype == "text"}
    columns |= {"pair_count": np.full(count, 120), "detections": np.full(count, 1)}
    columns |= dict(zip(("west", "south", "east", "north"), bounds.T, strict=True))
    columns |= {"probability": np.broadcast_to(probability, count)}
    return tables.table(LANDSLIDES, columns, list(geometries))


@pytest.fixture
def three():
    ring = shapely.Polygon(
        shapely.box(103, 31, 103.02, 31.02).exterior, [shapely.box(103.005, 31.005, 103.01, 31.01).exterior]
    )
    two = shapely.MultiPolygon([shapely.box(103.1, 31, 103.11, 31.01), shapely.box(103.12, 31, 103.13, 31.01)])
    return inventory([ring, two, shapely.box(103.2, 31, 103.21, 31.01)], probability=[0.9, 0.6, np.nan])


def test_kmz_is_well_formed_and_has_all_polygons(three, tmp_path):
    path = kmz.write(three, tmp_path / "new" / "landslides.kmz", name="Sichuan & more")
    valid(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["doc.kml"]
        assert archive.testzip() is None
        root = ElementTree.fromstring(archive.read("doc.kml"))
    (document,) = root
    assert document.find(f"{KML}name").text == "Sichuan & more"
    folders = {f.find(f"{KML}name").text: f for f in document.findall(f"{KML}Folder")}
    # Without a probability the score, here 0.5, decides.
    assert [*folders] == ["likely: 1", "possible: 2", "doubtful: 0"]
    assert len(root.findall(f".//{KML}Polygon")) == 4
    assert len(root.findall(f".//{KML}innerBoundaryIs")) == 1
    styles = {style.get("id") for style in document.findall(f"{KML}Style")}
    for place in root.iter(f"{KML}Placemark"):
        assert place.find(f"{KML}styleUrl").text.removeprefix("#") in styles
        assert "<td>score</td>" in place.find(f"{KML}description").text
    corners = [tuple(map(float, c.split(","))) for c in next(root.iter(f"{KML}coordinates")).text.split()]
    assert corners[0] == corners[-1]
    assert {c[0] for c in corners} == {103.0, 103.02}
    descriptions = [place.find(f"{KML}description").text for place in root.iter(f"{KML}Placemark")]
    assert sum("<td>probability</td>" in text for text in descriptions) == 2
    assert [p.name for p in path.parent.iterdir()] == ["landslides.kmz"]


def test_the_same_inventory_makes_the_same_bytes(three, tmp_path):
    assert kmz.write(three, tmp_path / "a.kmz").read_bytes() == kmz.write(three, tmp_path / "b.kmz").read_bytes()


def test_an_empty_inventory_is_a_valid_document(tmp_path):
    path = kmz.write(inventory([]), tmp_path / "none.kmz")
    valid(path)
    with zipfile.ZipFile(path) as archive:
        assert ElementTree.fromstring(archive.read("doc.kml")).findall(f".//{KML}Placemark") == []
    found = json.loads(geojson.write(inventory([]), tmp_path / "none.geojson").read_text())
    assert found["features"] == []


def test_geojson_keeps_geometry_and_unknown_numbers(three, tmp_path):
    path = geojson.write(three, tmp_path / "landslides.geojson")
    found = json.loads(path.read_text())
    assert [f["properties"]["probability"] is None for f in found["features"]] == [False, False, True]
    back = geopandas.GeoDataFrame.from_features(found, crs="EPSG:4326")
    assert back.geometry.geom_equals(three.geometry).all()


def test_area_that_several_cover_counts_once():
    grid = Grid("EPSG:4326", 103.0, 31.1, 0.01, -0.01, 10, 10)
    one, other = shapely.box(103.01, 31.01, 103.03, 31.03), shapely.box(103.02, 31.02, 103.035, 31.035)
    alone = shapely.box(103.0712, 31.0712, 103.0718, 31.0718)
    found = area_fraction(np.array([one, other, alone]), grid)
    expected = shapely.union_all([one, other, alone]).area / 1e-4
    assert found.sum() == pytest.approx(expected, rel=1e-5)
    assert found.max() == pytest.approx(1.0, abs=1e-6)
    assert found[2, 7] == pytest.approx(0.36e-6 / 1e-4, rel=1e-3)
    assert not area_fraction(np.array([]), grid).any()


def test_places_beyond_the_grid_do_not_count():
    grid = Grid("EPSG:4326", 103.0, 31.1, 0.01, -0.01, 10, 10)
    half = shapely.box(102.99, 31.05, 103.01, 31.06)
    assert area_fraction(np.array([half]), grid).sum() == pytest.approx(1.0, rel=1e-5)


def test_density_sums_to_the_count_at_any_latitude():
    for south in (0.0, 31.0, 65.0):
        places = [shapely.box(103 + k / 10, south + 0.5, 103.01 + k / 10, south + 0.51) for k in range(5)]
        grid = density_grid([(102.5, south, 104.0, south + 1.0)])
        found = density(inventory(places), grid, radius=5000.0)
        cells = np.radians(CELL) ** 2 * 6371.0088**2 * np.cos(np.radians(grid.y))[:, None]
        assert (found * cells).sum() == pytest.approx(5.0, rel=1e-4)
        assert abs(grid.y[found.max(axis=1).argmax()] - (south + 0.505)) < 0.02


def test_the_grid_holds_all_bursts_on_whole_cells_and_grows_coarse_rather_than_large():
    grid = density_grid([(102.503, 30.001, 103.2, 31.0), (103.0, 30.5, 104.119, 31.207)])
    assert (grid.dx, grid.dy) == (CELL, -CELL)
    assert grid.left <= 102.503 < grid.left + grid.dx
    assert grid.left + grid.width * grid.dx >= 104.119
    assert grid.top >= 31.207
    assert grid.top + grid.height * grid.dy <= 30.001
    world = density_grid([(-180.0, -80.0, 180.0, 80.0)])
    assert world.height * world.width <= MOST_CELLS
    assert world.dx == 16 * CELL
