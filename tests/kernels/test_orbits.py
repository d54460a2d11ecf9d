"""Orbits: a satellite on a circle over a sphere that turns with it, where everything is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.kernels.orbits import perpendicular_baseline, view, zero_doppler

RADIUS, HEIGHT, SPEED = 6_378_137.0, 693_000.0, 7500.0
TIME = np.arange(-60.0, 61.0, 10.0)


def circle(time, *, shift=0.0, radius=RADIUS + HEIGHT):
    """States of a satellite that flies north along the meridian of 0 degrees and crosses the equator at `shift` s."""
    rate = SPEED / (RADIUS + HEIGHT)
    angle = rate * (np.asarray(time) - shift)
    zero = np.zeros_like(angle)
    position = radius * np.stack([np.cos(angle), zero, np.sin(angle)], axis=-1)
    return position, radius * rate * np.stack([-np.sin(angle), zero, np.cos(angle)], axis=-1)


def place(longitude):
    """A place on the equator, east of the flight for positive degrees."""
    turn = np.radians(longitude)
    return RADIUS * np.array([np.cos(turn), np.sin(turn), 0.0])


@given(st.floats(-40, 40), st.floats(1, 8))
def test_a_place_on_the_equator_is_seen_from_above_the_equator(shift, longitude):
    state = zero_doppler(TIME, *circle(TIME, shift=shift), place(longitude))
    assert state.position == pytest.approx([RADIUS + HEIGHT, 0, 0], abs=1e-2)
    assert state.velocity == pytest.approx([0, 0, SPEED], abs=1e-3)


@given(st.floats(1, 8))
def test_view_follows_from_the_triangle_of_centre_place_and_satellite(longitude):
    state = zero_doppler(TIME, *circle(TIME), place(longitude))
    found = view(state, place(longitude), longitude=longitude, latitude=0.0)
    high = RADIUS + HEIGHT
    angle = np.radians(longitude)
    distance = np.sqrt(RADIUS**2 + high**2 - 2 * RADIUS * high * np.cos(angle))
    assert found.slant_range == pytest.approx(distance, abs=1e-2)
    # The satellite stands in the west of what it sees on its right.
    assert found.east == pytest.approx(-high * np.sin(angle) / distance, abs=1e-6)
    assert found.north == pytest.approx(0, abs=1e-6)
    assert found.up == pytest.approx((high * np.cos(angle) - RADIUS) / distance, abs=1e-6)


@given(st.floats(-300, 300), st.floats(-300, 300), st.floats(2, 8))
def test_baseline_is_the_part_across_the_line_of_sight(outward, upward, longitude):
    """Its sign is that of the change of the look angle."""
    target = place(longitude)
    state = zero_doppler(TIME, *circle(TIME), target)
    moved = state._replace(position=state.position + np.array([upward, outward, 0.0]))
    sight = target - state.position
    look = np.arctan2(sight[1], -sight[0])
    expected = outward * np.cos(look) + upward * np.sin(look)
    assert perpendicular_baseline(state, moved, target) == pytest.approx(expected, abs=1e-6)
    assert perpendicular_baseline(state, state, target) == 0


def test_an_error_of_elevation_gives_the_phase_that_the_baseline_says():
    target, error, wavelength = place(4.0), 20.0, 0.0555
    state = zero_doppler(TIME, *circle(TIME), target)
    moved = state._replace(position=state.position + np.array([80.0, 150.0, 0.0]))
    seen = view(state, target, longitude=4.0, latitude=0.0)
    # A higher place that keeps the range of the reference: along the circle around it.
    sight = target - state.position
    across = np.cross(np.array([0.0, 0.0, 1.0]), sight)
    raised = target + across * (-np.sign(across @ -target)) * error / (across @ target / RADIUS)
    raised = state.position + (raised - state.position) * np.linalg.norm(sight) / np.linalg.norm(
        raised - state.position
    )
    height = np.linalg.norm(raised) - RADIUS
    change = np.linalg.norm(raised - moved.position) - np.linalg.norm(target - moved.position)
    phase = 4 * np.pi / wavelength * change
    baseline = perpendicular_baseline(state, moved, target)
    incidence = np.arccos(seen.up)
    formula = -4 * np.pi / wavelength * baseline * height / (seen.slant_range * np.sin(incidence))
    assert phase == pytest.approx(formula, rel=1e-3)


@pytest.mark.parametrize(
    ("time", "rows", "text"),
    [
        (TIME[:1], slice(1), "at least two states"),
        (TIME[::-1], slice(None), "do not ascend"),
        (TIME[:4], slice(4), "do not pass the scene"),
    ],
)
def test_orbits_that_cannot_be_used(time, rows, text):
    position, velocity = circle(TIME)
    with pytest.raises(ValueError, match=text):
        zero_doppler(time, position[rows], velocity[rows], place(4.0))
