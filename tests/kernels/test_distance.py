"""Distances to lines and points: against brute force, known answers, and any tiling."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from slidecloud.kernels.distance import distance


def axes(rows, columns, step=30.0, left=400_000.0, top=3_300_000.0):
    return left + step * (np.arange(columns) + 0.5), top - step * (np.arange(rows) + 0.5)


def scattered(count, seed, extent):
    """Segments of about 200 m, points among them."""
    rng = np.random.default_rng(seed)
    ends = rng.uniform([extent[0], extent[1]], [extent[2], extent[3]], (count, 2))
    other = ends + rng.normal(0, 200, (count, 2)) * (rng.random((count, 1)) < 0.8)
    return np.hstack([ends, other])


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.integers(0, 1000), st.floats(-20_000, 20_000))
def test_it_is_the_distance_of_the_geometries(count, seed, away):
    x, y = axes(33, 21)
    lines = scattered(count, seed, (x[0] + away, y[-1] - 300, x[-1] + away, y[0] + 300))
    every = shapely.linestrings(lines.reshape(-1, 2, 2))
    centres = shapely.points(*np.meshgrid(x, y))
    expected = shapely.distance(centres[..., None], every).min(axis=-1)
    found = distance(x, y, lines)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


def test_to_pixel_centres_it_is_the_exact_transform():
    rng = np.random.default_rng(5)
    feature = rng.random((150, 170)) < 0.002
    x, y = axes(150, 170, step=10.0)
    row, column = np.nonzero(feature)
    points = np.column_stack([x[column], y[row], x[column], y[row]])
    np.testing.assert_allclose(distance(x, y, points), 10 * distance_transform_edt(~feature), rtol=1e-6)


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 90), st.integers(1, 110), st.integers(0, 99))
def test_any_tiling_gives_the_same_bits(height, width, seed):
    x, y = axes(90, 110)
    lines = scattered(60, seed, (x[0] - 2000, y[-1] - 2000, x[-1] + 2000, y[0] + 2000))
    whole = distance(x, y, lines)
    tiled = np.empty_like(whole)
    for top in range(0, 90, height):
        for left in range(0, 110, width):
            rows, columns = slice(top, top + height), slice(left, left + width)
            tiled[rows, columns] = distance(x[columns], y[rows], lines[::-1])
    np.testing.assert_array_equal(tiled, whole)


def test_large_maps_are_made_of_blocks_that_do_not_show():
    x, y = axes(530, 600)
    lines = scattered(50, 4, (x[0], y[-1], x[-1], y[0]))
    pieces = [distance(x, y[first:last], lines) for first, last in ((0, 100), (100, 515), (515, 530))]
    np.testing.assert_array_equal(distance(x, y, lines), np.concatenate(pieces))


def test_beside_a_straight_line_it_is_the_offset_and_beyond_its_end_the_way_to_it():
    found = distance([0.0, 50.0, 130.0], [40.0, 0.0], [[0.0, 0.0, 100.0, 0.0]])
    np.testing.assert_array_equal(found, np.float32([[40, 40, 50], [0, 0, 30]]))


def test_without_features_it_is_unknown():
    assert np.isnan(distance([0.0, 1.0], [0.0], np.empty((0, 4)))).all()
    assert distance([], [0.0], [[0.0, 0.0, 1.0, 1.0]]).shape == (1, 0)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"expected \(columns,\), \(rows,\)"):
        distance([0.0], [0.0], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="not finite"):
        distance([0.0], [0.0], [[1.0, 2.0, np.inf, 1.0]])
