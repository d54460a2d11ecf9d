"""Boxes that show one thing: seen along both axes, in several seasons, bursts or tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slidecloud.kernels.boxes import index, pair_giou
from slidecloud.types import Float64


def connected(pairs: NDArray[np.intp], boxes: Float64) -> NDArray[np.int64]:
    """Groups of checked boxes joined by pairs (k, 2) of indices, numbered by the groups' first boxes."""
    one, other = pairs.T
    links = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(boxes),) * 2)
    _, labels = connected_components(links, directed=False)
    return _by_geometry(labels, boxes)


def overlapping(boxes: Float64) -> NDArray[np.intp]:
    """Pairs (k, 2) with generalised overlap above 0; such boxes intersect."""
    tree, shapes = index(boxes)
    one, other = tree.query(shapes, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    joined = pair_giou(boxes[one], boxes[other]) > 0
    return np.stack([one[joined], other[joined]], axis=1)


def _by_geometry(labels: NDArray[np.int32], boxes: Float64) -> NDArray[np.int64]:
    order = np.lexsort(boxes.T[::-1])
    _, first, inverse = np.unique(labels[order], return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    result = np.empty(len(labels), dtype=np.int64)
    result[order] = number[inverse]
    return result
