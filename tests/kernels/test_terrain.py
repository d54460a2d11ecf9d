"""Slope, aspect and viewing geometry on surfaces whose answer is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels import terrain

ASCENDING, DESCENDING = -12.3, 192.2


def plane(shape, spacing, slope, aspect):
    """A plane that descends towards ``aspect``."""
    y, x = np.indices(shape, dtype=float)
    east, north = x * spacing[1], -y * spacing[0]
    return 1000.0 - np.tan(slope) * (east * np.sin(aspect) + north * np.cos(aspect))


def profile_east(height, rows=5):
    """The same west-to-east profile in every row."""
    return np.tile(np.asarray(height, dtype=float), (rows, 1))


@given(slope=st.floats(0.01, 1.2), aspect=st.floats(0.0, 6.28), dy=st.floats(5, 90), dx=st.floats(5, 90))
def test_plane_is_exact_to_the_edge(slope, aspect, dy, dx):
    found = terrain.slope_aspect(plane((5, 6), (dy, dx), slope, aspect), spacing=(dy, dx))
    np.testing.assert_allclose(found.slope, slope, rtol=1e-5)
    turn = np.mod(found.aspect - aspect + np.pi, 2 * np.pi) - np.pi
    np.testing.assert_allclose(turn, 0.0, atol=1e-5)
    assert found.slope.dtype == found.aspect.dtype == np.float32
    assert found.aspect.min() >= 0.0
    assert found.aspect.max() < 2 * np.pi


@pytest.mark.parametrize(("aspect", "name"), [(0.0, "north"), (90.0, "east"), (180.0, "south"), (270.0, "west")])
def test_aspect_is_where_water_runs(aspect, name):
    y, x = np.indices((4, 4), dtype=float)
    falling = {"north": y, "east": -x, "south": -y, "west": x}[name]
    np.testing.assert_allclose(terrain.slope_aspect(falling, spacing=(1.0, 1.0)).aspect, np.radians(aspect), atol=1e-6)


def test_horn_weights_on_a_single_peak():
    # One pixel of height 8 above flat ground: Horn gives 2*8/(8 dx) beside it and 8/(8 dx) at the corner, per axis.
    peak = np.zeros((7, 7))
    peak[3, 3] = 8.0
    rise_y, rise_x = terrain.gradient(peak, spacing=(2.0, 4.0))
    assert rise_x[3, 2] == 2 * 8 / (8 * 4.0)
    assert rise_x[3, 4] == -2 * 8 / (8 * 4.0)
    assert rise_y[2, 2] == 8 / (8 * 2.0)
    assert rise_x[3, 3] == rise_y[3, 3] == 0.0


def test_flat_has_aspect_zero_and_nan_spreads_to_its_neighbours_only():
    ground = np.full((6, 6), 12.0)
    ground[2, 2] = np.nan
    slope, aspect = terrain.slope_aspect(ground, spacing=(10.0, 10.0))
    expected = np.zeros((6, 6), dtype=bool)
    expected[1:4, 1:4] = True
    np.testing.assert_array_equal(np.isnan(slope), expected)
    np.testing.assert_array_equal(np.isnan(aspect), expected)
    assert np.all(aspect[~expected] == 0.0)


def test_spacing_per_row_equals_row_by_row():
    rng = np.random.default_rng(1)
    ground = rng.normal(size=(6, 8))
    dx = np.linspace(80.0, 100.0, 6)
    rise_y, rise_x = terrain.gradient(ground, spacing=(92.0, dx))
    for row in range(6):
        one_y, one_x = terrain.gradient(ground, spacing=(92.0, dx[row]))
        np.testing.assert_array_equal(rise_x[row], one_x[row])
        np.testing.assert_array_equal(rise_y[row], one_y[row])


@pytest.mark.parametrize(("heading", "east", "north"), [(ASCENDING, -1, -1), (DESCENDING, 1, -1)])
def test_los_signs_and_length(heading, east, north):
    theta = np.radians(np.array([30.0, 39.0, 45.0]))
    los = terrain.los_vector(theta, heading)
    assert np.all(np.sign(los.east) == east)
    assert np.all(np.sign(los.north) == north)
    np.testing.assert_allclose(los.up, np.cos(theta))
    np.testing.assert_allclose(los.east**2 + los.north**2 + los.up**2, 1.0)
    flight = np.radians(heading)
    np.testing.assert_allclose(los.east * np.sin(flight) + los.north * np.cos(flight), 0.0, atol=1e-12)
    left = terrain.los_vector(theta, heading, "left")
    np.testing.assert_allclose(left.east, -los.east)


def test_gentle_ground_has_neither_layover_nor_shadow():
    ground = profile_east(np.tan(np.radians(30)) * 40.0 * np.abs(np.arange(60) - 30.0))
    masks = terrain.layover_shadow(ground, spacing=(40.0, 40.0), incidence=np.radians(39), heading=0.0)
    assert not masks.layover.any()
    assert not masks.shadow.any()


def test_layover_of_a_ridge_matches_the_closed_form():
    # Looking east (heading 0): a 60 degree front over 10 pixels, then a gentle back. Slant range r = g sin - h cos.
    theta, dx = np.radians(39.0), 10.0
    g = np.arange(200) * dx
    front = np.clip(g - 800.0, 0.0, 100.0) * np.tan(np.radians(60.0))
    height = front - np.clip(g - 900.0, 0.0, 500.0) * (front.max() / 500.0)
    r = g * np.sin(theta) - height * np.cos(theta)
    top, foot = r[90], r[80]
    # Everything whose slant range lies between that of the top and that of the foot is laid over.
    clear = np.abs(r - top) + np.abs(r - foot) > np.abs(foot - top) + dx
    inside = (r > top + 1e-9) & (r < foot - 1e-9)
    masks = terrain.layover_shadow(profile_east(height), spacing=(10.0, dx), incidence=theta, heading=0.0)
    assert inside.sum() > 25
    assert masks.layover[2][inside].all()
    assert not masks.layover[2][clear].any()
    near, far = inside & (g < 800.0), inside & (g > 900.0)
    assert near.any(), "no near passive layover in this case"
    assert far.any(), "no far passive layover in this case"


@pytest.mark.parametrize(("heading", "far"), [(0.0, 1), (180.0, -1), (90.0, 1), (270.0, -1)])
def test_shadow_of_a_wall_has_the_length_of_its_ray(heading, far):
    theta, wall = np.radians(39.0), 400.0
    ground = np.zeros((81, 81))
    along_rows = heading in (90.0, 270.0)
    ground[40, :] = wall
    ground = ground if along_rows else ground.T
    masks = terrain.layover_shadow(ground, spacing=(10.0, 10.0), incidence=theta, heading=heading)
    line = masks.shadow[:, 40] if along_rows else masks.shadow[40]
    expected = {40 + far * k for k in range(1, 1 + int(wall * np.tan(theta) / 10.0))}
    assert set(np.flatnonzero(line)) == expected


def test_shadow_of_a_cone_turns_with_the_heading():
    y, x = np.indices((121, 121), dtype=float) - 60.0
    cone = np.clip(600.0 - np.hypot(x, y) * 10.0 * np.tan(np.radians(65.0)), 0.0, None)
    for heading in (ASCENDING, DESCENDING, 37.0):
        shadow = terrain.layover_shadow(cone, spacing=(10.0, 10.0), incidence=np.radians(45), heading=heading).shadow
        look = terrain.look_azimuth(heading)
        direction = np.arctan2(x[shadow].mean(), -y[shadow].mean())
        assert np.abs(np.angle(np.exp(1j * (direction - look)))) < np.radians(2.0)
        # The tip of the shadow lies height * tan(incidence) behind the summit.
        reach = (x * np.sin(look) - y * np.cos(look))[shadow].max() * 10.0
        assert abs(reach - 600.0) < 20.0


def test_rays_ignore_nan_ground_and_the_mask_is_false_there():
    ground = np.zeros((5, 60))
    ground[:, 10] = 300.0
    ground[:, 15] = np.nan
    masks = terrain.layover_shadow(ground, spacing=(10.0, 10.0), incidence=np.radians(39), heading=0.0)
    assert masks.shadow[2, 14]
    assert masks.shadow[2, 16]
    assert not masks.shadow[2, 15]
    empty = terrain.layover_shadow(np.full((3, 3), np.nan), spacing=(1, 1), incidence=0.6, heading=0.0)
    assert not empty.layover.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: terrain.slope_aspect(z[0], spacing=(1, 1)), "elevation: found shape"),
        (lambda z: terrain.slope_aspect(z, spacing=(-40.0, 40.0)), "spacing dy: found -40"),
        (lambda z: terrain.slope_aspect(z, spacing=(40.0, np.ones(3))), "one value per row"),
        (lambda z: terrain.los_vector(39.0, 0.0), "convert degrees"),
        (lambda z: terrain.los_vector(0.5, 0.0, "up"), "'right' or 'left'"),
        (
            lambda z: terrain.layover_shadow(z, spacing=(1, 1), incidence=np.ones(4), heading=0),
            "shape of the elevation",
        ),
        (lambda z: terrain.layover_shadow(z, spacing=(1, 1), incidence=0.0, heading=0), "straight down"),
    ],
)
def test_bad_arguments_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((5, 6)))
