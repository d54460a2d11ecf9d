"""Figures of units agree with those of their cells taken one unit at a time, and outlines with the cells inside."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rasterio.features import rasterize
from rasterio.transform import Affine

from slidecloud.hazard.unit_polygons import polygons
from slidecloud.hazard.zonal import circular, continuous, majority, span
from slidecloud.kernels.slope_units import patches
from slidecloud.types import Grid

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
LABELS = arrays.arrays(np.int32, SHAPES, elements=st.integers(-1, 3))


@given(LABELS, st.integers(0, 2**31), st.sampled_from([0.0, 1e5]))
def test_mean_and_spread_are_those_of_the_cells(unit, seed, height):
    rng = np.random.default_rng(seed)
    values = (height + rng.normal(0, 1, unit.shape)).astype(np.float32)
    values[rng.random(unit.shape) < 0.2] = np.nan
    found, high = continuous(unit, values, 4), span(unit, values, 4)
    for one in range(4):
        own = values[(unit == one) & np.isfinite(values)].astype(float)
        assert np.isnan(found.mean[one]) == np.isnan(high[one]) == (own.size == 0)
        if own.size:
            assert found.mean[one] == pytest.approx(own.mean(), abs=1e-9 * max(height, 1))
            assert high[one] == np.ptp(values[(unit == one) & np.isfinite(values)])
            assert found.std[one] == pytest.approx(own.std(), abs=1e-9)


def test_figures_are_the_same_bits_in_any_window():
    rng = np.random.default_rng(7)
    unit = np.full((40, 50), -1, np.int32)
    unit[10:30, 12:35] = rng.integers(0, 5, (20, 23))
    values = rng.normal(1e4, 3e3, unit.shape).astype(np.float32)
    window = np.s_[8:33, 11:36]
    for figures in (continuous, circular):
        whole, part = figures(unit, values, 5), figures(unit[window], values[window], 5)
        assert np.array_equal(whole.mean, part.mean)
        assert np.array_equal(whole.std, part.std)


def test_directions_about_north_average_to_north():
    unit = np.array([[0, 0, 1, 1, 2, 2, 3]], np.int32)
    angle = np.radians([[350, 10, 80, 100, 0, 180, np.nan]]).astype(np.float32)
    found = circular(unit, angle, 4)
    assert np.exp(1j * found.mean[:2]) == pytest.approx([1, 1j], abs=1e-6)
    assert np.isnan(found.mean[2:]).all()
    assert found.std[0] == pytest.approx(np.sqrt(-2 * np.log(np.cos(np.radians(10)))), abs=1e-6)
    assert np.isnan(found.std[3])


@given(LABELS, st.data())
def test_the_majority_is_the_smallest_of_the_most_frequent(unit, data):
    category = data.draw(arrays.arrays(np.int16, unit.shape, elements=st.integers(-1, 4)))
    found = majority(unit, category, 4)
    for one in range(4):
        own = category[(unit == one) & (category >= 0)]
        assert found[one] == (np.argmax(np.bincount(own)) if own.size else -1)


@settings(deadline=None)
@given(LABELS)
def test_outlines_hold_exactly_their_cells(label):
    unit = patches(label, np.where(label >= 0, 0, -1).astype(np.int32)).label
    count = unit.max() + 1
    grid = Grid("EPSG:32645", 700000.0, 3000000.0, 30.0, -30.0, 100, 100)
    found = polygons(unit, count, grid, origin=(5, 7))
    place = Affine(30.0, 0.0, 700000.0 + 7 * 30, 0.0, -30.0, 3000000.0 - 5 * 30)
    assert shapely.is_valid(found).all()
    assert shapely.area(found).tolist() == (900.0 * np.bincount(unit[unit >= 0], minlength=count)).tolist()
    if count:
        drawn = rasterize(zip(found, range(count), strict=True), unit.shape, fill=-1, transform=place, dtype="int32")
        assert np.array_equal(drawn, unit)


def test_a_unit_in_two_pieces_has_no_outline():
    grid = Grid("EPSG:32645", 0.0, 0.0, 30.0, -30.0, 1, 3)
    with pytest.raises(ValueError, match="several pieces"):
        polygons(np.array([[0, 1, 0]], np.int32), 2, grid, origin=(0, 0))
    with pytest.raises(ValueError, match="no cell"):
        polygons(np.array([[0, 2, 2]], np.int32), 3, grid, origin=(0, 0))
