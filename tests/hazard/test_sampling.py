"""Absences lie where they may, and are recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import kstest

from slidecloud.hazard.absences import chances, draw_order
from slidecloud.hazard.sampling import sample
from slidecloud.types import DataError


def _ground(count=2000, seed=0, share=0.03):
    random = np.random.default_rng(seed)
    x, y = random.uniform(0, 10_000, (2, count))
    return x, y, random.uniform(size=count) < share, random.uniform(0, 0.9, count)


@given(st.integers(0, 50), st.sampled_from([0.5, 1.0, 5.0]), st.sampled_from(["random", "buffered", "slope"]))
@settings(max_examples=25, deadline=None)
def test_absences_keep_the_rule_of_their_method(seed, ratio, method):
    x, y, slid, slope = _ground()
    usable = np.arange(x.size) % 7 > 0
    options = {"distance": 400.0, "slope": slope, "least_slope": 0.2}
    found = sample(x, y, slid, method=method, ratio=ratio, usable=usable, seed=seed, **options)
    absent = found.place[~found.event]
    np.testing.assert_array_equal(found.place[found.event], np.nonzero(slid & usable)[0])
    assert not slid[absent].any()
    assert usable[found.place].all()
    assert np.unique(absent).size == absent.size == found.drawn == round(ratio * found.slides)
    place = np.stack([x, y], 1)
    if method == "buffered":
        assert cdist(place[absent], place[slid]).min() >= 400
        assert found.eligible == (cdist(place[usable & ~slid], place[slid]).min(axis=1) >= 400).sum()
    if method == "slope":
        assert slope[absent].min() >= 0.2
        assert found.eligible == (usable & ~slid & (slope >= 0.2)).sum()
    assert found.sample_share == pytest.approx(found.event.mean())
    assert found.true_share == pytest.approx(found.slides / (found.slides + found.eligible))


def test_target_group_follows_effort():
    """Cells looked at three times as much are drawn three times as often."""
    x, y, slid, _ = _ground(40_000, share=0.01)
    effort = np.where(x < 5000, 3.0, 1.0)
    effort[y < 1000] = np.nan
    found = sample(x, y, slid, method="target_group", effort=effort, ratio=5, seed=1)
    absent = found.place[~found.event]
    assert y[absent].min() >= 1000
    # Binomial standard error .01 of some 2,000 draws.
    assert np.mean(x[absent] < 5000) == pytest.approx(0.75, abs=0.03)


def test_record_is_plain_and_complete():
    x, y, slid, slope = _ground()
    found = sample(x, y, slid, method="slope", slope=slope, least_slope=np.deg2rad(10.0), ratio=2, seed=9)
    record = json.loads(json.dumps(found.record()))
    assert (record["method"], record["seed"], record["least_slope_degrees"], record["distance_m"]) == (
        "slope",
        9,
        10.0,
        None,
    )
    assert record["absences"] == 2 * record["slides"]
    assert "at least that steep" in record["caveat"]


def test_all_are_taken_where_few_are_eligible():
    found = sample([0.0, 1, 2], [0.0, 0, 0], [True, False, False], ratio=10)
    np.testing.assert_array_equal(found.place, [0, 1, 2])


def test_pieces_draw_what_the_whole_draws():
    """Each piece keeps its own smallest; the smallest of these are those of the whole."""
    weight = np.random.default_rng(0).uniform(0.1, 5, 3000)
    rank = draw_order(np.arange(3000), weight, seed=4)
    whole = np.argsort(rank)[:50]
    kept = []
    for piece in np.array_split(np.arange(3000), 7):
        own = draw_order(piece, weight[piece], seed=4)
        np.testing.assert_array_equal(own, rank[piece])
        kept.append(piece[np.argsort(own)[:50]])
    together = np.concatenate(kept)
    np.testing.assert_array_equal(together[np.argsort(draw_order(together, weight[together], seed=4))[:50]], whole)


def test_pieces_keep_apart_from_slides_of_other_pieces():
    x, y, slid, _ = _ground()
    whole = chances(x, y, slid, method="buffered", distance=700.0)
    piece = x < 5000
    slides = np.stack([x, y], 1)[slid]
    own = chances(x[piece], y[piece], slid[piece], method="buffered", distance=700.0, slides=slides)
    np.testing.assert_array_equal(own, whole[piece])
    assert (chances(x[piece], y[piece], slid[piece], method="buffered", distance=700.0) > own).any()


def test_ranks_are_exponential_and_unlike_between_seeds():
    """Of rate 1: mean and standard deviation 1; neighbours and seeds say nothing of each other."""
    one, two = (draw_order(np.arange(50_000), np.ones(50_000), seed=seed) for seed in (0, 1))
    for rank in (one, two):
        assert kstest(rank, "expon").pvalue > 0.001
        assert abs(np.corrcoef(rank[1:], rank[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.02
    shifted = draw_order(np.arange(1, 50_001), np.ones(50_000))
    assert abs(np.corrcoef(one, shifted)[0, 1]) < 0.02


def test_draw_is_that_of_the_seed():
    x, y, slid, _ = _ground()
    one, two, other = (sample(x, y, slid, seed=seed).place for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"method": "background"}, ValueError, "expected one of random, buffered"),
        ({"ratio": 0}, ValueError, "ratio: found 0"),
        ({"method": "buffered"}, ValueError, "distance: found None"),
        ({"method": "slope", "least_slope": 0.1}, ValueError, "expected both"),
        ({"method": "slope", "slope": [0.5, 0.5, 0.5], "least_slope": 10.0}, ValueError, "expected radians"),
        ({"method": "target_group"}, ValueError, "effort: found none"),
        ({"method": "target_group", "effort": [-1.0, 1, 1]}, ValueError, "from -1"),
        ({"method": "buffered", "distance": 100.0}, DataError, "1 slides and 0 cells"),
        ({"usable": [False, True, True]}, DataError, "0 slides and 2 cells"),
    ],
)
def test_samples_that_cannot_be_drawn_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        sample([0.0, 1, 2], [0.0, 0, 0], [True, False, False], **options)
