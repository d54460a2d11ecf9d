"""Columns of a table of factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from slidecloud.hazard.design import design

TABLE = pd.DataFrame({"slope": [1.0, 2, np.nan, 4], "aspect": np.deg2rad([0.0, 90, 180, 360]), "rock": [2, 2, 5, -1]})


def test_columns_of_each_kind():
    found = design(TABLE, categories=["rock"], circular=["aspect"])
    assert found.columns == ("slope", "cos aspect", "sin aspect", "rock=5")
    assert found.factor_of == (0, 1, 1, 2)
    matrix = found.matrix(TABLE)
    np.testing.assert_allclose(matrix[:2], [[1, 1, 0, 0], [2, 0, 1, 0]], atol=1e-12)
    # A missing number and a missing category each take their whole row with them.
    assert np.isnan(matrix[2:]).all()


def test_north_is_north_from_both_sides():
    found = design(TABLE, factors=["aspect"], circular=["aspect"])
    turned = found.matrix(pd.DataFrame({"aspect": np.deg2rad([0.0, 360.0, 359.999])}))
    np.testing.assert_allclose(turned - turned[0], 0, atol=2e-5)


def test_a_new_category_is_not_known():
    found = design(TABLE, factors=["rock"], categories=["rock"])
    np.testing.assert_array_equal(found.matrix(pd.DataFrame({"rock": [2, 5, 7]})), [[0], [1], [np.nan]])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"factors": ["rain"]}, "found no rain among slope, aspect, rock"),
        ({"factors": ["slope", "slope"]}, "each once"),
        ({"factors": []}, "found none"),
        ({"categories": ["rain"]}, "found rain, expected factors"),
        ({"categories": ["rock"], "circular": ["rock"]}, "expected factors of one kind"),
    ],
)
def test_designs_that_make_no_sense_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        design(TABLE, **options)


def test_a_category_that_is_the_same_everywhere_tells_nothing_and_still_knows_others():
    found = design(pd.DataFrame({"rock": [3, 3], "slope": [0.1, 0.2]}), categories=["rock"])
    assert found.columns == ("slope",)
    asked = found.matrix(pd.DataFrame({"rock": [3, 4, -1], "slope": [0.5, 0.5, 0.5]}))
    np.testing.assert_array_equal(asked, [[0.5], [np.nan], [np.nan]])


@pytest.mark.parametrize("codes", [[0.5, 1, 2], [-1, -1, -1], [np.nan, np.nan]])
def test_codes_are_whole_numbers(codes):
    with pytest.raises(ValueError, match="expected whole numbers"):
        design(pd.DataFrame({"rock": codes}), categories=["rock"])
