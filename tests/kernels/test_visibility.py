"""What a radar sees of slopes, against rays over planes and against the published lists."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels import radar_slopes, terrain
from slidecloud.kernels.visibility import (
    FORESHORTENED,
    GOOD,
    LAYOVER,
    SHADOW,
    UNKNOWN,
    potential,
    sensitivity,
    visibility,
)

ASCENDING, DESCENDING = 347.79, 192.21
ASPECTS = {"N": 0, "NE": 45, "E": 90, "SE": 135, "S": 180, "SW": 225, "W": 270, "NW": 315}
THETA = math.radians(36.64)


def plane(slope, aspect, shape=(41, 41), spacing=20.0):
    """Ground that falls towards ``aspect``."""
    y, x = np.indices(shape, dtype=float)
    return 1e4 - math.tan(slope) * spacing * (x * math.sin(aspect) - y * math.cos(aspect))


def one(slope, aspect, theta=THETA, **view):
    found = visibility(np.array([[slope]]), np.array([[aspect]]), theta, **view)
    return float(found.r_index[0, 0]), int(found.kind[0, 0])


@pytest.mark.parametrize("theta", [30.0, 36.64, 44.0])
@pytest.mark.parametrize("look", ["right", "left"])
@pytest.mark.parametrize("heading", [ASCENDING, DESCENDING])
def test_classes_are_those_of_rays_over_planes(heading, look, theta):
    theta = math.radians(theta)
    for aspect in np.radians([*ASPECTS.values()]):
        for slope in np.radians(np.arange(10.0, 71.0, 2.5)):
            ground, view = plane(slope, aspect), {"heading": heading, "look_direction": look}
            rays = terrain.layover_shadow(ground, spacing=(20.0, 20.0), incidence=theta, **view)
            index, kind = one(slope, aspect, theta, **view)
            # In the middle of the plane, whose edges know nothing of the ground beyond them.
            assert (kind == LAYOVER) == rays.layover[20, 20], (slope, aspect)
            assert (kind == SHADOW) == rays.shadow[20, 20], (slope, aspect)
            # The ground turns its face away beyond a right angle between its normal and the ray.
            normal = (math.sin(slope) * math.sin(aspect), math.sin(slope) * math.cos(aspect), math.cos(slope))
            assert (kind == SHADOW) == (np.dot(normal, terrain.los_vector(theta, heading, look)) < 0)
            towards = -math.cos(aspect - terrain.look_azimuth(heading, look))
            assert (kind == GOOD) == (towards < 0 and kind != SHADOW)
            assert (index <= 0) == (kind == LAYOVER)


@given(
    slope=st.floats(0.0, 1.4),
    aspect=st.floats(0.0, 6.28),
    theta=st.floats(0.3, 1.0),
    heading=st.floats(0.0, 360.0),
    look=st.sampled_from(["right", "left"]),
)
def test_index_is_the_slant_range_that_a_metre_of_ground_takes(slope, aspect, theta, heading, look):
    """Walk a metre along range on the surface: the slant range grows by ``R``."""
    away = terrain.look_azimuth(heading, look)
    fall = math.tan(slope) * math.cos(aspect - away)
    step = 1.0 / math.hypot(1.0, fall)
    grown = step * math.sin(theta) + fall * step * math.cos(theta)
    index, _ = one(slope, aspect, theta, heading=heading, look_direction=look)
    assert index == pytest.approx(grown, abs=1e-6)


def test_sides_that_are_seen_well_by_each_pass():
    good = {
        heading: {name for name, a in ASPECTS.items() if one(0.3, math.radians(a), heading=heading)[1] == GOOD}
        for heading in (ASCENDING, DESCENDING)
    }
    assert good[ASCENDING] == {"N", "NE", "E", "SE"}
    assert good[DESCENDING] == {"SW", "W", "NW", "N"}


def test_the_printed_list_comes_out_only_when_asked_for():
    listed = {"NE", "E", "SE", "S"}
    for name, aspect in ASPECTS.items():
        view = {"heading": ASCENDING, "published": True}
        index, kind = one(0.3, math.radians(aspect), **view)
        assert (kind == GOOD) == (name in listed)
        a = math.radians(aspect + 347.79 + 180.0)
        assert index == pytest.approx(math.sin(THETA - 0.3 * math.sin(a)), abs=1e-6)
        a = math.radians(aspect - 192.21)
        index, _ = one(0.3, math.radians(aspect), heading=DESCENDING, published=True)
        assert index == pytest.approx(math.sin(THETA - 0.3 * math.sin(a)), abs=1e-6)
    with pytest.raises(ValueError, match="expected 'right'"):
        one(0.3, 0.0, heading=ASCENDING, look_direction="left", published=True)


def test_both_formulas_agree_where_the_slope_lies_in_the_plane_of_view():
    """With the acute angle of the track for phi, and slopes straight to or from the radar."""
    for acute, heading in ((12.21, ASCENDING), (12.21, DESCENDING)):
        for turn in (90.0, -90.0):
            aspect = math.radians(heading + turn)
            printed = aspect + math.radians(acute + 180 if heading == ASCENDING else -acute)
            expected = math.sin(THETA - 0.4 * math.sin(printed))
            assert one(0.4, aspect, heading=heading)[0] == pytest.approx(expected, abs=1e-6)


def test_level_ground_is_foreshortened_and_borders_belong_where_they_are_written():
    index, kind = one(0.0, 0.0, heading=ASCENDING)
    assert index == pytest.approx(0.59679, abs=1e-5)
    assert kind == FORESHORTENED
    facing, away = math.radians(ASCENDING - 90.0), math.radians(ASCENDING + 90.0)
    for slope, aspect, below, above in (
        (THETA, facing, FORESHORTENED, LAYOVER),
        (math.pi / 2 - THETA, away, GOOD, SHADOW),
        (0.0, away, FORESHORTENED, GOOD),
    ):
        assert one(max(slope - 1e-5, 0.0), aspect, heading=ASCENDING)[1] == below
        assert one(slope + 1e-5, aspect, heading=ASCENDING)[1] == above
    # Along the track the ground is neither turned to the radar nor away.
    for along in (ASCENDING, ASCENDING + 180.0):
        assert one(0.5, math.radians(along), heading=ASCENDING)[1] == FORESHORTENED


def test_gaps_are_unknown():
    found = visibility([[np.nan, 0.2]], [[np.nan, 1.0]], [[0.6, np.nan]], heading=ASCENDING)
    assert found.kind.tolist() == [[UNKNOWN, UNKNOWN]]
    assert np.isnan(found.r_index).all()
    assert found.r_index.dtype == np.float32
    assert found.kind.dtype == np.uint8


@pytest.mark.parametrize("bad", [{"slope": 20.0}, {"slope": -0.1}, {"incidence": 39.0}, {"incidence": 0.0}])
def test_degrees_are_refused(bad):
    given = {"slope": 0.2, "aspect": 1.0, "incidence": 0.6} | bad
    with pytest.raises(ValueError, match=f"{next(iter(bad))}: found"):
        visibility(given["slope"], given["aspect"], given["incidence"], heading=0.0)


@given(slope=st.floats(0.01, 1.4), aspect=st.floats(0.0, 6.28), theta=st.floats(0.3, 1.0), heading=st.floats(0, 360))
def test_sensitivity_is_the_projection_of_a_slide(slope, aspect, theta, heading):
    down = np.array(
        [math.cos(slope) * math.sin(aspect), math.cos(slope) * math.cos(aspect), -math.sin(slope)],
    )
    seen = sensitivity(np.array([[slope]]), np.array([[aspect]]), theta, heading=heading)[0, 0]
    assert seen == pytest.approx(float(down @ np.array(terrain.los_vector(theta, heading))), abs=1e-6)
    assert abs(seen) <= 1.0


def test_sensitivity_by_hand():
    """A slope of 30 degrees facing a radar in the west slides towards it and down; along the track it is only lost."""
    west, north = math.radians(270.0), 0.0
    down = math.radians(30.0)
    facing = sensitivity([[down]], [[west]], math.radians(39.0), heading=0.0)[0, 0]
    assert facing == pytest.approx(math.sin(math.radians(39.0 - 30.0)), abs=1e-6)
    along = sensitivity([[down]], [[north]], math.radians(39.0), heading=0.0)[0, 0]
    assert along == pytest.approx(-0.5 * math.cos(math.radians(39.0)), abs=1e-6)
    assert np.isnan(sensitivity([[0.0]], [[0.0]], 0.6, heading=0.0)).all()


def test_potential_points_at_and_beside_every_threshold():
    slope = np.radians(np.array([5.0, 4.999, 5.0, 5.0, 5.0, 30.0, 30.0], np.float32))
    velocity = np.array([-0.025, -0.025, 0.025, -0.02499, np.nan, -0.1, 0.1], np.float32)
    kind = np.array([GOOD, GOOD, GOOD, GOOD, GOOD, FORESHORTENED, GOOD], np.uint8)
    expected = np.array([True, False, True, False, False, False, True])
    assert (potential(kind, slope, velocity) == expected).all()
    blocked = np.array([True] + [False] * 6)
    assert (potential(kind, slope, velocity, blocked=blocked) == expected & ~blocked).all()
    assert potential(kind, slope, velocity, least_speed=0.1).sum() == 1
    assert potential(kind, slope, velocity, least_slope=math.radians(10.0)).sum() == 1


@pytest.mark.parametrize(("heading", "look"), [(-12.3, "right"), (192.2, "right"), (-12.3, "left")])
def test_slopes_in_radar_geometry_are_those_of_the_ground(heading, look):
    """A plane seen on a grid that is turned with the track, wherever on Earth its pixels lie."""
    slope, aspect = math.radians(25.0), math.radians(200.0)
    along, across = math.radians(heading), terrain.look_azimuth(heading, look)
    y, x = np.indices((30, 40), dtype=float)
    # Uneven along range, as places over terrain are.
    x = x + 0.3 * np.sin(x)
    east = 40.0 * (y * math.sin(along) + x * math.sin(across))
    north = 40.0 * (y * math.cos(along) + x * math.cos(across))
    elevation = 3000.0 - math.tan(slope) * (east * math.sin(aspect) + north * math.cos(aspect))
    metres = math.radians(1.0) * 6_371_008.8
    latitude = 31.0 + north / metres
    longitude = 179.995 + east / metres / np.cos(np.radians(latitude))
    found = radar_slopes.slope_aspect(elevation, latitude, np.mod(longitude + 180.0, 360.0) - 180.0)
    np.testing.assert_allclose(found.slope, slope, rtol=2e-3)
    np.testing.assert_allclose(found.aspect, aspect, rtol=2e-3)


def test_folded_ground_has_no_slope_and_shapes_must_agree():
    y, x = np.indices((6, 8), dtype=float)
    x[:, 4:] -= 1.95
    found = radar_slopes.slope_aspect(10.0 * x, 30.0 + y * 1e-3, 100.0 + x * 1e-3)
    assert np.isnan(found.slope[:, 3:5]).all()
    assert np.isfinite(found.slope[:, [1, 6]]).all()
    with pytest.raises(ValueError, match="latitude, longitude: found shapes"):
        radar_slopes.slope_aspect(x, y[:4], x)
