"""Outlines and landslides held against true ones: cases that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.optical.boundaries import NONE, boundaries
from slidecloud.optical.objects import joined, objects
from slidecloud.optical.pieces import find_pieces

KNOWN = np.ones((40, 40), bool)


def square(top, left, side=10, shape=(40, 40)):
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


@pytest.mark.parametrize(("aside", "f"), [(0, 1.0), (2, 1.0), (3, None), (20, 0.0)])
def test_outlines_count_as_found_up_to_the_tolerance(aside, f):
    """A square of 10 moved by 3 pixels: of its 36 edge pixels those of the sides along the motion but the last 1 are
    near, and of the others those that came to lie near a corner."""
    counts = boundaries(square(5, 5 + aside), square(5, 5), KNOWN)
    assert counts.found == counts.true == 36
    assert counts.found_near == counts.true_near
    if f is None:
        assert 0.4 < counts.f < 0.9
    else:
        assert counts.f == f


def test_the_border_of_what_is_known_is_no_outline():
    half = KNOWN.copy()
    half[:, :10] = False
    counts = boundaries(square(0, 5), square(0, 5), half)
    # Columns 10 to 14, rows 0 to 9: the right side, and the bottom; top and left are borders.
    assert counts.true == 10 + 5 - 1


def test_nothing_found_and_nothing_true():
    empty = np.zeros((40, 40), bool)
    assert math.isnan(boundaries(empty, empty, KNOWN).f)
    assert boundaries(square(5, 5), empty, KNOWN).f == 0.0
    assert (NONE + boundaries(square(5, 5), square(5, 5), KNOWN)).f == 1.0


def test_landslides_are_found_one_by_one():
    """Two true squares; one is found well and touched by a second find, the other overlapped too little; one find lies
    alone."""
    truth = square(0, 0) | square(20, 20)
    found = square(0, 0) & ~(np.arange(40) == 7)[None] | square(28, 28) | square(0, 30, 5)
    judged = objects(found, truth, KNOWN)
    assert judged.true_pixels.tolist() == [100, 100]
    assert judged.true_found.tolist() == [True, False]
    assert judged.recall == 0.5
    # Of four finds (70 and 20 pixels in the first square, 100, 25) one is right.
    assert sorted(judged.found_pixels.tolist()) == [20, 25, 70, 100]
    assert judged.found_pixels[judged.found_right].tolist() == [70]
    assert judged.precision == 0.25


def test_corners_alone_join_nothing_as_in_outlines():
    """Two squares that meet at a corner are two outlines, so that one of them finds one landslide."""
    truth = square(0, 0) | square(10, 10)
    judged = objects(square(0, 0), truth, KNOWN)
    assert judged.true_found.tolist() == [True, False]
    pieces = find_pieces(truth.astype(np.uint8), origin=(0, 0), least=1, unknown=255, values=np.zeros(256, np.int64))
    assert len(pieces.shapes) == len(judged.true_found)


@pytest.mark.parametrize(("overlap", "found"), [(0.5, True), (0.3, True), (0.29, False)])
def test_the_least_overlap_counts(overlap, found):
    """A bar of 100 pixels and a find of the share s of it alone: their overlap is s."""
    truth, part = np.zeros((2, 1, 100), bool)
    truth[:] = True
    part[0, : round(100 * overlap)] = True
    known = np.ones((1, 100), bool)
    assert objects(part, truth, known).true_found.tolist() == [found]


def test_landslides_under_clouds_are_not_asked_for():
    """Of the first square 30 % is known, of the second 60 %: a find on the first is neither right nor wrong."""
    truth = square(0, 0) | square(20, 20)
    known = KNOWN.copy()
    known[:, 3:10] = False
    known[26:30] = False
    judged = objects(truth, truth, known)
    assert judged.true_pixels.tolist() == [60]
    assert judged.true_found.tolist() == [True]
    assert judged.found_pixels.tolist() == [60]
    beside = objects(square(0, 0, 1) | square(20, 20), truth, known)
    assert beside.found_pixels.tolist() == [60]
    assert beside.precision == 1.0


def test_recall_by_size():
    truth = square(0, 0, 5) | square(0, 20, 12) | square(20, 0, 14)
    judged = objects(square(0, 20, 12), truth, KNOWN)
    assert judged.recall_by_size()[:2] == [("1 to 99", 1, 0.0), ("100 to 399", 2, 0.5)]
    assert [count for _, count, _ in judged.recall_by_size()] == [1, 2, 0, 0]
    both = joined([judged, judged, objects(~KNOWN, ~KNOWN, KNOWN)])
    assert both.recall_by_size()[1] == ("100 to 399", 4, 0.5)
    assert math.isnan(joined([]).recall)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_judging_is_fair(seed):
    """Of masks against themselves everything is right; each landslide is found once, whatever the masks."""
    rng = np.random.default_rng(seed)
    one, other = rng.random((2, 30, 30)) < 0.3
    known = rng.random((30, 30)) < 0.9
    same = objects(one, one, np.ones((30, 30), bool))
    assert same.true_found.all()
    assert same.found_right.all()
    judged = objects(one, other, known, iou=0.1)
    assert judged.true_found.sum() >= judged.found_right.sum() >= 0
    assert boundaries(one, one, known).f in (1.0,) or not (one & known).any()
    swapped, straight = boundaries(other, one, known), boundaries(one, other, known)
    assert swapped.f == pytest.approx(straight.f, nan_ok=True)


@pytest.mark.parametrize("iou", [0.0, 1.5])
def test_an_overlap_out_of_range_is_refused(iou):
    with pytest.raises(ValueError, match="iou: found"):
        objects(KNOWN, KNOWN, KNOWN, iou=iou)
