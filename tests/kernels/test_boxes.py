"""Boxes: overlaps in closed form, their symmetries, and suppression against the plain greedy rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from slidecloud.kernels.boxes import Detections, area, giou, iou, suppress


@st.composite
def boxes(draw, most=12, extent=40):
    """Boxes on quarters of a pixel, so that sums and moves are exact; some have no area, some are equal."""
    count = draw(st.integers(0, most))
    values = draw(arrays(np.int64, (count, 4), elements=st.integers(0, 4 * extent)))
    corner, size = values[:, :2], values[:, 2:] // 3
    return np.concatenate([corner, corner + size], axis=1) / 4


@st.composite
def scored(draw, most=12):
    found = draw(boxes(most))
    return found, draw(arrays(np.float64, len(found), elements=st.sampled_from([0.1, 0.5, 0.5, 0.75, 1.0])))


def _plain_suppress(found, scores, limit):
    kept = []
    for k in np.lexsort((*found.T[::-1], -scores)):
        if all(iou(found[[k]], found[[j]])[0, 0] <= limit for j in kept):
            kept.append(k)
    return np.array(kept, dtype=int)


def test_known_overlaps():
    a = [[0, 0, 2, 2]]
    others = [[0, 0, 2, 2], [1, 1, 3, 3], [0, 2, 2, 4], [0, 4, 2, 6], [0.5, 0.5, 1.5, 1.5]]
    np.testing.assert_allclose(iou(a, others), [[1, 1 / 7, 0, 0, 0.25]])
    # Boxes around both: 4, 9, 8, 12 and 4; neither covers 0, 2, 0, 4 and 0 of them.
    np.testing.assert_allclose(giou(a, others), [[1, 1 / 7 - 2 / 9, 0, -1 / 3, 0.25]])
    np.testing.assert_array_equal(area(others), [4, 4, 4, 4, 1])


@given(boxes(), boxes())
def test_overlap_is_that_of_coco(a, b):
    theirs = [np.stack([x[:, 1], x[:, 0], x[:, 3] - x[:, 1], x[:, 2] - x[:, 0]], axis=1) for x in (a, b)]
    if len(a) and len(b):
        whole = (area(a)[:, None] > 0) & (area(b)[None] > 0)
        expected = coco.iou(*theirs, [0] * len(b))
        np.testing.assert_allclose(iou(a, b)[whole], expected[whole], atol=1e-12)
    assert iou(a, b).shape == (len(a), len(b))


@given(boxes(), boxes(), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_overlaps_are_symmetric_bounded_and_stay_when_all_moves(a, b, down, right):
    shared, general = iou(a, b), giou(a, b)
    np.testing.assert_array_equal(shared, iou(b, a).T)
    np.testing.assert_array_equal(general, giou(b, a).T)
    assert ((shared >= 0) & (shared <= 1)).all()
    assert ((general >= -1) & (general <= shared)).all()
    move = np.array([down, right, down, right])
    np.testing.assert_array_equal(iou(a + move, b + move), shared)
    np.testing.assert_array_equal(giou(a + move, b + move), general)


@given(boxes())
def test_a_box_overlaps_itself_wholly(a):
    np.testing.assert_array_equal(np.diag(iou(a, a)), area(a) > 0)


@given(scored(), st.sampled_from([0.0, 0.3, 0.45, 1.0]))
def test_suppression_is_the_greedy_rule(found, limit):
    boxes_, scores = found
    np.testing.assert_array_equal(suppress(boxes_, scores, iou=limit), _plain_suppress(boxes_, scores, limit))


@given(scored(), st.randoms(use_true_random=False))
def test_suppression_does_not_depend_on_order_and_is_final(found, random):
    boxes_, scores = found
    kept = suppress(boxes_, scores)
    shuffled = np.array(random.sample(range(len(scores)), len(scores)), dtype=int)
    again = shuffled[suppress(boxes_[shuffled], scores[shuffled])]
    np.testing.assert_array_equal(boxes_[kept], boxes_[again])
    np.testing.assert_array_equal(scores[kept], scores[again])
    np.testing.assert_array_equal(suppress(boxes_[kept], scores[kept]), np.arange(len(kept)))


def test_suppression_in_several_batches(monkeypatch):
    """More boxes than are looked at in one go, crowded so that those struck out span the batches."""
    monkeypatch.setattr("slidecloud.kernels.boxes._BATCH", 7)
    random = np.random.default_rng(3)
    corner = random.uniform(0, 40, (300, 2))
    found = np.concatenate([corner, corner + random.uniform(5, 20, (300, 2))], axis=1)
    scores = random.uniform(size=300)
    np.testing.assert_array_equal(suppress(found, scores, iou=0.3), _plain_suppress(found, scores, 0.3))


def test_detections_are_ranked():
    found = Detections.of([[5, 5, 6, 6], [0, 0, 1, 1], [2, 2, 3, 3]], [0.5, 0.5, 0.9])
    assert found.boxes.dtype == found.scores.dtype == np.float32
    np.testing.assert_array_equal(found.boxes[:, 0], [2, 0, 5])
    assert Detections.of(np.zeros((0, 4)), []).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (np.zeros((3, 5)), r"boxes: found shape \(3, 5\), expected \(n, 4\)"),
        ([[0, 0, 1, 1], [0, 3, 1, 2]], "at index 1"),
        ([[0, 0, np.nan, 1]], "expected finite"),
    ],
)
def test_malformed_boxes_are_named(bad, says):
    with pytest.raises(ValueError, match=says):
        suppress(bad, np.zeros(len(bad)))


def test_malformed_scores_are_named():
    with pytest.raises(ValueError, match=r"scores: found shape \(1,\)"):
        suppress(np.zeros((2, 4)), [1.0])
    with pytest.raises(ValueError, match="scores: found NaN at index 1"):
        suppress(np.zeros((2, 4)), [1.0, np.nan])
    with pytest.raises(ValueError, match=r"iou: found 1\.5"):
        suppress(np.zeros((2, 4)), [1.0, 1.0], iou=1.5)
