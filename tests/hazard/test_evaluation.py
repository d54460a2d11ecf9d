"""The test of a split is not seen while learning, nor while tuning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from region import STATIC, region

from slidecloud.hazard import models
from slidecloud.hazard.comparison import compare
from slidecloud.hazard.evaluation import Recipe, cross_validate, learn
from slidecloud.hazard.sampling import sample
from slidecloud.hazard.spatial_cv import Fold, folds
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def land():
    full = region(0, side=60)
    drawn = sample(full.x, full.y, full.slid, ratio=2)
    return full.table.iloc[drawn.place], drawn.event, full.x[drawn.place], full.y[drawn.place]


@pytest.mark.parametrize("model", ["logistic", "forest"])
def test_outcomes_of_a_test_do_not_reach_its_predictions(land, model):
    """Turning all outcomes of one fold's test round, tuned or not, leaves what is told of that fold as it was."""
    table, event, x, y = land
    recipe = Recipe(model, STATIC, tuned=True, parameters={"trees": 20} if model == "forest" else {})
    split = folds(x, y, repeats=1)[:1]
    turned = event.copy()
    turned[split[0].test] ^= True
    one, two = (cross_validate(table, each, x, y, recipe=recipe, splits=split) for each in (event, turned))
    np.testing.assert_array_equal(one.predicted, two.predicted)
    assert one.auc == pytest.approx(1 - two.auc)
    assert one.fold_scores[0].parameters == two.fold_scores[0].parameters


def test_tuning_takes_the_change_that_ranks_better_on_other_ground(land, monkeypatch):
    """A change that forbids any split ranks nothing: it is not taken, wherever it stands."""
    table, event, x, y = land
    for grid in (({}, {"least_leaf": 10_000}), ({"least_leaf": 10_000}, {})):
        monkeypatch.setitem(models.GRIDS, "forest", grid)
        recipe = Recipe("forest", STATIC, tuned=True, parameters={"trees": 20})
        assert learn(table, event, x, y, recipe=recipe).parameters == {"trees": 20, "least_leaf": 3}


def test_predictions_and_scores_over_repeats(land):
    table, event, x, y = land
    splits = folds(x, y, repeats=3)
    found = cross_validate(table, event, x, y, recipe=Recipe("logistic", STATIC), splits=splits)
    assert found.predicted.shape == (3, event.size)
    assert np.isfinite(found.predicted).all()
    np.testing.assert_allclose(found.held_out, found.predicted.mean(axis=0))
    assert found.auc == pytest.approx(np.mean([each.auc for each in found.fold_scores]))
    assert len(found.members) == 5
    score, outcome = found.judged
    assert score.size == outcome.size == 3 * event.size
    assert outcome.sum() == 3 * event.sum()
    assert (found.scores.events, found.scores.others) == (event.sum(), (~event).sum())


def test_missing_factors_leave_places_out(land):
    table, event, x, y = land
    holed = table.copy()
    holed.iloc[::9, 0] = np.nan
    found = cross_validate(holed, event, x, y, recipe=Recipe("logistic", STATIC), splits=folds(x, y, repeats=1))
    np.testing.assert_array_equal(np.isnan(found.held_out), np.arange(event.size) % 9 == 0)
    assert found.scores.events + found.scores.others == np.isfinite(found.held_out).sum()


def test_splits_of_one_kind_are_named(land):
    table, event, x, y = land
    slides, others = np.nonzero(event)[0], np.nonzero(~event)[0]
    with pytest.raises(DataError, match="fold 4 of repeat 2: found 0 slides among"):
        cross_validate(table, event, x, y, recipe=Recipe("logistic", STATIC), splits=[Fold(2, 4, others, slides)])
    alone = cross_validate(
        table, event, x, y, recipe=Recipe("logistic", STATIC), splits=[Fold(0, 0, np.arange(9, event.size), slides[:9])]
    )
    assert np.isnan(alone.auc)


def test_comparisons_of_other_places_are_refused(land):
    table, event, x, y = land
    recipe, splits = Recipe("logistic", STATIC), folds(x, y, repeats=1)
    one = cross_validate(table, event, x, y, recipe=recipe, splits=splits)
    fewer = cross_validate(table, event, x, y, recipe=recipe, splits=splits[:4])
    with pytest.raises(ValueError, match="found 5 and 4 splits"):
        compare(one, fewer, np.zeros(event.size))
    with pytest.raises(ValueError, match="event, x, y: found"):
        cross_validate(pd.DataFrame(table).iloc[1:], event, x, y, recipe=recipe, splits=splits)
