"""Boxes that show one thing: seen along both axes, in several seasons, bursts or tracks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from slidecloud.kernels.boxes import as_boxes, index, pair_giou
from slidecloud.types import Float64


def group(boxes: ArrayLike, *, distance: float, reach: float = math.inf) -> NDArray[np.int64]:
    """Groups of boxes joined by generalised overlap above 0 or by centres that lie close (Fu et al. 2022).

    Joined pairs chain: two boxes share a group when a row of joined boxes leads from one to the other.

    Parameters
    ----------
    boxes
        (n, 4), any unit.
    distance
        Boxes whose centres lie at most this far apart are joined, unit of the boxes.
    reach
        Boxes whose centres lie further apart than this are never joined directly, however much they overlap: keeps one
        huge box from drawing in all that lies around it. Unit of the boxes, at least `distance`.

    Returns
    -------
    int64 (n,)
        Number of each box's group, 0, 1, ... in the order of the groups' first boxes by top, left, bottom, right: the
        same for any order of the input.

    Raises
    ------
    ValueError
        If boxes are malformed, or `distance` is negative or above `reach`.
    """
    given = as_boxes(boxes, "boxes")
    if not 0.0 <= distance <= reach:
        raise ValueError(f"distance, reach: found {distance} and {reach}, expected 0 <= distance <= reach")
    if not len(given):
        return np.zeros(0, dtype=np.int64)
    near = cKDTree(_centres(given)).query_pairs(distance, output_type="ndarray")
    return connected(np.concatenate([near, overlapping(given, reach)]), given)


def connected(pairs: NDArray[np.intp], boxes: Float64) -> NDArray[np.int64]:
    """Groups of checked boxes joined by pairs (k, 2) of their indices, numbered as `group` does."""
    one, other = pairs.T
    links = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(boxes),) * 2)
    _, labels = connected_components(links, directed=False)
    return _by_geometry(labels, boxes)


def _centres(boxes: Float64) -> Float64:
    middle: Float64 = (boxes[:, :2] + boxes[:, 2:]) / 2
    return middle


def overlapping(boxes: Float64, reach: float = math.inf) -> NDArray[np.intp]:
    """Pairs (k, 2) with generalised overlap above 0 and centres within reach; such boxes intersect."""
    tree, shapes = index(boxes)
    one, other = tree.query(shapes, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    apart = np.hypot(*(_centres(boxes)[one] - _centres(boxes)[other]).T)
    joined = (pair_giou(boxes[one], boxes[other]) > 0) & (apart <= reach)
    return np.stack([one[joined], other[joined]], axis=1)


def _by_geometry(labels: NDArray[np.int32], boxes: Float64) -> NDArray[np.int64]:
    order = np.lexsort(boxes.T[::-1])
    _, first, inverse = np.unique(labels[order], return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    result = np.empty(len(labels), dtype=np.int64)
    result[order] = number[inverse]
    return result
