"""Slides become cells: centres or all of a polygon, each once, with the earliest day."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.slides import slide_cells
from slidecloud.types import DataError, Grid

GRID = Grid("EPSG:32648", 1000.0, 5000.0, 10.0, -10.0, height=20, width=30)


def _frame(shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=GRID.crs)


def _point(row, column):
    return shapely.Point(1005 + 10 * column, 4995 - 10 * row)


def test_points_fall_into_their_cells():
    """Two in one cell are one; one beyond the border is counted and left out."""
    frame = _frame([_point(0, 0), _point(19, 29), _point(0, 0), _point(20, 3)])
    found = slide_cells(frame, GRID)
    assert found.slide.tolist() == [0, 599]
    assert (found.slides, found.beyond, found.barred.size, found.other.size) == (3, 1, 0, 0)
    assert np.isnat(found.date).all()


def test_the_earliest_day_counts_and_an_unknown_one_is_unknown():
    days = ["2021-03-01", "2020-05-06T07:00:00Z", "2021-01-01", ""]
    frame = _frame([_point(0, 1), _point(0, 1), _point(2, 0), _point(2, 0)], day=days)
    found = slide_cells(frame, GRID, date="day")
    np.testing.assert_array_equal(found.date, np.array(["2020-05-06T07:00:00", "NaT"], "datetime64[s]"))


def test_a_year_is_its_first_day():
    found = slide_cells(_frame([_point(0, 1)], year=[2020]), GRID, date="year")
    assert found.date[0] == np.datetime64("2020-01-01")


def test_a_polygon_is_its_centre_or_all_its_cells():
    box = shapely.box(1020, 4960, 1050, 4980)
    cells = [30 * row + column for row in (2, 3) for column in (2, 3, 4)]
    alone = slide_cells(_frame([box]), GRID)
    assert alone.slide.tolist() == [30 * 3 + 3]
    assert sorted([*alone.slide, *alone.barred]) == cells
    whole = slide_cells(_frame([box]), GRID, polygons="cells")
    assert whole.slide.tolist() == cells
    assert whole.barred.size == 0
    # A centre outside of its polygon would be a slide on ground that has not slid.
    bent = shapely.box(1000, 4900, 1100, 5000) - shapely.box(1010, 4910, 1100, 5000)
    found = slide_cells(_frame([bent]), GRID)
    assert shapely.intersects(bent, _point(*divmod(int(found.slide[0]), 30)))


def test_a_polygon_between_centres_is_still_a_slide():
    small = shapely.box(1001, 4991, 1003, 4993)
    assert slide_cells(_frame([small]), GRID, polygons="cells").slide.tolist() == [0]


@given(st.lists(st.tuples(st.integers(-5, 25), st.integers(-5, 35), st.integers(1, 9)), min_size=1, max_size=8))
def test_no_cell_is_in_two_of_them(boxes):
    shapes = [_point(row, column).buffer(6.0 * size) for row, column, size in boxes]
    frame = _frame([*shapes, _point(4, 4)], slid=[True] * len(shapes) + [False])
    for polygons in ("centroid", "cells"):
        try:
            found = slide_cells(frame, GRID, polygons=polygons, column="slid")
        except DataError:
            continue
        cells = np.concatenate([found.slide, found.other, found.barred])
        assert np.unique(cells).size == cells.size
        assert ((cells >= 0) & (cells < 600)).all()
        assert found.slides + found.beyond == len(shapes)


def test_places_without_a_slide_are_told_apart_and_yield_to_slides():
    frame = _frame([_point(0, 0), _point(1, 1), _point(0, 0)], slid=["1", "0", "false"])
    found = slide_cells(frame, GRID, column="slid")
    assert (found.slide.tolist(), found.other.tolist(), found.slides) == ([0], [31], 1)


@pytest.mark.parametrize("day", ["12/03/2021", "12.03.2021"])
def test_days_that_could_be_months_are_not_guessed(day):
    """The twelfth of March taken for the third of December would pass for younger than a series that saw the slide."""
    with pytest.raises(ConfigError, match=f"holds '{day}' in row 1; expected days with the year first"):
        slide_cells(_frame([_point(0, 0), _point(1, 1)], day=["2021-03-31", day]), GRID, date="day")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"date": "year"}, "names 'year'; the slides have day, slid. Name another"),
        ({"date": "day"}, "holds 'soon' in row 1; expected days"),
        ({"column": "slid"}, "holds 'perhaps' in row 0; expected true or 1"),
    ],
)
def test_columns_that_cannot_be_read_are_named(options, says):
    frame = _frame([_point(0, 0), _point(1, 1)], day=["2020-01-01", "soon"], slid=["perhaps", "1"])
    with pytest.raises(ConfigError, match=says):
        slide_cells(frame, GRID, **options)


def test_slides_elsewhere_are_refused():
    with pytest.raises(DataError, match="found 1, none of them on the grid"):
        slide_cells(_frame([shapely.Point(0, 0)]), GRID)
