"""Outlines of two dates: kinds and areas of squares that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from squares import outlines, square

from slidecloud.optical.change import KINDS, check_polygons, compare, counts, shapes_of
from slidecloud.optical.change_tables import Dates, asked, change_table
from slidecloud.store.optical_change_specs import CHANGE
from slidecloud.types import DataError

DATES = Dates("old", "young")
NONE = outlines()


def held(before, after, *, overlap=0.1, growth=0.2):
    return compare(before, after, least_overlap=overlap, least_growth=growth)


def table(before, after, **options):
    return change_table(held(before, after, **options), before, after, DATES)


def test_each_kind_by_hand():
    before = outlines(
        square(0, 0, 100),  # a grows
        square(1000, 0, 100),  # b stays
        square(2000, 0, 100),  # c shrinks
        square(3000, 0, 300, 100),  # d splits into two
        square(4000, 0, 100),  # e and f merge
        square(4200, 0, 100),
        square(5000, 0, 100),  # g vanishes
    )
    after = outlines(
        square(6000, 0, 100),
        square(4000, 0, 300, 100),
        square(3000, 0, 100),
        square(3200, 0, 100),
        square(2000, 0, 50, 100),
        square(1000, 0, 110, 100),
        square(0, 0, 150, 100),
        scores=[0.9, 0.8, 0.5, 0.7, 0.6, 0.5, 0.4],
    )
    found = table(before, after)
    assert [*found.columns] == [*(spec.name for spec in CHANGE), "geometry"]
    assert [*found["change"]] == ["new", "merged", "split", "shrunk", "unchanged", "grown", "vanished"]
    assert [*found["id"]] == ["young/a", "young/b", "young/c", "young/e", "young/f", "young/g", "old/g"]
    assert [*found["before"]] == ["", "e,f", "d", "c", "b", "a", "g"]
    assert [*found["after"]] == ["a", "b", "c,d", "e", "f", "g", ""]
    assert [*found["before_count"]] == [0, 2, 1, 1, 1, 1, 1]
    assert [*found["after_count"]] == [1, 1, 2, 1, 1, 1, 0]
    hectares = 1e-4 * found[["before_area", "after_area", "kept_area"]].to_numpy()
    expected = [[0, 1, 0], [2, 3, 2], [3, 2, 2], [1, 0.5, 0.5], [1, 1.1, 1], [1, 1.5, 1], [1, 0, 0]]
    # Degrees of latitude are measured over a whole degree, which is not the same to the last digit everywhere.
    np.testing.assert_allclose(hectares, expected, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(found["growth"], [np.nan, 0.5, -1 / 3, -0.5, 0.1, 0.5, -1], rtol=1e-4)
    np.testing.assert_allclose(found["score"], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, np.nan], rtol=1e-6)
    kinds = {"new": 1, "grown": 1, "unchanged": 1, "shrunk": 1, "split": 1, "merged": 1, "regrouped": 0, "vanished": 1}
    kinds["unseen"] = 0
    assert counts(found["change"]) == kinds
    assert [*kinds] == [*KINDS]
    # Drawn as it is now, or was where it has gone.
    assert shapely.equals(found.geometry.iloc[6], before.geometry.iloc[6])
    assert found.geometry.iloc[2].geom_type == "MultiPolygon"


def test_several_before_and_after_are_regrouped():
    before = outlines(square(0, 0, 100), square(200, 0, 100))
    after = outlines(square(0, 0, 50, 100), square(60, 0, 200, 100), square(270, 0, 20, 100))
    found = table(before, after)
    assert [*found["change"]] == ["regrouped"]
    assert (found["before"][0], found["after"][0]) == ("a,b", "a,b,c")


def test_overlap_counts_by_the_smaller_outline():
    """A corner of 10 x 10 m of a square of 100 m is 1 % of it; the same corner is all of a square of 10 m."""
    whole, corner = outlines(square(0, 0, 100)), outlines(square(90, 90, 100))
    assert [*table(whole, corner)["change"]] == ["new", "vanished"]
    assert [*table(whole, corner, overlap=0.009)["change"]] == ["unchanged"]
    inside = outlines(square(90, 90, 10))
    assert [*table(whole, inside, overlap=1.0)["change"]] == ["shrunk"]
    beside = outlines(square(100, 0, 100))
    assert [*table(whole, beside, overlap=1e-6)["change"]] == ["new", "vanished"]


def test_growth_is_the_same_both_ways():
    small, large = outlines(square(0, 0, 100)), outlines(square(0, 0, 121, 100))
    assert [*table(small, large)["change"]] == ["grown"]
    assert [*table(large, small)["change"]] == ["shrunk"]
    slightly = outlines(square(0, 0, 119, 100))
    assert [*table(small, slightly)["change"]] == [*table(slightly, small)["change"]] == ["unchanged"]


def test_outlines_that_overlap_in_one_date_count_once():
    before = outlines(square(0, 0, 100), square(50, 0, 100))
    found = table(before, outlines(square(0, 0, 150, 100)))
    assert found["change"][0] == "merged"
    assert found["growth"][0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("before", "after"), [(NONE, NONE), (outlines(square(0, 0, 9)), NONE)])
def test_dates_without_outlines(before, after):
    assert [*table(before, after)["change"]] == ["vanished"] * len(before)
    assert [*table(after, before)["change"]] == ["new"] * len(before)
    groups = held(before, after)
    assert len(shapes_of(groups, before, after)) == len(before)
    assert len(asked(table(before, after), groups, before, after, DATES)) == len(before)


def test_the_radar_is_asked_about_the_later_date_and_what_vanished():
    before = outlines(square(0, 0, 100), square(1000, 0, 100), square(2000, 0, 100))
    after = outlines(square(0, 0, 100), square(3000, 0, 100))
    groups = held(before, after)
    found = asked(change_table(groups, before, after, DATES), groups, before, after, DATES)
    assert [*found["id"]] == ["young/a", "young/b", "old/b", "old/c"]
    assert [*found["change"]] == ["unchanged", "new", "vanished", "vanished"]
    assert [*found["scene"]] == ["young", "young", "old", "old"]
    assert [*found["landslide"]] == [*found["id"]]
    assert found.crs == "EPSG:4326"


boxes = st.lists(st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 5)] * 2), max_size=6)


@given(boxes, boxes)
@settings(max_examples=60, deadline=None)
def test_areas_are_those_of_a_raster(one, other):
    """Boxes on a lattice of 50 m: areas of all landslides add up to cells that are counted."""
    frames = [outlines(*(square(50 * x, 50 * y, 50 * w, 50 * h) for x, y, w, h in boxes)) for boxes in (one, other)]
    cells = np.zeros((2, 20, 20), bool)
    for layer, boxes in zip(cells, (one, other), strict=True):
        for x, y, w, h in boxes:
            layer[y : y + h, x : x + w] = True
    groups = held(*frames, overlap=1e-3)
    found = (groups.before_area.sum(), groups.after_area.sum(), groups.kept_area.sum())
    expected = 2500.0 * np.array([cells[0].sum(), cells[1].sum(), (cells[0] & cells[1]).sum()])
    # With so small a threshold all that overlaps is one landslide, so no ground is in two of one date unless it
    # overlaps within that date alone.
    sizes = [sum(w * h for _, _, w, h in boxes) for boxes in (one, other)]
    alone = [size == layer.sum() for size, layer in zip(sizes, cells, strict=True)]
    for number, whole in enumerate([alone[0], alone[1], True]):
        if whole:
            assert found[number] == pytest.approx(expected[number], rel=1e-3, abs=1e-6)
    swapped = held(*frames[::-1], overlap=1e-3)
    assert sorted(np.round(swapped.before_area, 3)) == sorted(np.round(groups.after_area, 3))
    opposite = {"new": "vanished", "vanished": "new", "grown": "shrunk", "shrunk": "grown", "split": "merged"}
    opposite |= {"merged": "split"}
    assert sorted(swapped.kind) == sorted(opposite.get(kind, kind) for kind in groups.kind)


def test_what_has_no_inside_is_refused():
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(DataError, match=r"earlier date: the polygon of row 1 is not valid \(Self-intersection"):
        held(outlines(square(0, 0, 9), bow), NONE)
    with pytest.raises(DataError, match="later date: row 0 is a Point"):
        held(NONE, outlines(shapely.Point(0, 0)))
    with pytest.raises(DataError, match="row 0 is an empty Polygon"):
        check_polygons(outlines(shapely.Polygon()), "file")
    for options in ({"overlap": 0.0}, {"overlap": 1.1}, {"growth": 0.0}):
        with pytest.raises(ValueError, match="least_overlap, least_growth"):
            held(NONE, NONE, **options)
