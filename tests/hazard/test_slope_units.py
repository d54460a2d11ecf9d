"""Slope units: every cell in one, connected, facing one way, and the same from whichever window they are cut."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from scipy import ndimage

from slidecloud import simulate
from slidecloud.hazard.facing import Facing, facing, smoothing_of
from slidecloud.hazard.flow import Flow, flow
from slidecloud.hazard.slope_units import basins, limits, slope_units
from slidecloud.kernels.slope_units import patches

SPACING = (30.0, 30.0)
PUBLISHED = 2500e6 / 10426
"""m2 of a unit of the published map."""


def ground(seed, shape):
    height = simulate.terrain.fractal_mountains(
        seed, shape=shape, spacing=SPACING, mean_slope=np.radians(25), lowest=300.0
    )
    return height, flow(height, spacing=SPACING), facing(height, spacing=SPACING, smoothing=smoothing_of(50e3))


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


@pytest.mark.long
def test_as_much_ground_as_the_published_map_has_about_as_many_units():
    """2,500 km2 at 30 m, rougher than real ground: the aspects of neighbouring cells vary by 0.24."""
    height, water, slopes = ground(8, (1667, 1667))
    asked = usual()
    cells = check(slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked), height, slopes, asked)
    assert 10426 / 2 < len(cells) < 2 * 10426
    assert cells[cells < asked.least].sum() < 0.02 * cells.sum()


def test_noise_of_the_elevation_does_not_make_units():
    """The same ground with 5 m of noise, as models from radar have, gives about as many units."""
    height, water, _ = ground(8, (150, 150))
    noisy = height + np.random.default_rng(1).normal(0, 5, height.shape).astype(np.float32)
    asked = usual(spread=0.15)
    count = {}
    for name, elevation, smoothing in (
        ("clean", height, smoothing_of(50e3)), ("noisy", noisy, smoothing_of(50e3)), ("by cell", noisy, 0.0),
    ):  # fmt: skip
        found = facing(elevation, spacing=SPACING, smoothing=smoothing)
        units = slope_units(water, found, basins(water, found, limits=asked), limits=asked)
        count[name] = len(check(units, height, found, asked))
    assert count["noisy"] == pytest.approx(count["clean"], rel=0.1)
    assert count["by cell"] > 1.3 * count["clean"]


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
    slopes, water = facing(height, spacing=spacing, smoothing=smoothing_of(50e3)), flow(height, spacing=spacing)
    asked = usual(625.0)
    units = slope_units(water, slopes, basins(water, slopes, limits=asked), limits=asked)
    cells = check(units, height, slopes, asked)
    assert PUBLISHED / 2 < cells.mean() * 625 < 2 * PUBLISHED
