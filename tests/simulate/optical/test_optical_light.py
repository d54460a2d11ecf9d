"""Sun, clouds and sensor against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from slidecloud.kernels import terrain
from slidecloud.simulate.optical.relief import Relief
from slidecloud.simulate.optical.sensor import observe
from slidecloud.simulate.optical.sky import AMBIENT, Sun, clouds, illumination


def plane(rise_south, rise_east, side=40):
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    elevation = (5.0 * (rise_south * rows + rise_east * columns)).astype(np.float32)
    slope, aspect = terrain.slope_aspect(elevation, spacing=(5.0, 5.0))
    return Relief(elevation, slope, aspect, np.stack(terrain.gradient(elevation, spacing=(5.0, 5.0))), 5.0)


@pytest.mark.parametrize(
    ("rise_south", "rise_east", "angle"),
    [(0.0, 0.0, 0.0), (-0.3, 0.0, math.atan(0.3)), (0.3, 0.0, -math.atan(0.3))],
)
def test_a_slope_is_as_bright_as_its_angle_to_the_sun_says(rise_south, rise_east, angle):
    """The sun in the south, 50 degrees high: ground that falls to the south leans towards it."""
    height = math.radians(50.0)
    light, dark = illumination(plane(rise_south, rise_east), Sun(height, math.pi), np.ones((40, 40), np.float32))
    direct = math.sin(height + angle) / math.sin(height)
    np.testing.assert_allclose(light, AMBIENT + (1.0 - AMBIENT) * direct, rtol=1e-5)
    assert not dark.any()


def test_a_wall_casts_its_shadow_away_from_the_sun():
    """A ridge 30 m high, the sun 45 degrees high in the east: 30 m west of it are dark, 6 pixels."""
    elevation = np.zeros((20, 60), np.float32)
    elevation[:, 40] = 30.0
    slope, aspect = terrain.slope_aspect(elevation, spacing=(5.0, 5.0))
    ground = Relief(elevation, slope, aspect, np.zeros((2, 20, 60)), 5.0)
    light, dark = illumination(ground, Sun(math.radians(45.0), 0.5 * math.pi), np.ones((20, 60), np.float32))
    assert dark[10, 35:40].all()
    assert not dark[10, :33].any()
    assert not dark[10, 41:].any()
    np.testing.assert_allclose(light[10, 36], AMBIENT, rtol=1e-6)


def test_clouds_shade_the_ground_on_the_far_side():
    """With the sun in the south the shadow is the cloud moved north; no other shift fits as well."""
    found = clouds(3, 0, shape=(120, 120), spacing=5.0, share=0.3, sun=Sun(math.radians(60.0), math.pi))
    shade = 1.0 - found.light
    fits = {}
    for rows in range(-80, 81, 2):
        here = found.cover[max(0, -rows) : 120 - max(0, rows)]
        there = shade[max(0, rows) : 120 + min(0, rows)]
        fits[rows] = float(np.corrcoef(here.ravel(), there.ravel())[0, 1])
    best = max(fits, key=fits.get)
    assert -80 < best < -24
    assert fits[best] > 0.9
    assert found.seen.mean() == pytest.approx(0.3, abs=0.06)


def test_the_sensor_keeps_the_mean_and_adds_the_noise_that_it_says():
    """An even field of reflectance r comes back with noise of variance read^2 + shot r in every band."""
    even = np.full((7, 80, 80), 0.3, np.float32)
    image = observe(even, seed=1, date=0, haze=0.0)
    spread = image[:, 5:-5, 5:-5].std((1, 2))
    np.testing.assert_allclose(spread, math.sqrt(0.002**2 + 2e-5 * 0.3), rtol=0.08)
    np.testing.assert_allclose(image.mean((1, 2)), 0.3, rtol=0.15)


def test_haze_brightens_dark_ground_in_the_blue_most():
    dark = np.full((7, 64, 64), 0.01, np.float32)
    clear, hazy = (observe(dark, seed=1, date=0, haze=haze).mean((1, 2)) for haze in (0.0, 0.03))
    added = hazy - clear
    assert (np.diff(added) < 0).all()
    assert added[0] > 0.015
    assert added[-1] < 1e-3


def test_no_pixel_is_stored_as_missing():
    assert observe(np.zeros((7, 64, 64), np.float32), seed=0, date=0, haze=0.0).min() == np.float32(1e-4)
