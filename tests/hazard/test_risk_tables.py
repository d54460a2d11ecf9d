"""Tables of a risk index say what the index holds."""

from __future__ import annotations

import numpy as np
import pytest
import risky

from slidecloud.hazard.risk import RiskSettings, fit
from slidecloud.hazard.risk_tables import class_table, level_table, weight_table


@pytest.fixture(scope="module")
def risk():
    region = risky.region(6, side=100)
    return fit(risky.CLASSES, region.tallies(), region.at_points, settings=RiskSettings(weighting="entropy"))


def test_a_row_for_each_class(risk):
    found = class_table(risk)
    assert found["class"].tolist() == [label for classes in risky.CLASSES for label in classes.labels]
    held = found.groupby("factor", sort=False)["points"].sum()
    assert held.index.tolist() == list(risky.NAMES)
    assert held.nunique() == 1
    np.testing.assert_allclose(found.groupby("factor")["expected"].sum(), held.iloc[0])
    np.testing.assert_array_equal(found.groupby("factor")["cells"].sum(), 10_000)
    assert (np.sign(found["information_value"]) == np.sign(found["points"] - found["expected"])).all()


def test_a_row_for_each_factor(risk):
    found = weight_table(risk)
    assert found["weight"].sum() == pytest.approx(1)
    np.testing.assert_array_equal(found["weight"], found["entropy"])
    assert found["judgement"].isna().all()


def test_levels_by_hand():
    """A tenth of the known ground with half of all points holds five times the average; one point lies off the map."""
    found = level_table([7, 50, 30, 10, 10], [1, 1, 1, 2, 5])
    np.testing.assert_allclose(found["ground"], [0.5, 0.3, 0.1, 0.1])
    np.testing.assert_allclose(found["points"], [0.1, 0.1, 0.2, 0.5])
    np.testing.assert_allclose(found["times_average"], [0.2, 1 / 3, 2, 5])
    assert np.isnan(level_table([0, 1, 1, 1, 0], [0, 1, 0, 0, 0])["times_average"].iloc[3])
    with pytest.raises(ValueError, match=r"shapes \(4,\) and \(5,\), expected 5"):
        level_table([1, 2, 3, 4], [1, 2, 3, 4, 5])
