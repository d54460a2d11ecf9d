"""A risk index of a real valley: what it is worth on ground it has not seen, and the map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rasterio

from slidecloud.hazard.factor_classes import equal_parts, tally
from slidecloud.hazard.risk import RiskSettings, fit, histogram, index, level_breaks
from slidecloud.hazard.risk_scores import caveats, held_out
from slidecloud.hazard.spatial_cv import folds


@pytest.fixture(scope="module")
def valley(real_data):
    folder = real_data("ecuador_lsl")
    table = pd.read_csv(folder / "lsl.csv")
    with rasterio.open(folder / "ta.tif") as source:
        maps = dict(zip(source.descriptions, source.read().astype(np.float64), strict=True))
    return table, table["lslpts"].to_numpy(bool), maps


@pytest.fixture(scope="module")
def fitted(valley):
    table, slid, maps = valley
    classes = [equal_parts(name, values, 5) for name, values in maps.items()]
    codes = [one.codes(maps[one.name]) for one in classes]
    at = np.stack([one.codes(table[one.name].to_numpy()) for one in classes])
    tallies = [tally(one, code) for one, code in zip(classes, codes, strict=True)]
    return fit(classes, tallies, at[:, slid], settings=RiskSettings(weighting="entropy")), codes, at


def test_ground_not_seen_is_harder_than_neighbours_not_seen(valley, fitted):
    """Measured: area .819 apparent, .798 held out at random, .733 in space; logistic regression has .822 and .772."""
    table, slid, _ = valley
    risk, _, at = fitted

    def scores(method):
        return held_out(risk, at, slid, folds(table["x"], table["y"], method=method, number=5, repeats=10, seed=1))

    space, chance = scores("kmeans"), scores("optimistic")
    assert space.apparent == pytest.approx(0.819, abs=0.002)
    assert chance.auc == pytest.approx(0.80, abs=0.01)
    assert space.auc == pytest.approx(0.73, abs=0.02)
    assert (space.points, space.others) == (175, 175)
    assert any(f"{space.apparent:.3f} against {space.auc:.3f}" in text for text in caveats(risk, space))
    assert not any(" against " in text for text in caveats(risk, chance))


def test_levels_of_the_valley_rise_with_its_slides(valley, fitted):
    """Slides per other place, level by level: the sample has as many of each, so no level is right in itself."""
    _, slid, maps = valley
    risk, codes, at = fitted
    values = index(risk, codes)
    np.testing.assert_array_equal(np.isnan(values), np.isnan(maps["slope"]))
    breaks = level_breaks(risk, histogram(risk, values))
    level = breaks.level(index(risk, at))
    share = [slid[level == k].mean() for k in range(1, 5)]
    assert (np.diff(share) > 0.05).all()
    assert breaks.fit > 0.85
