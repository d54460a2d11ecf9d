"""Outlines of whole scenes: exact whatever the tiles, valid, and smoothed without crossing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from slidecloud.optical.outlines import join, smoothed
from slidecloud.optical.pieces import find_pieces

UNKNOWN = 255
VALUES = np.arange(256) * 7


def outlines(levels, height, width, *, leave_out=()):
    """Outlines of a map that is cut into tiles of so many rows and columns."""
    tiles = [
        find_pieces(
            levels[top : top + height, left : left + width], origin=(top, left), least=128, unknown=UNKNOWN,
            values=VALUES,
        )
        for top in range(0, levels.shape[0], height)
        for left in range(0, levels.shape[1], width)
        if (top, left) not in leave_out
    ]  # fmt: skip
    return join(tiles)


def clouds(seed, shape=(41, 53), blur=1.0):
    """Levels of smooth noise, with ground of which nothing is known."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), blur)
    levels = (254 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    levels[5:9, 20:30] = UNKNOWN
    return levels


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 60), st.integers(3, 60), st.floats(0.0, 2.0))
def test_no_tiling_shows(seed, height, width, blur):
    levels = clouds(seed, blur=blur)
    shapes, figures = outlines(levels, *levels.shape)
    cut, counted = outlines(levels, height, width)
    assert (shapely.to_wkb(cut) == shapely.to_wkb(shapes)).all()
    for one, other in zip(counted, figures, strict=True):
        np.testing.assert_array_equal(one, other)
    labels, count = ndimage.label((levels >= 128) & (levels != UNKNOWN))
    index = np.arange(1, count + 1)
    np.testing.assert_array_equal(figures.pixels, np.bincount(labels.ravel(), minlength=count + 1)[1:])
    np.testing.assert_array_equal(figures.level_sum, ndimage.sum_labels(levels.astype(np.int64), labels, index))
    np.testing.assert_array_equal(figures.value_sum, 7 * figures.level_sum)
    np.testing.assert_array_equal(figures.peak, ndimage.maximum(levels, labels, index))
    beside = ndimage.binary_dilation(np.pad(levels == UNKNOWN, 1, constant_values=True))[1:-1, 1:-1]
    np.testing.assert_array_equal(figures.open, ndimage.maximum(beside, labels, index))
    assert shapely.is_valid(shapes).all()
    np.testing.assert_array_equal(shapely.area(shapes), figures.pixels)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 2.0), st.floats(0.5, 4.0))
def test_smoothed_outlines_are_valid_and_cross_nothing(seed, blur, tolerance):
    shapes, _ = outlines(clouds(seed, blur=blur), 41, 53)
    smooth = smoothed(shapes, tolerance)
    assert shapely.is_valid(smooth).all()
    assert not shapely.is_empty(smooth).any()
    np.testing.assert_array_equal(shapely.get_num_interior_rings(smooth), shapely.get_num_interior_rings(shapes))
    one, other = shapely.STRtree(smooth).query(smooth, predicate="intersects")
    apart = one < other
    common = shapely.area(shapely.intersection(smooth[one[apart]], smooth[other[apart]]))
    np.testing.assert_array_equal(common, 0.0)


def test_corners_alone_join_nothing_and_a_missing_tile_ends_outlines_open():
    levels = np.zeros((8, 12), np.uint8)
    levels[1:3, 1:3] = levels[3:5, 3:5] = 200
    levels[6, 2:11] = 254
    shapes, figures = outlines(levels, 8, 12)
    assert figures.pixels.tolist() == [4, 4, 9]
    assert figures.peak.tolist() == [200, 200, 254]
    assert not figures.open.any()
    shapes, figures = outlines(levels, 8, 6, leave_out={(0, 6)})
    assert figures.pixels.tolist() == [4, 4, 4]
    assert figures.open.tolist() == [False, False, True]
    assert shapes[2].equals(shapely.box(2, 6, 6, 7))


def test_small_pieces_that_are_whole_are_left_out():
    levels = np.zeros((6, 8), np.uint8)
    levels[1, 1] = levels[3, 3:5] = 200
    found = find_pieces(levels, origin=(0, 0), least=128, unknown=UNKNOWN, values=VALUES, least_pixels=2)
    assert found.figures.pixels.tolist() == [2]
    levels[5, 0] = 200  # may go on in the next tile
    found = find_pieces(levels, origin=(0, 0), least=128, unknown=UNKNOWN, values=VALUES, least_pixels=2)
    assert found.figures.pixels.tolist() == [2, 1]


def test_stairs_become_a_line():
    levels = np.zeros((40, 40), np.uint8)
    levels[np.tril_indices(40)] = 200
    shapes, _ = outlines(levels, 16, 16)
    (smooth,) = smoothed(shapes, 1.0)
    assert shapely.get_num_coordinates(shapes[0]) > 80
    assert shapely.get_num_coordinates(smooth) < 10
    assert smooth.area == pytest.approx(shapes[0].area, rel=0.03)


def test_nothing_gives_nothing():
    shapes, figures = outlines(np.zeros((4, 5), np.uint8), 4, 5)
    assert len(shapes) == len(figures.pixels) == len(smoothed(shapes, 1.0)) == 0
    shapes, figures = join([])
    assert len(shapes) == len(figures.open) == 0
