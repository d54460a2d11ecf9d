"""Which ground two passes see together, how it is cut, and how looks are levelled on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely
import two_passes
from pyproj import Transformer

from slidecloud.pipeline.areas import Look, areas
from slidecloud.pipeline.ground import Ground
from slidecloud.pipeline.looks import Laid, levelled, mosaicked
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import Window


def look(pass_: str, name: str, west: float, south: float, east: float, north: float, *, step: float = 40.0) -> Look:
    """A patch that covers a box in degrees."""
    head = two_passes.header(pass_, two_passes.metric(step), (step, step))
    outline = shapely.box(west, south, east, north)
    path = f"bursts/{head.id}/patches/{name}/timeseries"
    return Look(head, path, Window(0, 1, 0, 1), Ground(Location(""), "", None, {}), outline)


def outline(area) -> shapely.Polygon:
    grid = area.grid
    x, y = [grid.left, grid.left + grid.dx * grid.width], [grid.top + grid.dy * grid.height, grid.top]
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    return shapely.transform(shapely.box(x[0], y[0], x[1], y[1]), lambda p: np.column_stack(turn.transform(*p.T)))


def test_ground_that_one_pass_sees_alone_is_no_area():
    one, other = look("ascending", "a", 105.0, 30.0, 105.1, 30.1), look("descending", "b", 105.2, 30.0, 105.3, 30.1)
    assert areas([one, other], spacing=None, largest=10**6) == []
    assert areas([one, look("ascending", "c", 105.0, 30.0, 105.1, 30.1)], spacing=None, largest=10**6) == []
    assert areas([], spacing=None, largest=10**6) == []


def test_areas_cover_what_both_see_and_no_more():
    one = look("ascending", "a", 105.00, 30.00, 105.10, 30.10)
    other = look("descending", "b", 105.05, 30.02, 105.20, 30.08)
    apart = look("descending", "c", 105.50, 30.00, 105.60, 30.10)
    for given in ([one, other, apart], [apart, other, one]):
        (found,) = areas(given, spacing=None, largest=10**6)
        assert [look.path for look in found.looks] == sorted([one.path, other.path])
        common = shapely.box(105.05, 30.02, 105.10, 30.08)
        assert shapely.intersection(outline(found), common).area > 0.999 * common.area
        assert outline(found).area < 1.1 * common.area
        assert found.name == areas([one, other], spacing=None, largest=10**6)[0].name
    assert areas([one, other], spacing=80.0, largest=10**6)[0].grid.dx == 80.0
    assert found.grid.dx == 40.0


def test_large_ground_is_cut_and_stays_covered():
    one, other = (
        dataclasses.replace(each, header=dataclasses.replace(each.header, grid=None))
        for each in (
            look("ascending", "a", 106.0, 30.0, 109.0, 31.0),
            look("descending", "b", 107.0, 29.5, 111.0, 30.5),
        )
    )
    found = areas([one, other], spacing=None, largest=1_000_000)
    assert len(found) > 6
    assert all(area.grid.height * area.grid.width < 1_100_000 for area in found)
    assert len({area.name for area in found}) == len(found)
    # Each box lies in a UTM zone of its own.
    assert {area.grid.crs for area in found} == {"EPSG:32648", "EPSG:32649"}
    common = shapely.box(107.0, 30.0, 109.0, 30.5)
    assert shapely.difference(common, shapely.union_all([outline(area) for area in found])).area < 1e-3 * common.area


def laid(pass_: str, velocity, *, track: str = "", sigma: float = 0.001, moving=None) -> Laid:
    values = np.asarray(velocity, np.float32)
    whole = {name: np.ones_like(values) for name in ("los_east", "los_north", "los_up", "elevation")}
    slides = np.zeros(values.shape, bool) if moving is None else moving
    return Laid(track or pass_, pass_, values, np.full_like(values, sigma), moving=slides, **whole)


def test_looks_are_levelled_on_ground_at_rest_that_both_see():
    """A slide over most of one look's ground does not make its level: it is known to move."""
    rng = np.random.default_rng(0)
    noise = 0.001 * rng.normal(size=(2, 20, 20))
    slide = np.zeros((20, 20), bool)
    slide[:, :12] = True
    one, other = noise[0] + 0.02 + 0.1 * slide, noise[1] - 0.01 - 0.05 * slide
    other[15:] = np.nan
    looks = [laid("ascending", one, moving=slide), laid("descending", other)]
    first, second = levelled(looks)
    assert first.pixels == second.pixels == 15 * 8
    assert first.median == pytest.approx(0.02, abs=3e-4)
    assert second.median == pytest.approx(-0.01, abs=3e-4)
    assert first.scatter == pytest.approx(0.001, rel=0.3)
    assert np.median(looks[0].velocity[slide]) == pytest.approx(0.1, abs=1e-3)


def test_looks_without_common_ground_have_no_level():
    one, other = np.zeros((20, 20)), np.full((20, 20), np.nan)
    other[:4, :4] = 0.01
    assert [level.pixels for level in levelled([laid("ascending", one), laid("descending", other), None])] == [0, 0, 0]
    assert mosaicked([laid("ascending", one)]) == []


def test_of_one_track_the_smallest_sigma_is_seen():
    one, other = np.full((4, 4), 0.01), np.full((4, 4), 0.03)
    one[0] = np.nan
    pair = [laid("ascending", one, sigma=0.001), laid("ascending", other, sigma=0.002), laid("descending", other)]
    ascending, descending = mosaicked(pair)
    assert ascending.velocity[0, 0] == np.float32(0.03)
    assert ascending.sigma[0, 0] == np.float32(0.002)
    assert (ascending.velocity[1:] == np.float32(0.01)).all()
    assert descending.pass_ == "descending"
