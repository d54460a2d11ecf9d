"""Average precision against COCO's own code and by hand; precision, recall and false alarms."""

from __future__ import annotations

import contextlib
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from slidecloud.kernels.matching import match
from slidecloud.kernels.precision import (
    Outcomes,
    average_precision,
    curve,
    false_alarms,
    ten_confidence_mean,
    threshold_for,
    working,
)

# Best first: right, wrong, right; one of three true boxes is never found.
KNOWN = Outcomes(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 3)


def _tiles(seed):
    """Tiles whose detections lie near the truth or anywhere; some truth is not asked for."""
    random = np.random.default_rng(seed)
    for _ in range(random.integers(1, 7)):
        true = _boxes(random, random.integers(0, 6))
        near = true[random.integers(0, len(true), 8)] + random.normal(0, 2.5, (8, 4)) if len(true) else true
        near = near[(near[:, 2:] > near[:, :2] + 1).all(1)]
        found = np.concatenate([near, _boxes(random, random.integers(0, 5))])
        yield found, random.uniform(size=len(found)), true, random.uniform(size=len(true)) < 0.3


def _boxes(random, count):
    corner = random.uniform(0, 60, (count, 2))
    return np.concatenate([corner, corner + random.uniform(6, 25, (count, 2))], axis=1)


def _coco_precision(tiles, iou):
    """AP by pycocotools. Truth that is not asked for is no crowd: it is given an area beyond those it counts."""
    truth, found = [], []
    for image, (boxes, scores, true, ignored) in enumerate(tiles, start=1):
        for box, skip in zip(true, ignored, strict=True):
            entry = _annotation(image, box) | {"id": len(truth) + 1, "iscrowd": 0}
            truth.append(entry | ({"area": 1e12} if skip else {}))
        found += [_annotation(image, b) | {"score": float(s)} for b, s in zip(boxes, scores, strict=True)]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        images = [{"id": image} for image in range(1, len(tiles) + 1)]
        known.dataset = {"info": {}, "images": images, "annotations": truth, "categories": [{"id": 1}]}
        known.createIndex()
        judge = COCOeval(known, known.loadRes(found), "bbox")
        judge.params.iouThrs = np.array([iou])
        judge.params.maxDets = [1000]
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    return float(judge.eval["precision"].mean())


def _annotation(image, box):
    top, left, bottom, right = (float(value) for value in box)
    size = [left, top, right - left, bottom - top]
    return {"image_id": image, "category_id": 1, "bbox": size, "area": size[2] * size[3]}


def _judge(tiles, iou):
    return Outcomes.of(match(boxes, scores, true, ignored=skip, iou=iou) for boxes, scores, true, skip in tiles)


@pytest.mark.parametrize("iou", [0.3, 0.5])
def test_average_precision_is_that_of_coco(iou):
    compared = 0
    for seed in range(150):
        tiles = list(_tiles(seed))
        outcomes = _judge(tiles, iou)
        if outcomes.wanted and any(len(tile[0]) for tile in tiles):
            assert average_precision(outcomes) == pytest.approx(_coco_precision(tiles, iou), abs=1e-9), seed
            compared += 1
    assert compared > 100


def test_average_precision_by_hand():
    """Precision 1 up to a third, 2/3 up to two thirds, then 0; of 101 recalls 34 lie up to 1/3 and 33 up to 2/3."""
    assert average_precision(KNOWN, points=None) == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(KNOWN) == pytest.approx((34 + 33 * 2 / 3) / 101)


def test_curve_by_hand():
    found = curve(KNOWN)
    np.testing.assert_allclose(found.threshold, [0.9, 0.8, 0.7])
    np.testing.assert_allclose(found.precision, [1, 1 / 2, 2 / 3])
    np.testing.assert_allclose(found.recall, [1 / 3, 1 / 3, 2 / 3])


def test_ten_confidence_mean_by_hand():
    """Up to 0.7 all three are kept, at 0.8 and 0.9 only the first third of the truth is found."""
    whole, best = (34 + 33 * 2 / 3) / 101, 34 / 101
    assert ten_confidence_mean(KNOWN) == pytest.approx((8 * whole + 2 * best) / 10)


