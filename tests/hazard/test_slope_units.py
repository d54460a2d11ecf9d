"""Slope units: every cell in one, connected, facing one way, and the same from whichever window they are cut."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from scipy import ndimage

from slidecloud import simulate
from slidecloud.hazard.facing import Facing, facing
from slidecloud.hazard.flow import Flow, flow
from slidecloud.hazard.slope_units import basins, limits, slope_units
from slidecloud.kernels.slope_units import patches
from slidecloud.kernels.terrain import slope_aspect

SPACING = (30.0, 30.0)
PUBLISHED = 2500e6 / 10426
"""m2 of a unit of the published map."""


def ground(seed, shape):
    height = simulate.terrain.fractal_mountains(
        seed, shape=shape, spacing=SPACING, mean_slope=np.radians(25), lowest=300.0
    )
    return height, flow(height, spacing=SPACING), facing(height, spacing=SPACING)


def usual(cell=900.0, **changes):
    settings = {"first_stream": 5e6, "reduction": 2.0, "least_area": 50e3, "largest_area": 1e6, "spread": 0.3}
    return limits(cell, **{**settings, **changes})


def spread_of(aspect, known):
    return 1 - abs(np.exp(1j * aspect[known].astype(float)).mean()) if known.any() else 0.0


def check(units, height, slopes, asked):
    """Everything that is promised of units; returns their cells."""
    assert ((units < 0) == np.isnan(height)).all()
    whole = patches(units, np.zeros(units.shape, np.int32))
    count = units.max() + 1
    assert np.array_equal(whole.label, units), "a unit is in two pieces, or the numbers are not in order"
    cells = np.bincount(units[units >= 0], minlength=count)
    assert (cells > 0).all()
    assert cells.max() <= asked.largest
    for one, place in enumerate(ndimage.find_objects(units + 1)):
        inside = units[place] == one
        known = inside & np.isfinite(slopes.aspect[place])
        assert spread_of(slopes.aspect[place], known) <= asked.spread + 1e-9
    return cells


@pytest.mark.parametrize("spread", [0.05, 0.3])
def test_units_share_out_the_ground_and_face_one_way(spread):
    height, water, slopes = ground(6, (150, 170))
    asked = usual(spread=spread, first_stream=5e5)
    basin = basins(water, slopes, limits=asked)
    units = slope_units(water, slopes, basin, limits=asked)
    check(units, height, slopes, asked)
    pairs = np.unique(np.stack([units.ravel(), basin.ravel()]), axis=1)
    assert pairs.shape[1] == units.max() + 1, "a unit lies in two basins"
    assert np.bincount(basin.ravel())[np.unique(basin)].min() >= asked.least
    first = np.array([np.flatnonzero(basin == one)[0] + 1 for one in np.unique(basin)])
    assert np.array_equal(first, np.unique(basin)), "a basin is named after its first cell"


def test_size_is_of_the_order_of_the_published_units():
    height, water, slopes = ground(8, (200, 200))
    asked = usual()
    cells = check(slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked), height, slopes, asked)
    mean = cells.mean() * 900
    assert PUBLISHED / 2 < mean < 2 * PUBLISHED
    assert cells[cells < asked.least].sum() < 0.02 * cells.sum()


def test_smaller_limits_give_more_units():
    _, water, slopes = ground(4, (120, 120))
    found = [
        slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked).max()
        for asked in (usual(), usual(spread=0.1), usual(spread=0.1, least_area=20e3, largest_area=2e5))
    ]
    assert found == sorted(set(found))


def test_a_unit_never_crosses_a_ridge_or_a_stream():
    """Valleys and ridges that run to the south: each unit lies on one flank."""
    y, x = np.mgrid[0:90, 0:120].astype(float)
    height = 2000 - 3.0 * y + 20.0 * np.abs((x % 40) - 20)
    slopes = facing(height, spacing=SPACING)
    water = flow(height, spacing=SPACING)
    asked = usual(first_stream=1e6, spread=0.1)
    units = slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked)
    east = np.sin(slopes.aspect)
    for one in range(units.max() + 1):
        # Cells on the lines themselves face down the valley and go to either flank.
        flank = east[(units == one) & (np.abs(east) > 0.5)]
        assert np.unique(np.sign(flank)).size <= 1


def test_a_window_gives_the_units_of_the_whole():
    _, water, slopes = ground(6, (140, 150))
    asked = usual(first_stream=1e6, spread=0.1)
    basin = basins(water, slopes, limits=asked)
    whole = slope_units(water, slopes, basin, limits=asked)
    for one in np.unique(basin):
        rows, columns = (np.flatnonzero((basin == one).any(axis=axis)) for axis in (1, 0))
        window = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
        cut = slope_units(
            Flow(*(values[window] for values in water)), Facing(slopes.aspect[window]),
            np.where(basin[window] == one, one, 0), limits=asked,
        )  # fmt: skip
        inside = basin[window] == one
        assert ((cut >= 0) == inside).all()
        pairs = np.unique(np.stack([cut[inside], whole[window][inside]]), axis=1)
        assert pairs.shape[1] == cut.max() + 1 == len(np.unique(whole[basin == one]))


def test_flat_ground_is_cut_by_size_alone():
    height = np.zeros((60, 80), np.float32)
    slopes = facing(height, spacing=SPACING)
    asked = usual(largest_area=3e5)
    water = flow(height, spacing=SPACING)
    units = slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked)
    check(units, height, slopes, asked)


def test_real_ground(real_data):
    """The slopes of a Himalayan valley, part of which has no elevation."""
    with rasterio.open(real_data("bhutan_landslide") / "DEM_UTM.tif") as source:
        height = source.read(1).astype(np.float32)
    spacing = (25.0, 25.0)
    slopes, water = facing(height, spacing=spacing), flow(height, spacing=spacing)
    asked = usual(625.0)
    units = slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked)
    cells = check(units, height, slopes, asked)
    assert PUBLISHED / 2 < cells.mean() * 625 < 2 * PUBLISHED


def test_slopes_of_strips_are_those_of_the_whole():
    rng = np.random.default_rng(3)
    height = rng.normal(0, 20, (1100, 5)).astype(np.float32)
    height[600] = 0.0
    found = facing(height, spacing=SPACING, flat=0.4)
    slope, aspect = slope_aspect(height, spacing=SPACING)
    assert np.array_equal(found.aspect, np.where(slope >= 0.4, aspect, np.nan), equal_nan=True)
    assert np.isnan(facing(np.ones((4, 4), np.float32), spacing=SPACING).aspect).all()
