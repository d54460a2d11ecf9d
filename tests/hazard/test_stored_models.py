"""Models come back from a store as they went into it."""

from __future__ import annotations

import numpy as np
import pytest
from region import STATIC, region

from slidecloud.hazard.evaluation import Recipe
from slidecloud.hazard.sampling import sample
from slidecloud.hazard.spatial_cv import folds
from slidecloud.hazard.stored_models import decode, encode
from slidecloud.hazard.susceptibility import Places, susceptibility
from slidecloud.types import DataError

SMALL = {"forest": {"trees": 10}, "lightgbm": {"rounds": 10}, "xgboost": {"rounds": 10}}


def _mapper(model, method):
    land = region(0, side=60, mean=-3)
    table = land.table.assign(rock=(land.table["slope"] > 0.5).astype(int), aspect=np.arange(land.slid.size) % 6.0)
    drawn = sample(land.x, land.y, land.slid)
    places = Places(table.iloc[drawn.place], drawn.event, land.x[drawn.place], land.y[drawn.place], drawn.true_share)
    recipe = Recipe(
        model, (*STATIC, "rock", "aspect"), categories=("rock",), circular=("aspect",), parameters=SMALL.get(model, {})
    )
    splits = folds(places.x, places.y, number=3, repeats=1)
    return susceptibility(places, recipe=recipe, splits=splits, method=method).mapper, table


@pytest.mark.parametrize(
    ("model", "method"), [("logistic", "logistic"), ("forest", "isotonic"), ("lightgbm", "none"), ("xgboost", "none")]
)
def test_maps_are_the_same_bits(model, method):
    pytest.importorskip({"forest": "sklearn"}.get(model, model if model != "logistic" else "sklearn"))
    mapper, table = _mapper(model, method)
    data = encode(mapper)
    found = decode(data, "model.npz")
    assert encode(found) == data
    assert found.predictor.parameters == mapper.predictor.parameters
    for one, other in zip(found.maps(table), mapper.maps(table), strict=True):
        np.testing.assert_array_equal(one, other)
    some = found.maps(table.iloc[11:30])
    for one, whole in zip(some, found.maps(table), strict=True):
        np.testing.assert_array_equal(one, whole[11:30])


def test_damaged_bytes_are_named():
    data = encode(_mapper("logistic", "none")[0])
    for damaged in (data[:100], b"", data.replace(b"0/about", b"0/abbut")):
        with pytest.raises(DataError, match=r"logistic\.npz holds no model"):
            decode(damaged, "logistic.npz")
