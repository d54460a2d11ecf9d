"""Curvature and relief on surfaces whose answer is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.curvature import curvature, relief
from slidecloud.kernels.terrain import slope_aspect

STEP = (20.0, 30.0)


def places(shape, spacing=STEP):
    """East and north of pixel centres, m from the centre of the grid."""
    row, column = np.indices(shape, dtype=float)
    return (column - shape[1] // 2) * spacing[1], (shape[0] // 2 - row) * spacing[0]


@settings(deadline=None, max_examples=40)
@given(*[st.floats(-0.9, 0.9)] * 2, *[st.floats(-2e-3, 2e-3)] * 3)
def test_quadratic_surfaces_are_exact(p, q, r, s, t):
    x, y = places((5, 5))
    ground = 700 + p * x + q * y + r * x * x / 2 + s * x * y + t * y * y / 2
    found = curvature(ground, spacing=STEP)
    steep = p * p + q * q
    if steep < 1e-4:
        return
    across = -(q * q * r - 2 * p * q * s + p * p * t)
    np.testing.assert_allclose(
        found.profile[2, 2], -(p * p * r + 2 * p * q * s + q * q * t) / (steep * (1 + steep) ** 1.5), atol=2e-8
    )
    np.testing.assert_allclose(found.tangential[2, 2], across / (steep * np.sqrt(1 + steep)), atol=2e-8)
    np.testing.assert_allclose(found.plan[2, 2], across / steep**1.5, rtol=1e-4, atol=1e-7)


def test_a_cone_has_the_curvature_of_its_circles_and_straight_flanks():
    x, y = places((201, 201), (5.0, 5.0))
    radius = np.hypot(x, y)
    found = curvature(2000 - 0.5 * radius, spacing=(5.0, 5.0))
    ring = (radius > 300) & (radius < 450)
    np.testing.assert_allclose(found.plan[ring], 1 / radius[ring], rtol=2e-3)
    np.testing.assert_allclose(found.profile[ring], 0, atol=2e-6)
    slope = slope_aspect(2000 - 0.5 * radius, spacing=(5.0, 5.0)).slope
    np.testing.assert_allclose(found.tangential[ring], found.plan[ring] * np.sin(slope[ring]), rtol=1e-4)


def test_a_ball_is_equally_curved_along_and_across_the_slope():
    x, y = places((101, 101), (10.0, 10.0))
    size = 2000.0
    found = curvature(np.sqrt(size**2 - x * x - y * y), spacing=(10.0, 10.0))
    away = (np.hypot(x, y) > 50) & np.isfinite(found.plan)
    np.testing.assert_allclose(found.profile[away], 1 / size, rtol=2e-3)
    np.testing.assert_allclose(found.tangential[away], 1 / size, rtol=2e-3)
    hollow = curvature(-np.sqrt(size**2 - x * x - y * y), spacing=(10.0, 10.0))
    np.testing.assert_array_equal(hollow.profile, -found.profile)


def test_level_ground_is_zero_and_holes_and_borders_are_nan():
    ground = np.full((8, 9), 5.0)
    ground[3, 4] = np.nan
    expected = np.ones((8, 9), dtype=bool)
    expected[1:-1, 1:-1] = False
    expected[2:5, 3:6] = True
    for values in curvature(ground, spacing=STEP):
        assert values.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(values), expected)
        assert np.all(values[~expected] == 0)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 15), st.integers(1, 15), st.integers(0, 3), st.integers(0, 4))
def test_tiles_with_a_halo_give_the_same_bits(height, width, down, across):
    rng = np.random.default_rng(11)
    ground = rng.normal(size=(16, 17)).cumsum(0).cumsum(1)
    ground[5, 6] = np.nan
    whole = (*curvature(ground, spacing=STEP), relief(ground, reach=(down, across)))
    halo = max(down, across, 1)
    for top in range(0, 16, height):
        for left in range(0, 17, width):
            rows, columns = slice(top, min(top + height, 16)), slice(left, min(left + width, 17))
            first, start = max(top - halo, 0), max(left - halo, 0)
            piece = ground[first : rows.stop + halo, start : columns.stop + halo]
            inside = slice(top - first, rows.stop - first), slice(left - start, columns.stop - start)
            parts = (*curvature(piece, spacing=STEP), relief(piece, reach=(down, across)))
            for one, part in zip(whole, parts, strict=True):
                np.testing.assert_array_equal(part[inside], one[rows, columns])


def test_relief_is_highest_less_lowest_of_the_ground_that_is_known():
    rng = np.random.default_rng(3)
    ground = rng.uniform(0, 900, (12, 10))
    ground[4:7, 3] = np.nan
    found = relief(ground, reach=(2, 1))
    assert found.dtype == np.float32
    for row in range(12):
        for column in range(10):
            around = ground[max(row - 2, 0) : row + 3, max(column - 1, 0) : column + 2]
            known = np.isfinite(ground[row, column])
            expected = np.nanmax(around) - np.nanmin(around) if known else np.nan
            np.testing.assert_array_equal(found[row, column], np.float32(expected))


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0)])
def test_bad_input_is_named(spacing):
    with pytest.raises(ValueError, match="spacing: found"):
        curvature(np.zeros((3, 3)), spacing=spacing)
    with pytest.raises(ValueError, match="expected \\(y, x\\)"):
        curvature(np.zeros(3), spacing=STEP)
    with pytest.raises(ValueError, match="reach: found"):
        relief(np.zeros((3, 3)), reach=(1, -1))
