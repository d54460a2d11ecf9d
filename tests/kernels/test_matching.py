"""Matching of one tile: who finds what."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels.matching import match

SQUARE = np.array([0.0, 0.0, 10.0, 10.0])


def _moved(right: float) -> np.ndarray:
    """The square moved: intersection over union (10 - right) / (10 + right)."""
    return SQUARE + np.array([0, right, 0, right])


def test_the_best_detection_chooses_first_and_a_second_find_is_wrong():
    found = match([_moved(2), SQUARE, _moved(30)], [0.9, 0.8, 0.7], [SQUARE], iou=0.5)
    np.testing.assert_array_equal(found.truth, [0, -1, -1])
    np.testing.assert_array_equal(found.right, [True, False, False])
    np.testing.assert_array_equal(found.wrong, [False, True, True])
    assert found.wanted == 1


def test_a_detection_takes_what_it_overlaps_most():
    found = match([_moved(3)], [1.0], [SQUARE, _moved(2)], iou=0.3)
    np.testing.assert_array_equal(found.truth, [1])


def test_what_is_not_asked_for_comes_last_and_costs_nothing():
    truth = [_moved(1), _moved(4)]
    # It overlaps the first, which is not asked for, far more than the second.
    found = match([SQUARE, SQUARE], [0.9, 0.8], truth, ignored=[True, False], iou=0.4)
    np.testing.assert_array_equal(found.truth, [1, 0])
    np.testing.assert_array_equal(found.ignored, [False, True])
    assert not found.wrong.any()
    assert found.wanted == 1


@pytest.mark.parametrize(("moved", "hit"), [(10 / 3, True), (3.34, False)])
def test_the_threshold_itself_is_enough(moved, hit):
    """Moved by a third of its side the overlap is exactly a half."""
    assert match([_moved(moved)], [1.0], [SQUARE], iou=0.5 - 1e-12).right[0] == hit


def test_equal_scores_do_not_depend_on_order():
    boxes = np.array([_moved(1), _moved(2), _moved(3)])
    truth = [_moved(2), _moved(3)]
    forth = match(boxes, [0.5] * 3, truth, iou=0.5)
    back = match(boxes[::-1], [0.5] * 3, truth, iou=0.5)
    np.testing.assert_array_equal(forth.truth, back.truth[::-1])


@pytest.mark.parametrize(("count", "true"), [(0, 0), (0, 2), (2, 0)])
def test_empty_tiles(count, true):
    found = match(np.zeros((count, 4)), np.zeros(count), np.zeros((true, 4)), iou=0.5)
    assert found.wanted == true
    np.testing.assert_array_equal(found.wrong, [True] * count)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"iou: found 0\.0"):
        match([SQUARE], [1.0], [SQUARE], iou=0.0)
    with pytest.raises(ValueError, match=r"ignored: found shape \(2,\)"):
        match([SQUARE], [1.0], [SQUARE], ignored=[True, False], iou=0.5)
    with pytest.raises(ValueError, match="truth: found shape"):
        match([SQUARE], [1.0], [[1, 2, 3]], iou=0.5)
