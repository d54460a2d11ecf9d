"""Detections of one landslide are joined across bursts by a spatial index, and names follow from places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.boxes import giou
from slidecloud.kernels.places import EARTH_RADIUS, geohashes, same_slides

METRE = 180.0 / np.pi / EARTH_RADIUS
"""Degrees of latitude in a metre."""


def boxes_at(places, *, size=300.0):
    """Square boxes (south, west, north, east) of a size in metres around (latitude, longitude)."""
    places = np.asarray(places, dtype=float).reshape(-1, 2)
    half = 0.5 * size * METRE * np.stack([np.ones(len(places)), 1 / np.cos(np.radians(places[:, 0]))], axis=1)
    return np.concatenate([places - half, places + half], axis=1)


def partition(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("latitude", [0.0, 31.0, -45.0, 68.0])
@pytest.mark.parametrize("longitude", [100.0, -3.0, 179.999])
def test_centres_within_the_distance_are_one_in_every_direction(latitude, longitude):
    for angle in np.linspace(0, 2 * np.pi, 9):
        for metres, joined in ((480.0, True), (520.0, False)):
            north = metres * np.cos(angle) * METRE
            east = metres * np.sin(angle) * METRE / np.cos(np.radians(latitude))
            both = boxes_at([(latitude, longitude), (latitude + north, longitude + east)])
            assert (len(set(same_slides(both, [0, 1], distance=500.0))) == 1) == joined


def test_finds_of_one_burst_stay_apart_unless_another_bridges_them():
    row = boxes_at([(31.0, 103.0), (31.0 + 400 * METRE, 103.0), (31.0 + 800 * METRE, 103.0)])
    assert len(set(same_slides(row, [0, 0, 0], distance=500.0))) == 3
    assert len(set(same_slides(row, [0, 1, 0], distance=500.0))) == 1


def test_overlap_joins_what_the_distance_does_not():
    big = boxes_at([(31.0, 103.0), (31.0 + 900 * METRE, 103.0)], size=3000.0)
    assert giou(big[:1], big[1:])[0, 0] > 0
    assert len(set(same_slides(big, [0, 1], distance=500.0))) == 1
    assert len(set(same_slides(big, [0, 0], distance=500.0))) == 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 60))
def test_groups_are_those_of_all_pairs_in_any_order(seed, count):
    rng = np.random.default_rng(seed)
    boxes = boxes_at(np.stack([31 + rng.uniform(0, 4000, count) * METRE, 103 + rng.uniform(0, 4000, count) * METRE], 1))
    source = rng.integers(0, 3, count)
    labels = same_slides(boxes, source, distance=500.0)
    order = rng.permutation(count)
    again = same_slides(boxes[order], source[order], distance=500.0)
    np.testing.assert_array_equal(labels[order], again)
    # By hand: joined until nothing changes.
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 / METRE
    apart = np.hypot(
        centre[:, None, 0] - centre[None, :, 0],
        (centre[:, None, 1] - centre[None, :, 1]) * np.cos(np.radians(31.0 + 2000 * METRE)),
    )
    near = ((apart <= 500.0) | (giou(boxes, boxes) > 0)) & (source[:, None] != source[None, :])
    if (np.abs(apart[apart > 0] - 500.0) < 1.0).any():
        return  # a metre is what the flat distance here may be off
    groups = {frozenset([i]) for i in range(count)}
    for i, j in zip(*np.nonzero(near), strict=True):
        one, other = (next(group for group in groups if member in group) for member in (i, j))
        groups = (groups - {one, other}) | {one | other}
    assert partition(labels) == groups


def test_none_is_none_and_nonsense_is_refused():
    assert same_slides(np.zeros((0, 4)), [], distance=500.0).shape == (0,)
    with pytest.raises(ValueError, match="source: found shape"):
        same_slides(boxes_at([(0, 0)]), [1, 2], distance=500.0)
    with pytest.raises(ValueError, match="distance: found -1"):
        same_slides(boxes_at([(0, 0)]), [1], distance=-1.0)


def test_geohashes_of_known_places():
    """The example of the format's author (57.64911, 10.40744), and that of Wikipedia (42.605, -5.603)."""
    assert geohashes([10.40744], [57.64911], length=11) == ["u4pruydqqvj"]
    assert geohashes([-5.603], [42.605], length=5) == ["ezs42"]
    assert geohashes([190.0], [10.0]) == geohashes([-170.0], [10.0])
    assert geohashes([], []) == []
