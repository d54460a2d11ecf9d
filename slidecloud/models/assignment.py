"""Which anchor of which cell answers for which slide, and which are not asked."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

RATIO: Final = 3.0
"""An anchor answers for a slide when neither height nor width differ by more than this factor."""

OVERLAP: Final = 0.5
"""An anchor that overlaps a slide by more and does not answer for it is not asked."""


class Truth(NamedTuple):
    """Slides of a batch.

    Attributes
    ----------
    image
        int64 (n,): the tile of the batch that a slide lies in.
    boxes
        float32 (n, 4).
    visible
        bool (n,). False: nothing is asked of the cells of this slide.
    """

    image: Tensor
    boxes: Tensor
    visible: Tensor


class Assigned(NamedTuple):
    """One head's share of the truth.

    Attributes
    ----------
    image, anchor, row, column
        int64 (m,): indices of the anchors that answer.
    boxes
        float32 (m, 4): what each should give.
    unasked
        bool (batch, anchor, y, x): anchors without a loss of objectness. May hold some that answer, which come first.
    """

    image: Tensor
    anchor: Tensor
    row: Tensor
    column: Tensor
    boxes: Tensor
    unasked: Tensor


def assign(truth: Truth, anchors: Tensor, strides: tuple[int, ...], shapes: list[tuple[int, ...]]) -> list[Assigned]:
    """Share the truth among the heads.

    A slide goes to every anchor within `RATIO` and to the one most like it; in each head to the cell of its centre and
    to the nearest neighbour along each axis, which reach it too (`yolo.boxes`).

    Parameters
    ----------
    truth
        Of the batch.
    anchors
        (head, anchor, 2) height and width in pixels.
    strides
        Pixels per cell of each head.
    shapes
        (batch, anchor, y, x) of each head.
    """
    asked = Truth(*(values[truth.visible] for values in truth))
    fits = _fits(asked.boxes, anchors)
    hidden = Truth(*(values[~truth.visible] for values in truth))
    found = []
    for head, (stride, shape) in enumerate(zip(strides, shapes, strict=True)):
        slide, anchor = fits[:, head].nonzero(as_tuple=True)
        slide, anchor, row, column = _cells(asked.boxes / stride, slide, anchor, shape[2:4])
        unasked = _near(asked, anchors[head], stride, shape) | _inside(hidden, stride, shape)[:, None]
        found.append(Assigned(asked.image[slide], anchor, row, column, asked.boxes[slide], unasked))
    return found


def _fits(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Whether an anchor is like a box, (box, head, anchor)."""
    sizes = (boxes[:, 2:] - boxes[:, :2])[:, None]
    flat = anchors.reshape(1, -1, 2)
    ratio = torch.maximum(sizes / flat, flat / sizes).amax(2)
    fits = ratio < RATIO
    common = torch.minimum(sizes, flat).prod(2)
    best = (common / (sizes.prod(2) + flat.prod(2) - common)).argmax(1)
    fits[torch.arange(len(fits), device=fits.device), best] = True
    return fits.view(-1, *anchors.shape[:2])


def _cells(boxes: Tensor, slide: Tensor, anchor: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Each (slide, anchor) three times: cell of the centre, next cell along y, next cell along x; inside the map."""
    centre = (boxes[:, :2] + boxes[:, 2:])[slide] / 2
    last = torch.tensor(shape, device=boxes.device) - 1
    cell = torch.minimum(centre.floor().long().clamp(min=0), last)
    step = torch.where(centre - cell < 0.5, -1, 1)
    none = torch.zeros_like(step[:, 0])
    moves = torch.stack(
        [torch.zeros_like(step), torch.stack([step[:, 0], none], 1), torch.stack([none, step[:, 1]], 1)]
    )
    cells = (cell + moves).reshape(-1, 2)
    inside = ((cells >= 0) & (cells <= last)).all(1)
    row, column = cells[inside].unbind(1)
    return slide.repeat(3)[inside], anchor.repeat(3)[inside], row, column


def _near(truth: Truth, sizes: Tensor, stride: int, shape: tuple[int, ...]) -> Tensor:
    """Anchors in the middle of their cells that overlap a slide by more than `OVERLAP`, (batch, anchor, y, x)."""
    rows, columns = _centres(shape, stride, truth.boxes.device)
    half = sizes[None, :, None, :] / 2
    top, left, bottom, right = truth.boxes[:, :, None, None].unbind(1)
    height = torch.minimum(bottom, rows + half[..., 0]) - torch.maximum(top, rows - half[..., 0])
    width = torch.minimum(right, columns + half[..., 1]) - torch.maximum(left, columns - half[..., 1])
    common = height.clamp(min=0)[..., :, None] * width.clamp(min=0)[..., None, :]
    areas = ((bottom - top) * (right - left))[..., None] + sizes.prod(1)[None, :, None, None]
    # IoU > t, without the division: common > t (areas - common)
    return _any(truth.image, (1 + OVERLAP) * common > OVERLAP * areas, shape)


def _inside(truth: Truth, stride: int, shape: tuple[int, ...]) -> Tensor:
    """Cells that touch a slide, (batch, y, x)."""
    rows, columns = _centres(shape, stride, truth.boxes.device)
    top, left, bottom, right = truth.boxes[:, :, None].unbind(1)
    within_rows = (rows + stride / 2 > top) & (rows - stride / 2 < bottom)
    within_columns = (columns + stride / 2 > left) & (columns - stride / 2 < right)
    return _any(truth.image, within_rows[:, :, None] & within_columns[:, None, :], (shape[0], *shape[2:4]))


def _centres(shape: tuple[int, ...], stride: int, device: torch.device) -> tuple[Tensor, Tensor]:
    rows, columns = ((torch.arange(size, device=device) + 0.5) * stride for size in shape[2:4])
    return rows, columns


def _any(image: Tensor, marks: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Marks (slide, ...) of each image joined, (batch, ...)."""
    counts = torch.zeros(shape[0], *marks.shape[1:], device=marks.device)
    return counts.index_add_(0, image, marks.to(counts.dtype)) > 0
