"""Aspects averaged over some ground: true on planes, those of the smoothed elevation, and the same in any window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from slidecloud.hazard.facing import facing, halo, smoothing_of
from slidecloud.kernels.terrain import slope_aspect

SPACING = (30.0, 30.0)


def hills(shape, seed=3):
    """Rounded hills, m."""
    rng = np.random.default_rng(seed)
    return (500 + 4000 * ndimage.gaussian_filter(rng.normal(size=shape), 8)).astype(np.float32)


@given(st.floats(0, 6.28), st.floats(0.05, 1.0), st.sampled_from([0.0, 20.0, 63.0, 200.0]))
def test_a_plane_faces_the_way_it_falls_up_to_its_border_and_beside_holes(direction, steepness, smoothing):
    y, x = np.mgrid[0:40, 0:50] * 30.0
    height = (5000 - steepness * (np.sin(direction) * x - np.cos(direction) * y)).astype(np.float32)
    height[10:15, 20:30] = np.nan
    found = facing(height, spacing=SPACING, smoothing=smoothing).aspect
    hole = np.isnan(slope_aspect(height, spacing=SPACING).slope)
    assert np.array_equal(np.isnan(found), hole)
    turn = np.angle(np.exp(1j * (found[~hole].astype(float) - direction)))
    # Elevations of float32 are good to 0.5 mm here, over 60 m.
    assert np.abs(turn).max() < 1e-3 / (30.0 * steepness)


def test_aspects_are_those_of_the_smoothed_elevation():
    height, spacing = hills((80, 90)), (20.0, 40.0)
    found = facing(height, spacing=spacing, smoothing=60.0).aspect
    smooth = ndimage.gaussian_filter(height.astype(float), (3.0, 1.5), radius=(9, 5))
    wanted = slope_aspect(smooth, spacing=spacing).aspect
    inside = np.s_[10:-10, 6:-6]
    turn = np.angle(np.exp(1j * (found[inside].astype(float) - wanted[inside])))
    assert np.abs(turn).max() < 1e-4


def test_a_window_with_its_halo_and_strips_hold_the_bits_of_the_whole():
    height = hills((1100, 60))
    height[520:530, 20:31] = np.nan
    whole = facing(height, spacing=SPACING, flat=0.1, smoothing=63.0).aspect
    down, right = halo(SPACING, 63.0)
    for top, bottom, left, right_end in ((0, 40, 0, 25), (500, 560, 11, 40), (1000, 1100, 30, 60)):
        first, before = max(top - down, 0), max(left - right, 0)
        cut = facing(height[first : bottom + down, before : right_end + right], spacing=SPACING, flat=0.1, smoothing=63)
        inside = cut.aspect[top - first : bottom - first, left - before : right_end - before]
        assert np.array_equal(inside, whole[top:bottom, left:right_end], equal_nan=True)


def test_slopes_of_strips_are_those_of_the_whole():
    rng = np.random.default_rng(3)
    height = rng.normal(0, 20, (1100, 5)).astype(np.float32)
    height[600] = 0.0
    found = facing(height, spacing=SPACING, flat=0.4)
    slope, aspect = slope_aspect(height, spacing=SPACING)
    assert np.array_equal(found.aspect, np.where(slope >= 0.4, aspect, np.nan), equal_nan=True)
    assert np.isnan(facing(np.ones((4, 4), np.float32), spacing=SPACING).aspect).all()


@pytest.mark.parametrize("area", [50e3, 1e6])
def test_smoothing_steadies_noise_as_much_as_the_mean_over_the_area(area):
    impulse = np.zeros((201, 201))
    impulse[100, 100] = 1.0
    weight = ndimage.gaussian_filter(impulse, smoothing_of(area) / 30.0)
    assert 900.0 / (weight**2).sum() == pytest.approx(area, rel=1e-3)
