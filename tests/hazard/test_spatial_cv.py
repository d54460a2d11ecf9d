"""What is learnt from and what is judged are apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from slidecloud.hazard.spatial_cv import block_labels, folds


def _places(count=200, seed=0):
    return np.random.default_rng(seed).uniform(0, 10_000, (count, 2)).T + 7e5


@pytest.mark.parametrize("options", [{"method": "kmeans"}, {"method": "blocks", "block": 1500.0}])
@given(seed=st.integers(0, 100), buffer=st.sampled_from([0.0, 300.0]))
@settings(deadline=None, max_examples=8)
def test_each_place_is_tested_once_a_repeat_and_never_by_its_neighbours(options, seed, buffer):
    x, y = _places()
    place = np.stack([x, y], 1)
    splits = folds(x, y, number=4, repeats=2, buffer=buffer, seed=seed, **options)
    assert [(each.repeat, each.fold) for each in splits] == [(r, f) for r in range(2) for f in range(4)]
    for repeat in range(2):
        tested = np.concatenate([each.test for each in splits if each.repeat == repeat])
        np.testing.assert_array_equal(np.sort(tested), np.arange(x.size))
    for each in splits:
        assert not set(each.train) & set(each.test)
        assert cdist(place[each.train], place[each.test]).min() >= buffer
        out = np.setdiff1d(np.arange(x.size), np.r_[each.train, each.test])
        assert not out.size or cdist(place[out], place[each.test]).min(axis=1).max() < buffer


def test_folds_in_space_are_farther_apart_than_those_of_chance():
    x, y = _places(400)
    place = np.stack([x, y], 1)

    def nearest(method):
        splits = folds(x, y, method=method, repeats=2)
        return np.mean([cdist(place[each.test], place[each.train]).min(axis=1).mean() for each in splits])

    assert nearest("kmeans") > 3 * nearest("optimistic")


def test_blocks_stay_whole_and_folds_are_of_like_size():
    random = np.random.default_rng(3)
    x, y = random.uniform(0, 10_000, (2, 500))
    for each in folds(x, y, method="blocks", block=1000.0, repeats=3):
        assert 90 <= each.test.size <= 110
    labels = block_labels(x, y, side=1000.0)
    for label in range(labels.max() + 1):
        assert np.ptp(x[labels == label]) <= 1000
        assert np.ptp(y[labels == label]) <= 1000


def test_each_region_is_left_out_once():
    x, y = _places(60)
    region = np.array(["a", "b", "c"])[np.arange(60) % 3]
    found = folds(x, y, method="regions", region=region, repeats=5)
    assert [set(region[each.test]) for each in found] == [{"a"}, {"b"}, {"c"}]
    assert all(not set(region[each.train]) & set(region[each.test]) for each in found)


def test_splits_are_those_of_the_seed_and_differ_between_repeats():
    x, y = _places()
    one, two, other = (folds(x, y, seed=seed, repeats=2) for seed in (5, 5, 6))
    assert all((a.test == b.test).all() for a, b in zip(one, two, strict=True))
    assert any(a.test.size != b.test.size or (a.test != b.test).any() for a, b in zip(one, other, strict=True))
    first, second = ({tuple(each.test) for each in one if each.repeat == r} for r in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "random"}, "a random split is called optimistic"),
        ({"method": "hexagons"}, "expected one of kmeans"),
        ({"number": 1}, "found 1 and 10"),
        ({"number": 30}, "2 to 20 folds"),
        ({"buffer": -1.0}, "buffer: found -1"),
        ({"buffer": 1e6}, "leaves nothing to learn from"),
        ({"method": "optimistic", "buffer": 10.0}, "the split without any"),
        ({"method": "blocks"}, "block: found None"),
        ({"method": "blocks", "block": 1e6}, "makes [1-4] blocks"),
        ({"method": "regions"}, "region: found none"),
        ({"method": "regions", "region": ["a"] * 20}, "expected at least two"),
        ({"method": "regions", "region": ["a"] * 3}, "found shape"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(options, says):
    x, y = _places(20)
    with pytest.raises(ValueError, match=says):
        folds(x, y, **options)


def test_places_without_coordinates_are_refused():
    with pytest.raises(ValueError, match="found 1 places without"):
        folds([0.0, np.nan, 2.0], [0.0, 1.0, 2.0], number=2)
