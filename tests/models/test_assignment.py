"""Who answers for a slide, and who is not asked: held against a plain search over all anchors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.boxes import iou
from slidecloud.models.assignment import OVERLAP, RATIO, Truth, assign
from slidecloud.models.yolo import boxes as decode

STRIDES = (8, 16)
ANCHORS = torch.tensor([[[8.0, 8], [14, 10], [10, 18]], [[24, 24], [40, 30], [30, 50]]])
SIDE = 96
SHAPES = [(2, 3, SIDE // stride, SIDE // stride) for stride in STRIDES]


def truth(boxes, image, visible):
    return Truth(
        torch.tensor(image, dtype=torch.int64),
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(visible, dtype=torch.bool),
    )


def chosen(share):
    """(image, anchor, row, column) -> the boxes it answers for."""
    found = {}
    for *place, box in zip(share.image, share.anchor, share.row, share.column, share.boxes, strict=True):
        found.setdefault(tuple(map(int, place)), []).append(tuple(box.tolist()))
    return found


@st.composite
def slides(draw):
    count = draw(st.integers(0, 6))
    boxes, image, visible = [], [], []
    for _ in range(count):
        size = [draw(st.floats(3, 60)) for _ in range(2)]
        corner = [draw(st.floats(0, SIDE - edge)) for edge in size]
        boxes.append([*corner, corner[0] + size[0], corner[1] + size[1]])
        image.append(draw(st.integers(0, 1)))
        visible.append(draw(st.booleans()))
    return truth(boxes, image, visible)


@settings(max_examples=60, deadline=None)
@given(slides())
def test_every_anchor_that_answers_can_reach_its_slide(given_truth):
    """Centre within (-1/2, 3/2) of the cell and size below four anchors: some raw numbers give the box."""
    for share, stride, sizes in zip(assign(given_truth, ANCHORS, STRIDES, SHAPES), STRIDES, ANCHORS, strict=True):
        cells = torch.stack([share.row, share.column], 1)
        centre = (share.boxes[:, :2] + share.boxes[:, 2:]) / 2 / stride - cells
        assert ((centre >= -0.5) & (centre <= 1.5)).all()
        shape = (share.boxes[:, 2:] - share.boxes[:, :2]) / sizes[share.anchor]
        raw = torch.cat([torch.logit((centre + 0.5) / 2, 1e-6), torch.logit(shape.sqrt() / 2, 1e-6)], 1)
        if (shape < 4).all():
            torch.testing.assert_close(decode(raw, cells, sizes[share.anchor], stride), share.boxes, atol=1e-2, rtol=0)


@settings(max_examples=60, deadline=None)
@given(slides())
def test_visible_slides_are_answered_for_and_hidden_ones_are_not(given_truth):
    shares = assign(given_truth, ANCHORS, STRIDES, SHAPES)
    answered = {tuple(box) for share in shares for box in share.boxes.tolist()}
    wanted = {tuple(box) for box in given_truth.boxes[given_truth.visible].tolist()}
    assert answered == wanted


@settings(max_examples=60, deadline=None)
@given(slides())
def test_the_cell_of_the_centre_answers_with_every_anchor_of_like_size(given_truth):
    shares = assign(given_truth, ANCHORS, STRIDES, SHAPES)
    for image, box, visible in zip(*given_truth, strict=True):
        if not visible:
            continue
        size = (box[2:] - box[:2]).numpy()
        for share, stride, sizes in zip(shares, STRIDES, ANCHORS.numpy(), strict=True):
            row, column = (((box[:2] + box[2:]) / 2 / stride).floor().clamp(max=SIDE // stride - 1)).int().tolist()
            for anchor, own in enumerate(sizes):
                if max((size / own).max(), (own / size).max()) < RATIO * (1 - 1e-6):
                    assert tuple(box.tolist()) in chosen(share)[int(image), anchor, row, column]


@settings(max_examples=40, deadline=None)
@given(slides())
def test_unasked_are_anchors_upon_slides_and_cells_of_hidden_ones(given_truth):
    """By IoU of every anchor in the middle of its cell, and by area shared with hidden boxes; ties aside."""
    shares = assign(given_truth, ANCHORS, STRIDES, SHAPES)
    for share, stride, sizes, shape in zip(shares, STRIDES, ANCHORS.numpy(), SHAPES, strict=True):
        middle = (np.indices(shape[2:]).transpose(1, 2, 0) + 0.5) * stride
        cells = np.concatenate([middle - stride / 2, middle + stride / 2], -1).reshape(-1, 4)
        for image in range(2):
            here = given_truth.image == image
            for anchor, size in enumerate(sizes):
                around = np.concatenate([middle - size / 2, middle + size / 2], -1).reshape(-1, 4)
                upon = iou(around, given_truth.boxes[here & given_truth.visible].numpy())
                hidden = iou(cells, given_truth.boxes[here & ~given_truth.visible].numpy())
                sure = (np.abs(upon - OVERLAP) > 1e-5).all(1) & ((hidden == 0) | (hidden > 1e-6)).all(1)
                expected = (upon > OVERLAP).any(1) | (hidden > 0).any(1)
                found = share.unasked[image, anchor].numpy().ravel()
                np.testing.assert_array_equal(found[sure], expected[sure])


@pytest.mark.parametrize("size", [1.0, 200.0])
def test_a_slide_unlike_every_anchor_goes_to_the_one_most_like_it(size):
    box = [[0, 0, size, size]]
    shares = assign(truth(box, [0], [True]), ANCHORS, STRIDES, SHAPES)
    assert [len(set(share.anchor.tolist())) for share in shares] == ([1, 0] if size == 1 else [0, 1])


def test_nothing_there_nothing_asked_for():
    for share in assign(truth([], [], []), ANCHORS, STRIDES, SHAPES):
        assert len(share.row) == 0
        assert not share.unasked.any()
