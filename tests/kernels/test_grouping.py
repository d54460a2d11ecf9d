"""Groups of boxes: the published rule, by every pair and by the index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slidecloud.kernels.boxes import giou
from slidecloud.kernels.grouping import group


@st.composite
def boxes(draw):
    values = draw(arrays(np.int64, (draw(st.integers(0, 14)), 4), elements=st.integers(0, 120)))
    return np.concatenate([values[:, :2], values[:, :2] + values[:, 2:] // 6], axis=1) / 4


def _every_pair(found, distance, reach):
    """Groups as sets, by looking at all pairs again and again."""
    middle = (found[:, :2] + found[:, 2:]) / 2
    apart = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1))
    joined = ((giou(found, found) > 0) & (apart <= reach)) | (apart <= distance)
    label = np.arange(len(found))
    for _ in range(len(found)):
        for a, b in zip(*np.nonzero(joined), strict=True):
            label[a] = label[b] = min(label[a], label[b])
    return {frozenset(np.flatnonzero(label == k)) for k in label}


@given(boxes(), st.sampled_from([0.0, 1.0, 4.0]), st.sampled_from([5.0, np.inf]))
def test_groups_are_those_of_every_pair(found, distance, reach):
    labels = group(found, distance=distance, reach=reach)
    assert {frozenset(np.flatnonzero(labels == k)) for k in labels} == _every_pair(found, distance, reach)


@given(boxes(), st.randoms(use_true_random=False))
def test_order_does_not_show(found, random):
    shuffled = np.array(random.sample(range(len(found)), len(found)), dtype=int)
    np.testing.assert_array_equal(
        group(found[shuffled], distance=2.0), group(found, distance=2.0)[shuffled] if len(found) else []
    )


def test_known_groups():
    """A chain of overlaps, a neighbour joined by distance alone, and one left alone."""
    found = [[0, 0, 4, 4], [1, 1, 5, 5], [2, 2, 6, 6], [20, 20, 21, 21], [20, 23, 21, 24], [40, 40, 41, 41]]
    np.testing.assert_array_equal(group(found, distance=3.0), [0, 0, 0, 1, 1, 2])
    np.testing.assert_array_equal(group(found, distance=2.9), [0, 0, 0, 1, 2, 3])


def test_reach_keeps_a_huge_box_from_joining_what_it_holds():
    found = [[0, 0, 100, 100], [2, 2, 22, 22], [80, 80, 98, 98]]
    assert len(set(group(found, distance=1.0))) == 1
    np.testing.assert_array_equal(group(found, distance=1.0, reach=30.0), [0, 1, 2])


def test_distances_are_checked():
    with pytest.raises(ValueError, match=r"distance, reach: found 3\.0 and 2\.0"):
        group([[0, 0, 1, 1]], distance=3.0, reach=2.0)
