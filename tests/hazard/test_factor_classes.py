"""Classes of factors: borders, the circle of the compass, categories, and counts that add up."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.hazard.factor_classes import categories, equal_parts, ranges, sectors, tally


def test_ranges_hold_their_lower_border_in_the_precision_of_the_data():
    slope = ranges("slope", [15, 30], units="rad")
    given = np.radians([0, 14.99, 15, 30, 80]).astype(np.float32)
    np.testing.assert_array_equal(slope.codes(given), [0, 0, 1, 2, 2])
    assert slope.codes(np.array([[np.nan, 0.1]], np.float32)).tolist() == [[-1, 0]]
    assert slope.labels == ("below 15°", "15 to 30°", "from 30°")
    assert ranges("rivers", [500, 1000], units="m").labels == ("below 500 m", "500 to 1000 m", "from 1000 m")


def test_borders_are_told_as_written_or_in_few_digits():
    assert ranges("elevation", [228.4, 465.8]).labels[1] == "228.4 to 465.8"
    assert ranges("elevation", [2009.28123, 2184.20987]).labels[1] == "2009 to 2184"
    assert ranges("curvature", [-0.02339631, -0.00277612, 0.01137192]).labels[1] == "-0.0234 to -0.0028"


def test_sectors_close_at_north():
    winds = sectors("aspect")
    degrees = np.array([0, 22, 23, 90, 180, 270, 337, 338, 359.9, np.nan])
    found = winds.codes(np.radians(degrees))
    assert [winds.labels[code] for code in found[:-1]] == ["N", "N", "NE", "E", "S", "W", "NW", "N", "N"]
    assert found[-1] == -1
    assert sectors("aspect", 3).labels == ("0°", "120°", "240°")


def test_categories_keep_their_order_and_unknown_ones_are_missing():
    rock = categories("lithology", {7: "granite", 2: "slate"})
    np.testing.assert_array_equal(rock.codes(np.array([7, 2, 3, -1, 99], np.int16)), [0, 1, -1, -1, -1])


@pytest.mark.parametrize("units", ["m", "rad"])
def test_equal_parts_hold_equal_ground(units):
    sample = np.append(np.random.default_rng(1).gamma(2.0, 0.1, 10_000), np.nan)
    found = equal_parts("elevation", sample, 5, units=units)
    count = tally(found, found.codes(sample)).cells
    np.testing.assert_allclose(count, 2000, atol=2)


def test_equal_parts_of_ground_that_is_mostly_alike():
    """Three in four cells are 0: they cannot be parted, and what is left is."""
    found = equal_parts("distance", [0, 0, 0, 0, 0, 0, 1, 2], 4)
    assert tally(found, found.codes(np.array([0.0, 1.0, 2.0]))).cells.min() > 0
    assert equal_parts("distance", [0] * 99 + [1], 2).codes(np.array([0.0, 1.0])).tolist() == [0, 1]


def test_counts_of_blocks_add_up():
    random = np.random.default_rng(2)
    classes = ranges("slope", [1, 2, 3])
    values, seen = random.uniform(0, 4, (20, 30)), random.uniform(size=(20, 30)) < 0.6
    values[3, 4] = np.nan
    codes = classes.codes(values)
    whole = tally(classes, codes, open_ground=seen)
    parts = tally(classes, codes[:7], open_ground=seen[:7]).plus(tally(classes, codes[7:], open_ground=seen[7:]))
    np.testing.assert_array_equal(parts, whole)
    assert whole.cells.sum() == 599
    assert whole.open_cells.sum() == seen.sum() - seen[3, 4]
    np.testing.assert_array_equal(*tally(classes, codes))


def test_bad_classes_are_named():
    with pytest.raises(ValueError, match=r"slope: found borders \[30, 15\]"):
        ranges("slope", [30, 15])
    with pytest.raises(ValueError, match="borders"):
        ranges("slope", [])
    with pytest.raises(ValueError, match="aspect: found 1 sectors"):
        sectors("aspect", 1)
    with pytest.raises(ValueError, match="lithology: found no categories"):
        categories("lithology", {})
    with pytest.raises(ValueError, match="3 parts of 2 values"):
        equal_parts("rain", [5.0, 5.0], 3)
