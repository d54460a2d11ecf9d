"""Settings of susceptibility are strict."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from slidecloud.config_susceptibility import AbsencesConfig, SplitsConfig, SusceptibilityConfig
from slidecloud.hazard import absences, calibration, leakage, models, spatial_cv


def test_defaults_are_whole_and_paths_are_resolved():
    found = SusceptibilityConfig(slides="slides.gpkg").resolved(lambda path: f"/data/{path}")
    assert found.slides == "/data/slides.gpkg"
    assert SusceptibilityConfig().resolved(str.upper).slides is None


def test_choices_are_those_of_the_code():
    """A random split can be shown, as optimistic, and not be chosen."""

    def choices(section, name):
        return get_args(section.model_fields[name].annotation)

    assert choices(AbsencesConfig, "method") == (*absences.METHODS, "given")
    assert set(choices(SplitsConfig, "method")) == set(spatial_cv.METHODS) - {"optimistic"}
    assert choices(SusceptibilityConfig, "calibration") == calibration.METHODS
    assert choices(SusceptibilityConfig, "older_slides") == get_args(leakage.Treatment)
    assert get_args(choices(SusceptibilityConfig, "models")[0]) == models.MODELS


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model": "forest"}, "Extra inputs"),
        ({"models": ["forest", "forest"]}, "expected each once"),
        ({"absences": {"method": "buffered"}}, "distance is None with the method buffered; expected it"),
        ({"absences": {"distance": 100}}, "distance is 100.0 with the method random; expected none"),
        ({"absences": {"method": "target_group"}}, "effort is None"),
        ({"absences": {"method": "given"}}, "column is None with the method given"),
        ({"absences": {"method": "given", "column": "slide"}, "slides": "a.csv"}, "slides .* and true_share"),
        ({"slides": "a.csv", "coordinates": ["x", "y"]}, "coordinates and crs belong together"),
        ({"splits": {"method": "optimistic"}}, "'kmeans', 'blocks' or 'regions'"),
        ({"splits": {"method": "blocks"}}, "block is None with the method blocks"),
        ({"splits": {"region": "county"}}, "region is county with the method kmeans"),
        ({"splits": {"buffer": -5}}, "buffer is -5.0"),
        ({"borders": [0.2, 0.4, 0.4, 0.8]}, "four rising numbers"),
        ({"factors": ["slope"], "deformation": ["rate"]}, "deformation names rate, not among factors"),
        ({"factors": ["rate"], "deformation": ["rate"]}, "factors are all deformation"),
        ({"splits": {"method": "regions", "region": "county"}, "factors": ["county"]}, "take it from factors"),
        ({"true_share": 1.0}, "less than 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        SusceptibilityConfig.model_validate(given)