@st.composite
def _outcomes(draw):
    count = draw(st.integers(0, 20))
    right = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    scores = np.array(draw(st.lists(st.integers(0, 6), min_size=count, max_size=count)), dtype=float) / 6
    return Outcomes(scores, right, int(right.sum()) + draw(st.integers(0, 5)))


@given(_outcomes(), st.randoms(use_true_random=False))
def test_order_and_scale_of_scores_do_not_show(outcomes, random):
    shuffled = np.array(random.sample(range(len(outcomes.right)), len(outcomes.right)), dtype=int)
    other = Outcomes(outcomes.scores[shuffled] ** 3 + 2, outcomes.right[shuffled], outcomes.wanted)
    for points in (101, None):
        found = average_precision(outcomes, points=points)
        np.testing.assert_equal(average_precision(other, points=points), found)
        assert math.isnan(found) if not outcomes.wanted else 0 <= found <= 1


@given(_outcomes())
def test_both_areas_agree_within_a_step_of_recall(outcomes):
    """They differ by how 101 recalls sample a falling staircase: at most a hundredth of its height and one point."""
    if outcomes.wanted:
        assert abs(average_precision(outcomes) - average_precision(outcomes, points=None)) <= 2 / 101


@given(_outcomes())
def test_a_worse_detection_more_never_helps(outcomes):
    more = Outcomes(np.append(outcomes.scores, -1.0), np.append(outcomes.right, False), outcomes.wanted)
    np.testing.assert_equal(average_precision(more), average_precision(outcomes))
    better = Outcomes(np.append(outcomes.scores, 2.0), np.append(outcomes.right, False), outcomes.wanted)
    assert not average_precision(better) > average_precision(outcomes)


@given(_outcomes(), st.sampled_from([0.3, 0.5, 0.9, 1.0]))
def test_threshold_gives_the_precision_asked_for_with_the_most_recall(outcomes, precision):
    threshold = threshold_for(outcomes, precision)
    levels = np.unique(outcomes.scores)
    enough = [level for level in levels if working(outcomes, level).precision >= precision]
    assert threshold == (enough[0] if enough else None)


def test_working_point():
    point = working(KNOWN, 0.75)
    assert (point.right, point.wrong, point.wanted) == (1, 1, 3)
    assert (point.precision, point.recall) == (0.5, pytest.approx(1 / 3))
    assert math.isnan(working(KNOWN, 0.95).precision)
    assert working(KNOWN, 0.95).recall == 0


@pytest.mark.parametrize("level", [0.1, 0.3, 0.7, 0.9])
def test_scores_in_single_precision_reach_their_own_threshold(level):
    for score in (np.float32(level), np.float64(level)):
        assert working(Outcomes(np.array([score], dtype=np.float64), np.ones(1, bool), 1), level).right == 1


def test_false_alarms_by_area():
    """A tile of 416 x 416 pixels of 40 m is 276.9 km²."""
    assert false_alarms(5, 416**2) == pytest.approx(1000 * 5 / 276.8896)
    assert math.isnan(false_alarms(0, 0))


def test_what_is_not_asked_for_is_left_out():
    square = [[0, 0, 9, 9]]
    tiles = [match(square, [0.9], square, ignored=[True], iou=0.5), match(square, [0.4], square, iou=0.5)]
    found = Outcomes.of(tiles)
    np.testing.assert_array_equal(found.scores, [0.4])
    assert found.wanted == 1
    assert average_precision(found) == 1.0


def test_nothing_at_all():
    assert math.isnan(average_precision(Outcomes.of([])))
    assert curve(Outcomes.of([])).recall.size == 0
    assert threshold_for(Outcomes.of([]), 0.5) is None
    assert average_precision(Outcomes(np.zeros(0), np.zeros(0, dtype=bool), 4)) == 0.0


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="points: found 1"):
        average_precision(KNOWN, points=1)
    with pytest.raises(ValueError, match="precision: found 0"):
        threshold_for(KNOWN, 0)
