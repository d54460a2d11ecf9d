"""Anchors are the typical sizes of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.models.anchors import anchors, overlap
from slidecloud.types import DataError


def boxes_of(sizes, random):
    corner = random.uniform(0, 300, (len(sizes), 2))
    return np.concatenate([corner, corner + sizes], 1)


def test_clusters_are_found():
    """Three clouds of sizes far apart, wherever the boxes lie: their middles, smallest first, to the cloud's width."""
    random = np.random.default_rng(0)
    centres = np.array([[8.0, 9.0], [40.0, 12.0], [50.0, 55.0]])
    sizes = np.concatenate([centre * random.uniform(0.95, 1.05, (100, 2)) for centre in centres])
    found = anchors(boxes_of(sizes[random.permutation(300)], random), count=3)
    np.testing.assert_allclose(found, centres, rtol=0.02)


def test_more_anchors_fit_better():
    random = np.random.default_rng(1)
    sizes = random.uniform(6, 60, (500, 2))
    fits = [overlap(sizes, anchors(boxes_of(sizes, random), count=k)).max(1).mean() for k in (1, 3, 6, 9)]
    assert fits == sorted(fits)
    middles = np.array([1, 3, 5]) / 6
    grid = np.stack(np.meshgrid(*np.quantile(sizes, middles, axis=0).T), -1).reshape(-1, 2)
    assert fits[-1] > overlap(sizes, grid).max(1).mean()


def test_the_order_of_boxes_matters_little_and_the_seed_decides():
    random = np.random.default_rng(2)
    boxes = boxes_of(random.uniform(6, 60, (200, 2)), random)
    np.testing.assert_array_equal(anchors(boxes, count=6, seed=3), anchors(boxes, count=6, seed=3))


def test_overlap_by_hand():
    """A 4 x 2 and a 2 x 4 share 2 x 2 of 12."""
    np.testing.assert_allclose(overlap(np.array([[4.0, 2.0]]), np.array([[2.0, 4.0], [4.0, 2.0]])), [[1 / 3, 1]])


@pytest.mark.parametrize("boxes", [np.empty((0, 4)), np.tile([0, 0, 8, 9], (50, 1))])
def test_too_few_sizes_are_refused(boxes):
    with pytest.raises(DataError, match=r"have [01] different sizes; 6 anchors need as many"):
        anchors(boxes, count=6)
