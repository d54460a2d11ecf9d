"""Slides that the series already saw are no labels."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.hazard.leakage import slides_to_learn_from
from slidecloud.types import DataError

DATES = ["2021-06-30", "2021-07-01", "2022-01-01", "NaT"]


def test_slides_after_the_series_are_kept():
    np.testing.assert_array_equal(slides_to_learn_from(DATES[1:3], "2021-06-30"), [True, True])
    np.testing.assert_array_equal(slides_to_learn_from(DATES, ["NaT"] * 4), [True] * 4)


def test_older_and_undated_slides_are_refused_unless_told_otherwise():
    with pytest.raises(DataError, match=r"2 of 4 slides .*\(1 of them undated; slide 0: 2021-06-30"):
        slides_to_learn_from(DATES, "2021-06-30")
    np.testing.assert_array_equal(slides_to_learn_from(DATES, "2021-06-30", older="drop"), [False, True, True, False])
    np.testing.assert_array_equal(slides_to_learn_from(DATES, "2021-06-30", older="allow"), [True] * 4)


def test_each_slide_has_its_own_series():
    end = ["2021-01-01", "2021-12-31", "2021-12-31", "2021-01-01"]
    np.testing.assert_array_equal(slides_to_learn_from(DATES, end, older="drop"), [True, False, True, False])


def test_nothing_left_is_an_error_even_when_dropping():
    with pytest.raises(DataError, match="4 of 4 slides"):
        slides_to_learn_from(DATES, "2023-01-01", older="drop")


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="shapes"):
        slides_to_learn_from(DATES, DATES[:2])
    with pytest.raises(ValueError, match="older: found 'keep'"):
        slides_to_learn_from(DATES, "2021-01-01", older="keep")
