"""The loss: CIoU against its formula, and nothing asked where nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.models.architecture import Architecture
from slidecloud.models.assignment import Truth, assign
from slidecloud.models.losses import ciou, loss
from slidecloud.models.yolo import VALUES, Yolo

ANCHORS = (((8.0, 8.0), (14.0, 10.0), (10.0, 18.0)), ((24.0, 24.0), (40.0, 30.0), (30.0, 50.0)))
SIDE = 96


@pytest.fixture(scope="module")
def network():
    return Yolo(Architecture("a-yolov3-t", 0.125, 2, False, False, ANCHORS))


def plain_ciou(a, b):
    """Zheng et al. 2020, equations 7 to 11, in double precision, one pair."""
    height, width = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    common = max(height, 0) * max(width, 0)
    sizes = [(box[2] - box[0], box[3] - box[1]) for box in (a, b)]
    iou = common / (sizes[0][0] * sizes[0][1] + sizes[1][0] * sizes[1][1] - common)
    centres = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (a, b)]
    around = [max(a[k + 2], b[k + 2]) - min(a[k], b[k]) for k in (0, 1)]
    distance = math.dist(*centres) ** 2 / (around[0] ** 2 + around[1] ** 2)
    v = 4 / math.pi**2 * (math.atan(sizes[0][1] / sizes[0][0]) - math.atan(sizes[1][1] / sizes[1][0])) ** 2
    return iou - distance - (v * v / (1 - iou + v) if v else 0.0)


box = st.tuples(st.floats(0, 300), st.floats(0, 300), st.floats(1, 80), st.floats(1, 80)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(max_examples=200, deadline=None)
@given(box, box)
def test_ciou_is_its_formula(a, b):
    """Single precision of coordinates up to 380 (2e-5 of a pixel) over sizes of at least 1."""
    found = ciou(torch.tensor([a], dtype=torch.float32), torch.tensor([b], dtype=torch.float32))
    assert found.item() == pytest.approx(plain_ciou(a, b), abs=5e-4)


def test_ciou_by_hand():
    """The same: 1. Side by side, 2 x 2 each: 0 - (2/sqrt(20))^2. One inside, half as wide: 1/2 - 0 - alpha v."""
    v = 4 / math.pi**2 * (math.atan(0.5) - math.atan(1)) ** 2
    a = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0.5, 2, 1.5]])
    b = torch.tensor([[0.0, 0, 2, 2], [0, 2, 2, 4], [0, 0, 2, 2]])
    expected = torch.tensor([1, -4 / 20, 0.5 - v * v / (0.5 + v)])
    torch.testing.assert_close(ciou(a, b), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("other", [[5.0, 5, 9, 9], [5.0, 5, 5, 5], [40.0, 40, 40, 90]])
def test_boxes_without_extent_have_finite_gradients(other):
    point = torch.tensor([[5.0, 5, 5, 5]], requires_grad=True)
    found = ciou(point, torch.tensor([other]))
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert torch.isfinite(point.grad).all()


def test_ciou_falls_as_boxes_part():
    """Where IoU is already 0 the distance still pulls."""
    fixed = torch.tensor([[0.0, 0, 10, 10]]).expand(20, 4)
    moved = fixed + torch.arange(20.0)[:, None] * 3
    assert (ciou(moved, fixed).diff() < 0).all()


def truth(boxes, visible):
    return Truth(
        torch.zeros(len(boxes), dtype=torch.int64), torch.tensor(boxes, dtype=torch.float32), torch.tensor(visible)
    )


def empty_raw(objectness):
    """What a network would give that sees nothing anywhere: boxes like their anchors, and this objectness."""
    raw = [torch.zeros(1, 3, SIDE // stride, SIDE // stride, VALUES) for stride in (8, 16)]
    for head in raw:
        head[..., 4] = objectness
    return [head.requires_grad_() for head in raw]


def perfect_raw(network, given_truth):
    """What a network would give that knows the truth."""
    raw = [head.detach() for head in empty_raw(-30.0)]
    shapes = [tuple(head.shape[:4]) for head in raw]
    shares = assign(given_truth, network.anchors, (8, 16), shapes)
    for head, share, stride, sizes in zip(raw, shares, (8, 16), network.anchors, strict=True):
        cells = torch.stack([share.row, share.column], 1)
        centre = ((share.boxes[:, :2] + share.boxes[:, 2:]) / 2 / stride - cells + 0.5) / 2
        shape = ((share.boxes[:, 2:] - share.boxes[:, :2]) / sizes[share.anchor]).sqrt() / 2
        answer = torch.cat([torch.logit(centre), torch.logit(shape), torch.full((len(cells), 1), 30.0)], 1)
        head[share.image, share.anchor, share.row, share.column] = answer
    return raw


def test_who_knows_the_truth_has_no_loss(network):
    known = truth([[20.0, 30, 33, 41], [60, 10, 90, 44]], [True, True])
    found = loss(perfect_raw(network, known), known, network, smoothing=0.0)
    assert found.box.item() == pytest.approx(0, abs=1e-5)
    assert found.objectness.item() == pytest.approx(0, abs=1e-5)


def test_the_loss_of_knowing_nothing_is_known(network):
    """An empty tile, objectness one half everywhere: log 2 for each of the 3 (144 + 36) anchors."""
    found = loss(empty_raw(0.0), truth(np.zeros((0, 4)), np.zeros(0, bool)), network)
    assert found.total.item() == pytest.approx(3 * (144 + 36) * math.log(2), rel=1e-6)
    assert found.box.item() == 0


def test_hidden_slides_ask_for_nothing(network):
    """No gradient reaches the cells of a slide too weak to be seen; all others are taught that there is nothing."""
    raw = empty_raw(0.0)
    loss(raw, truth([[32.0, 32, 48, 64]], [False]), network).total.backward()
    for head, stride in zip(raw, (8, 16), strict=True):
        taught = head.grad[0].abs().amax((0, 3)) > 0
        cells = np.zeros(taught.shape, bool)
        cells[32 // stride : 48 // stride, 32 // stride : 64 // stride] = True
        np.testing.assert_array_equal(taught.numpy(), ~cells)


def test_smoothing_moves_what_is_asked_for(network):
    """With boxes that fit, objectness is asked to be 1 - smoothing: there the gradient vanishes."""
    known = truth([[20.0, 30, 33, 41]], [True])
    raw = perfect_raw(network, known)
    for head in raw:
        head[..., 4][head[..., 4] > 0] = math.log(0.9 / 0.1)
    raw = [head.requires_grad_() for head in raw]
    loss(raw, known, network, smoothing=0.1).objectness.backward()
    assert max(head.grad[..., 4].abs().max().item() for head in raw) < 1e-5


def test_better_boxes_and_better_belief_lose_less(network):
    known = truth([[20.0, 30, 33, 41], [60, 10, 90, 44]], [True, True])
    worse, better = loss(empty_raw(0.0), known, network), loss(empty_raw(-4.0), known, network)
    assert better.objectness < worse.objectness
    perfect = loss(perfect_raw(network, known), known, network)
    assert perfect.total < better.total
