"""Classes as configured: what goes with which factor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from slidecloud.config_risk import RiskFactorConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.risk_classes import FactorFacts, classes_of

SLOPE, ASPECT = FactorFacts("slope", "rad"), FactorFacts("aspect", "rad")
ROCK = FactorFacts("category", "1", {0: "granite", 4: "marl"})


def test_each_factor_gets_its_classes():
    assert classes_of("slope", RiskFactorConfig(breaks=(30,)), SLOPE).edges == (math.pi / 6,)
    assert classes_of("aspect", RiskFactorConfig(), ASPECT).labels[:3] == ("N", "NE", "E")
    assert len(classes_of("aspect", RiskFactorConfig(sectors=4), ASPECT).labels) == 4
    assert classes_of("rock", RiskFactorConfig(), ROCK).numbers == (0, 4)
    found = classes_of("rain", RiskFactorConfig(parts=4), FactorFacts("raster", "mm"), sample=np.arange(101))
    assert found.labels == ("below 25 mm", "25 to 50 mm", "50 to 75 mm", "from 75 mm")


@pytest.mark.parametrize(
    ("config", "facts", "says"),
    [
        ({"breaks": (1,)}, ROCK, r"risk.factors.it.breaks is for quantities"),
        ({}, FactorFacts("category", "1"), r"give factors.it.classes"),
        ({"sectors": 8}, SLOPE, r"risk.factors.it.sectors is for aspects"),
        ({}, SLOPE, r"risk.factors.it has neither breaks nor parts"),
    ],
)
def test_what_does_not_go_together_is_named(config, facts, says):
    with pytest.raises(ConfigError, match=says):
        classes_of("it", RiskFactorConfig(**config), facts)


def test_parts_need_a_sample():
    with pytest.raises(ValueError, match="expected values of slope for its 3 parts"):
        classes_of("slope", RiskFactorConfig(parts=3), SLOPE)
