"""Scores of pixels counted without keeping them, against plain counts of all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.precision import average_precision
from slidecloud.optical.pixels import LEVELS, Counts, Tally


def tally_of(scores, truth):
    tally = Tally()
    tally.add(scores, truth)
    return tally


@given(seed=st.integers(0, 1000), level=st.integers(0, 998))
@settings(deadline=None, max_examples=50)
def test_counts_at_every_level_are_those_of_a_comparison(seed, level):
    """Scores lie on levels as well as between them; 0.3 in single precision is its own level."""
    rng = np.random.default_rng(seed)
    scores = np.where(rng.random((20, 15)) < 0.5, rng.choice(LEVELS, (20, 15)), rng.random((20, 15))).astype(np.float32)
    truth = rng.random((20, 15)) < 0.4
    scores[0, :3] = np.nan
    threshold = float(LEVELS[level])
    found, known = scores >= LEVELS[level], np.isfinite(scores)
    expected = Counts(
        int((found & truth).sum()),
        int((found & ~truth).sum()),
        int((~found & truth & known).sum()),
        int((~found & ~truth & known).sum()),
    )
    assert tally_of(scores, truth).counts(threshold) == expected


def test_shares_follow_from_counts():
    counts = Counts(right=30, false=10, missed=20, rest=140)
    assert counts.precision == pytest.approx(0.75)
    assert counts.recall == pytest.approx(0.6)
    assert counts.f1 == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert counts.iou == pytest.approx(0.5)
    assert counts.rest_iou == pytest.approx(140 / 170)
    assert counts.mean_iou == pytest.approx((0.5 + 140 / 170) / 2)
    assert all(math.isnan(share) for share in (Counts(0, 0, 0, 5).iou, Counts(0, 0, 3, 5).precision))


def test_parts_add_up():
    rng = np.random.default_rng(0)
    scores, truth = rng.random((4, 30, 30)).astype(np.float32), rng.random((4, 30, 30)) < 0.2
    whole, parts = tally_of(scores, truth), Tally()
    for one, mask in zip(scores, truth, strict=True):
        parts.add(one, mask)
    np.testing.assert_array_equal(whole.slid, parts.slid)
    np.testing.assert_array_equal(whole.rest, parts.rest)


def test_the_best_threshold_has_the_largest_overlap():
    rng = np.random.default_rng(1)
    truth = rng.random((100, 100)) < 0.2
    scores = np.clip(rng.normal(0.3 + 0.3 * truth, 0.15), 0, 1).astype(np.float32)
    tally = tally_of(scores, truth)
    best = tally.best_threshold()
    assert tally.counts(best).iou == max(tally.counts(float(level)).iou for level in LEVELS)
    assert 0.4 < best < 0.65
    assert tally_of(scores, np.zeros_like(truth)).best_threshold() == 0.5


def test_thinned_pixels_keep_their_shares():
    rng = np.random.default_rng(2)
    truth = rng.random((1500, 1000)) < 0.05
    scores = np.clip(rng.normal(0.3 + 0.2 * truth, 0.15), 0, 1).astype(np.float32)
    outcomes = tally_of(scores, truth).outcomes()
    assert 190_000 < len(outcomes.scores) <= 200_000
    assert outcomes.wanted == outcomes.right.sum()
    assert outcomes.right.mean() == pytest.approx(truth.mean(), rel=0.01)
    few = slice(0, 40)
    exact = tally_of(scores[few], truth[few]).outcomes()
    assert len(exact.scores) == 40_000
    assert average_precision(outcomes) == pytest.approx(average_precision(exact), abs=0.02)


def test_no_pixel_at_all_is_no_error():
    tally = tally_of(np.full((3, 3), np.nan, np.float32), np.ones((3, 3), bool))
    assert tally.counts(0.5) == Counts(0, 0, 0, 0)
    assert len(tally.outcomes().scores) == 0
