"""Boxes of detections: how much two of them overlap, and which to keep where several show one thing.

Boxes are (n, 4) = (top, left, bottom, right), half-open: a pixel (i, j) covers [i, i + 1) x [j, j + 1). Any unit does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32, Float64

_BATCH: Final = 4096


class Detections(NamedTuple):
    """Boxes found, best first.

    Attributes
    ----------
    boxes
        float32 (n, 4): top, left, bottom, right in pixels, half-open.
    scores
        float32 (n,), falling, in [0, 1].
    """

    boxes: Float32
    scores: Float32

    @classmethod
    def of(cls, boxes: ArrayLike, scores: ArrayLike) -> Detections:
        """Detections from boxes and scores in any order; equal scores are ordered by geometry."""
        box, score = as_boxes(boxes, "boxes"), np.asarray(scores, dtype=np.float64)
        order = rank(box, score)
        return cls(box[order].astype(np.float32), score[order].astype(np.float32))


def as_boxes(boxes: ArrayLike, name: str) -> Float64:
    """Boxes as float64 (n, 4).

    Raises
    ------
    ValueError
        If they have another shape, are not finite, or end before they begin; names `name`.
    """
    result = np.asarray(boxes, dtype=np.float64)
    if result.size == 0:
        result = result.reshape(0, 4)
    if result.ndim != 2 or result.shape[1] != 4:
        raise ValueError(f"{name}: found shape {result.shape}, expected (n, 4) = (top, left, bottom, right)")
    wrong = ~np.isfinite(result).all(1) | (result[:, 2:] < result[:, :2]).any(1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"{name}: found {result[first].tolist()} at index {first}, expected finite (top, left, bottom, right) "
            "with bottom >= top and right >= left"
        )
    return result


def rank(boxes: Float64, scores: ArrayLike) -> NDArray[np.intp]:
    """Indices (n,) by falling score; equal scores by top, left, bottom, right, so that input order does not show.

    Raises
    ------
    ValueError
        If scores are not one for each box, or one is NaN.
    """
    score = np.asarray(scores, dtype=np.float64)
    if score.shape != boxes.shape[:1]:
        raise ValueError(f"scores: found shape {score.shape}, expected one for each of {len(boxes)} boxes")
    if np.isnan(score).any():
        raise ValueError(f"scores: found NaN at index {int(np.argmax(np.isnan(score)))}, expected numbers")
    top, left, bottom, right = boxes.T
    order: NDArray[np.intp] = np.lexsort((right, bottom, left, top, -score))
    return order


def area(boxes: ArrayLike) -> Float64:
    """Area (n,), unit of the boxes squared."""
    box = as_boxes(boxes, "boxes")
    return _area(box)


def iou(a: ArrayLike, b: ArrayLike) -> Float64:
    """Intersection over union of each box of `a` with each of `b`, float64 (n, m) in [0, 1]; 0 for two empty boxes."""
    first, second = as_boxes(a, "a"), as_boxes(b, "b")
    return pair_iou(first[:, None], second[None])


def giou(a: ArrayLike, b: ArrayLike) -> Float64:
    """Generalised intersection over union, float64 (n, m) in [-1, 1].

    The overlap less the share of the smallest box around both that neither covers (Rezatofighi et al., CVPR 2019):
    never above `iou`, below 0 for boxes that lie apart.
    """
    first, second = as_boxes(a, "a"), as_boxes(b, "b")
    return pair_giou(first[:, None], second[None])


def pair_iou(a: Float64, b: Float64) -> Float64:
    """Overlap of boxes (..., 4) with their partners (..., 4), already checked."""
    shared, union, _ = _sizes(a, b)
    return _share(shared, union)


def pair_giou(a: Float64, b: Float64) -> Float64:
    """Generalised overlap of boxes (..., 4) with their partners (..., 4), already checked."""
    shared, union, hull = _sizes(a, b)
    return _share(shared, union) - _share(hull - union, hull)


def pair_share(a: Float64, b: Float64) -> Float64:
    """Intersection of boxes (..., 4) with their partners (..., 4) over the area of the smaller one, already checked."""
    shared, _, _ = _sizes(a, b)
    return _share(shared, np.minimum(_area(a), _area(b)))


def suppress(boxes: ArrayLike, scores: ArrayLike, *, iou: float = 0.45) -> NDArray[np.intp]:
    """Indices of the boxes to keep, best first: a box goes when it overlaps a better one that stays.

    Parameters
    ----------
    boxes
        (n, 4).
    scores
        (n,), larger is better. Equal scores are ranked by geometry, so the boxes kept do not depend on input order.
    iou
        A box goes when its intersection over union with a better one exceeds this, in [0, 1].

    Raises
    ------
    ValueError
        If boxes, scores or `iou` are not as described.

    Notes
    -----
    Overlaps come from a tree of the boxes, for some thousand boxes still alive at a time, so time and memory grow with
    the number of overlaps of the best boxes and not with the square of the number of boxes.
    """
    if not 0.0 <= iou <= 1.0:
        raise ValueError(f"iou: found {iou}, expected a number from 0 to 1")
    return keep_best(as_boxes(boxes, "boxes"), scores, lambda one, other: pair_iou(one, other) > iou)


def keep_best(
    boxes: Float64, scores: ArrayLike, alike: Callable[[Float64, Float64], NDArray[np.bool_]]
) -> NDArray[np.intp]:
    """Indices of checked boxes of which no better one that stays is `alike`, best first.

    `alike` is asked for pairs (k, 4), (k, 4) of boxes that touch.
    """
    order = rank(boxes, scores)
    ranked = boxes[order]
    tree, shapes = index(ranked)
    alive = np.ones(len(ranked), dtype=bool)
    start = 0
    while start < len(ranked):
        here = start + np.flatnonzero(alive[start:])[:_BATCH]
        if not here.size:
            break
        better, worse = tree.query(shapes[here], predicate="intersects")
        better = here[better]
        after = (worse > better) & alive[worse]
        better, worse = better[after], worse[after]
        over = alike(ranked[better], ranked[worse])
        _strike(alive, better[over], worse[over])
        start = int(here[-1]) + 1
    return order[alive]


def index(boxes: Float64) -> tuple[Any, NDArray[np.object_]]:
    """A shapely STRtree of checked boxes, and their shapes to query it with."""
    import shapely

    top, left, bottom, right = boxes.T
    shapes = np.asarray(shapely.box(left, top, right, bottom), dtype=object)
    return shapely.STRtree(shapes), shapes


def _strike(alive: NDArray[np.bool_], better: NDArray[np.intp], worse: NDArray[np.intp]) -> None:
    """Take out what overlaps a better box that is itself alive; pairs in any order, indices by falling score."""
    order = np.argsort(better, kind="stable")
    better, worse = better[order], worse[order]
    heads, starts = np.unique(better, return_index=True)
    for head, others in zip(heads, np.split(worse, starts[1:]), strict=True) if heads.size else ():
        if alive[head]:
            alive[others] = False


def _area(boxes: Float64) -> Float64:
    size: Float64 = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return size


def _sizes(a: Float64, b: Float64) -> tuple[Float64, Float64, Float64]:
    """Areas of the intersection, the union and the smallest box around both."""
    inner = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    outer = np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])
    shared = np.maximum(inner, 0).prod(-1)
    hull = outer.prod(-1)
    union = _area(a) + _area(b) - shared
    return shared, union, np.maximum(hull, union)


def _share(part: Float64, whole: Float64) -> Float64:
    share: Float64 = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.minimum(share, 1.0)
