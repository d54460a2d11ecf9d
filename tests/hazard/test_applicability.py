"""Ground like that learnt from, and ground unlike any."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from slidecloud.hazard.applicability import area_of_applicability
from slidecloud.hazard.spatial_cv import folds


def _known(count=400, seed=0):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 2)) * [3, 0.1] + [20, 1]
    splits = folds(*random.uniform(0, 1e4, (2, count)), repeats=2)
    return rows, splits, random


def test_dissimilarity_by_hand():
    """Two columns of equal weight: distances in standard deviations, over the mean of all pairs and the threshold."""
    rows, splits, _ = _known()
    area = area_of_applicability(rows, [0.5, 0.5], splits)
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0) / 2
    ask = rows[:1] + np.array([0, 7.0])
    nearest = np.hypot(*((ask - rows.mean(axis=0)) / rows.std(axis=0) / 2 - scaled).T).min()
    assert area.typical == pytest.approx(pdist(scaled).mean())
    assert area.dissimilarity(ask) == pytest.approx(nearest / pdist(scaled).mean() / area.threshold)


def test_places_learnt_from_are_known_and_like_ground_mostly():
    rows, splits, random = _known()
    area = area_of_applicability(rows, [0.7, 0.3], splits)
    np.testing.assert_array_equal(area.dissimilarity(rows), 0)
    like = random.normal(size=(2000, 2)) * [3, 0.1] + [20, 1]
    assert np.mean(area.dissimilarity(like) <= 1) > 0.85
    assert (area.dissimilarity(like + np.array([30, 0])) > 1).all()


def test_columns_without_weight_do_not_count():
    rows, splits, _ = _known()
    area = area_of_applicability(rows, [1, 0], splits)
    np.testing.assert_array_equal(area.dissimilarity(rows + np.array([0, 50])), 0)


def test_units_of_columns_do_not_matter():
    rows, splits, random = _known()
    ask = rows + random.normal(size=rows.shape)
    one = area_of_applicability(rows, [1, 2], splits).dissimilarity(ask)
    other = area_of_applicability(rows * [1000, 1] + [5, 0], [1, 2], splits).dissimilarity(ask * [1000, 1] + [5, 0])
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_holes_stay_holes():
    rows, splits, _ = _known()
    holed = rows.copy()
    holed[5] = np.nan
    found = area_of_applicability(holed, [1, 1], splits).dissimilarity(holed)
    np.testing.assert_array_equal(np.isnan(found), np.arange(len(rows)) == 5)


def test_models_without_weight_are_refused():
    rows, splits, _ = _known()
    with pytest.raises(ValueError, match="of sum 0"):
        area_of_applicability(rows, [0, 0], splits)
    with pytest.raises(ValueError, match="all alike"):
        area_of_applicability(np.ones_like(rows), [1, 1], splits)
