"""Factors that matter are named, and what does not matter is not."""

from __future__ import annotations

import numpy as np
import pytest
from region import STATIC, region
from scipy.special import logit

from slidecloud.hazard.evaluation import Recipe, cross_validate, learn
from slidecloud.hazard.importance import permutation, shap, weights
from slidecloud.hazard.sampling import sample
from slidecloud.hazard.spatial_cv import folds

SMALL = {"forest": {"trees": 30, "least_leaf": 10}}


@pytest.fixture(scope="module")
def land():
    """Factors of weight 1.2, 0.8 and 0 in the logit, rock in three codes by chance, and an aspect that is flat."""
    full = region(0, side=90)
    drawn = sample(full.x, full.y, full.slid, ratio=2)
    table = full.table.iloc[drawn.place].assign(rock=np.arange(drawn.place.size) % 3, aspect=0.0)
    return table, drawn.event, full.x[drawn.place], full.y[drawn.place]


def _recipe(model):
    factors = (*STATIC, "rock", "aspect")
    return Recipe(model, factors, categories=("rock",), circular=("aspect",), parameters=SMALL.get(model, {}))


@pytest.mark.parametrize("model", ["logistic", "forest", "lightgbm", "xgboost"])
def test_all_three_name_what_matters(land, model):
    pytest.importorskip({"lightgbm": "lightgbm", "xgboost": "xgboost"}.get(model, "sklearn"))
    table, event, x, y = land
    recipe, splits = _recipe(model), folds(x, y, repeats=1)
    predictor = learn(table, event, x, y, recipe=recipe)
    weight = weights(predictor)
    assert weight.sum() == pytest.approx(1)
    lost = permutation(table, cross_validate(table, event, x, y, recipe=recipe, splits=splits), splits).mean
    shares = shap(predictor, table.iloc[:150])
    mean_share = np.abs(shares.share).mean(axis=0)
    for found in (weight, lost, mean_share):
        assert found[0] > found[1] > 2 * max(found[2], found[3])
        assert found[4] == pytest.approx(0, abs=1e-12)
    told = predictor.probability(table.iloc[:150])
    whole = shares.share.sum(axis=1) + shares.mean
    np.testing.assert_allclose(whole, told if model == "forest" else logit(told), rtol=1e-4, atol=1e-4)


def test_permutation_of_a_factor_of_chance_loses_nothing(land):
    """Mean loss within two standard errors over the folds of zero."""
    table, event, x, y = land
    recipe, splits = _recipe("logistic"), folds(x, y, repeats=1)
    found = permutation(table, cross_validate(table, event, x, y, recipe=recipe, splits=splits), splits, draws=10)
    assert abs(found.mean[2]) < 2 * found.spread[2] / np.sqrt(5) + 0.01


def test_shares_have_holes_where_a_factor_has(land):
    table, event, x, y = land
    predictor = learn(table, event, x, y, recipe=_recipe("logistic"))
    holed = table.iloc[:4].assign(rock=[0, 1, 7, 2])
    np.testing.assert_array_equal(np.isnan(shap(predictor, holed).mean), [False, False, True, False])
