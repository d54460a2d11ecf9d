"""Settings of risk: fractions, what belongs together, and messages that name the key."""

from __future__ import annotations

import dexing
import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from slidecloud.config_risk import RiskConfig, RiskFactorConfig

TEXT = """
factors:
  slope: {breaks: [15, 30, 45]}
  lithology: {}
  aspect: {sectors: 8}
matrix: [[1, 2, 4], [1/2, 1, "2"], [0.25, "1 / 2", 1]]
points: slides.gpkg
masks: [water.tif]
picked_by: [visibility, slope]
"""


def test_a_section_as_it_is_written():
    found = RiskConfig(**yaml.safe_load(TEXT))
    assert list(found.factors) == ["slope", "lithology", "aspect"]
    np.testing.assert_array_equal(found.matrix, [[1, 2, 4], [0.5, 1, 2], [0.25, 0.5, 1]])
    placed = found.resolved(lambda path: f"/data/{path}")
    assert (placed.points, placed.masks) == ("/data/slides.gpkg", ("/data/water.tif",))
    assert found.picked_by == ("visibility", "slope")


def test_the_published_matrix_can_be_written_down():
    factors = {name: {} for name in dexing.NAMES}
    found = RiskConfig(factors=factors, matrix=dexing.MATRIX.tolist())
    np.testing.assert_array_equal(found.matrix, dexing.MATRIX)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"matrix": None}, "matrix is missing, which the weighting 'combined' needs: 3 rows"),
        ({"matrix": [[1, 2], [0.5, 1]]}, r"rows of \[2, 2\]; expected 3 of 3"),
        ({"matrix": [["a", 1, 1]] * 3}, "matrix holds 'a'; expected a number or a fraction"),
        ({"matrix": [["1/0", 1, 1]] * 3}, "matrix holds '1/0'"),
        ({"held_out": "blocks"}, "block belongs to held_out 'blocks'"),
        ({"block": 500.0}, "block belongs to held_out 'blocks'"),
        ({"held_out": "optimistic", "buffer": 10}, "held_out is 'optimistic'"),
        ({"held_out": "random"}, "'kmeans', 'blocks' or 'optimistic'"),
        ({"colour": "red"}, "colour"),
        ({"factors": {}}, "factors"),
        ({"smoothing": -1}, "smoothing"),
    ],
)
def test_bad_sections_are_named(change, says):
    with pytest.raises(ValidationError, match=says):
        RiskConfig(**yaml.safe_load(TEXT) | change)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"breaks": [1.0], "parts": 3}, "breaks and parts are given; expected one of them"),
        ({"breaks": [2.0, 1.0]}, r"breaks are \[2.0, 1.0\]; expected one or more that rise"),
        ({"breaks": []}, "expected one or more"),
        ({"sectors": 1}, "sectors"),
    ],
)
def test_bad_classes_are_named(keys, says):
    with pytest.raises(ValidationError, match=says):
        RiskFactorConfig(**keys)


def test_entropy_needs_no_judgements():
    assert RiskConfig(factors={"slope": {}}, weighting="entropy").matrix is None
