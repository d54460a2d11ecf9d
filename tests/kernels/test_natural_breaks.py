"""Natural breaks against every possible grouping, known groups, and what must not change them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.natural_breaks import natural_breaks

TABLES = st.dictionaries(st.integers(-50, 50), st.integers(1, 9), min_size=1, max_size=11)


def scatter(value, number):
    return np.sum(number * (value - np.average(value, weights=number)) ** 2)


def least(value, number, classes):
    """The least scatter over all groupings."""
    order = np.argsort(value)
    value, number = value[order], number[order]
    found = []
    for cut in combinations(range(1, len(value)), classes - 1):
        edge = [0, *cut, len(value)]
        found.append(sum(scatter(value[a:b], number[a:b]) for a, b in pairwise(edge)))
    return min(found)


def test_by_hand():
    """Of 4, 5, 9, 10 the variance is 26, and 1 is left within the two groups."""
    found = natural_breaks([9, 4, 10, 5], classes=2)
    np.testing.assert_array_equal(found.edges, [7.0])
    assert found.fit == pytest.approx(25 / 26)
    np.testing.assert_array_equal(found.level([4, 7, 7.1, np.nan, 99]), [1, 1, 2, 0, 2])


def test_four_groups_far_apart_are_found():
    random = np.random.default_rng(5)
    centre = np.array([0.1, 0.3, 0.6, 0.95])
    size = (900, 300, 90, 30)
    values = np.concatenate([random.normal(*each) for each in zip(centre, [0.01] * 4, size, strict=True)])
    found = natural_breaks(values)
    np.testing.assert_array_equal(np.bincount(found.level(values)), [0, 900, 300, 90, 30])
    assert found.fit > 0.98


@settings(deadline=None)
@given(TABLES, st.integers(1, 5))
def test_no_grouping_is_better(table, classes):
    value, number = np.array(list(table), float), np.array(list(table.values()), float)
    if len(value) < classes:
        return
    found = natural_breaks(value, classes=classes, count=number)
    level = found.level(value)
    reached = sum(scatter(value[level == k], number[level == k]) for k in range(1, classes + 1))
    assert reached == pytest.approx(least(value, number, classes), rel=1e-9, abs=1e-9)
    assert (np.diff(found.edges) > 0).all()
    assert set(level) == set(range(1, classes + 1))


@settings(deadline=None)
@given(TABLES, st.integers(1, 4), st.integers(1, 1000), st.integers(-10_000, 10_000))
def test_unit_shift_and_repetition_do_not_matter(table, classes, unit, shift):
    value, number = np.array(list(table), float), np.array(list(table.values()))
    if len(value) < classes:
        return
    found = natural_breaks(value, classes=classes, count=number)
    again = natural_breaks(np.repeat(unit * value + shift, number), classes=classes)
    assert again.fit == pytest.approx(found.fit, abs=1e-6)


def test_a_histogram_finds_the_breaks_of_its_values():
    """To half a bin, where the groups are well apart."""
    values = np.concatenate([np.linspace(a, a + 0.1, 400) for a in (0.0, 0.3, 0.55, 0.9)])
    number, border = np.histogram(values, 1024, (0.0, 1.0))
    found = natural_breaks((border[1:] + border[:-1]) / 2, count=number)
    np.testing.assert_allclose(found.edges, natural_breaks(values).edges, atol=0.5 / 1024)


def test_values_that_are_large_beside_their_differences():
    np.testing.assert_allclose(natural_breaks(1e6 + np.array([1, 2, 7, 8.0]), classes=2).edges, [1e6 + 4.5])


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        ([1, 1, 2], {"classes": 3}, "found 2 distinct ones, expected at least as many as classes, 3"),
        ([np.nan], {"classes": 1}, "found 0 distinct"),
        ([1, 2], {"classes": 0}, "classes: found 0"),
        ([1, np.inf], {"classes": 1}, "infinite"),
        ([1, 2], {"classes": 1, "count": [1]}, "shapes"),
        ([1, 2], {"classes": 1, "count": [1, -1]}, "negative count"),
    ],
)
def test_bad_values_are_named(values, options, says):
    with pytest.raises(ValueError, match=says):
        natural_breaks(values, **options)
