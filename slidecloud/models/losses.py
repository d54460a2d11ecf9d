"""What training makes small: boxes that miss their slides, and wrong belief that there is one."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from slidecloud.models import yolo
from slidecloud.models.assignment import Assigned, Truth, assign

_TINY: Final = 1e-7
_BOX: Final = 3.0
_OBJECTNESS: Final = 1.0
_QUALITY: Final = 0.5


class Loss(NamedTuple):
    """Loss of a batch and its parts, each a scalar.

    Attributes
    ----------
    total
        To be made small.
    box
        Mean of 1 - CIoU over the anchors that answer.
    objectness
        Cross-entropy over all anchors that are asked, per anchor that answers.
    """

    total: Tensor
    box: Tensor
    objectness: Tensor


def loss(raw: list[Tensor], truth: Truth, network: yolo.Yolo, *, smoothing: float = 0.01) -> Loss:
    """Loss of a batch.

    There is one class, so the usual third part, which class it is, is always right and is left out.

    Parameters
    ----------
    raw
        What the network gave, for each head (batch, anchor, y, x, 5).
    truth
        Slides of the batch.
    network
        It: gives anchors and strides.
    smoothing
        Of labels: ``1 - smoothing`` is asked for where there is a slide. Where there is none it stays 0: there are
        thousands of such anchors for each slide, and what they would add to the loss drowns the rest. The label is
        lowered towards half by how badly a box fits, so that the best box of a slide scores highest.
    """
    strides = network.architecture.strides
    shapes = [tuple(found.shape[:4]) for found in raw]
    shares = assign(truth, network.anchors, strides, shapes)
    answering = max(1, sum(len(share.row) for share in shares))
    box, objectness = raw[0].new_zeros(()), raw[0].new_zeros(())
    for found, share, sizes, stride in zip(raw, shares, network.anchors, strides, strict=True):
        fit = _fit(found, share, sizes, stride)
        box = box + (1 - fit).sum()
        objectness = objectness + _belief(found[..., 4], share, fit.detach(), smoothing)
    box, objectness = box / answering, objectness / answering
    return Loss(_BOX * box + _OBJECTNESS * objectness, box, objectness)


def ciou(boxes: Tensor, others: Tensor) -> Tensor:
    """Complete IoU of boxes (n, 4) and others (n, 4), row by row (Zheng et al. 2020), in (-2, 1].

    ``IoU - d^2 / c^2 - alpha v``: d the distance of the centres, c the diagonal of the box around both, v how much
    their shapes differ, ``(2 / pi (atan(w/h) - atan(w'/h')))^2``, and ``alpha = v / (1 - IoU + v)``, which counts as
    constant in the gradient. Finite, gradient included, for boxes without extent.
    """
    top, left = torch.maximum(boxes, others)[:, :2].unbind(1)
    bottom, right = torch.minimum(boxes, others)[:, 2:].unbind(1)
    common = (bottom - top).clamp(min=0) * (right - left).clamp(min=0)
    size, other = boxes[:, 2:] - boxes[:, :2], others[:, 2:] - others[:, :2]
    iou = common / (size.prod(1) + other.prod(1) - common + _TINY)
    around = torch.maximum(boxes, others)[:, 2:] - torch.minimum(boxes, others)[:, :2]
    apart = (boxes[:, :2] + boxes[:, 2:] - others[:, :2] - others[:, 2:]) / 2
    distance = apart.square().sum(1) / (around.square().sum(1) + _TINY)
    angle = torch.atan2(other[:, 1], other[:, 0] + _TINY) - torch.atan2(size[:, 1], size[:, 0] + _TINY)
    shape = (2 / math.pi * angle).square()
    with torch.no_grad():
        alpha = shape / (1 - iou + shape + _TINY)
    return iou - distance - alpha * shape


def _fit(found: Tensor, share: Assigned, sizes: Tensor, stride: int) -> Tensor:
    """CIoU (m,) of the anchors that answer."""
    answers = found[share.image, share.anchor, share.row, share.column]
    cells = torch.stack([share.row, share.column], 1)
    return ciou(yolo.boxes(answers, cells, sizes[share.anchor], stride), share.boxes)


def _belief(objectness: Tensor, share: Assigned, fit: Tensor, smoothing: float) -> Tensor:
    """Sum of the cross-entropy of one head's objectness (batch, anchor, y, x)."""
    objectness = objectness.contiguous()
    label = torch.zeros_like(objectness)
    asked = (~share.unasked).to(objectness.dtype)
    where = (share.image * objectness.shape[1] + share.anchor) * objectness.shape[2] + share.row
    where = where * objectness.shape[3] + share.column
    quality = (1 - smoothing) * (1 - _QUALITY + _QUALITY * fit.clamp(0, 1))
    label.view(-1).scatter_reduce_(0, where, quality, "amax")
    asked.view(-1)[where] = 1
    entropy = functional.binary_cross_entropy_with_logits(objectness, label, reduction="none")
    return (entropy * asked).sum()
