"""Where a satellite stood when it saw a place: zero-Doppler position, perpendicular baseline, view from the ground.

Positions and velocities are Earth-fixed and Cartesian (ECEF), in metres and metres per second.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64

_STEPS = 20
"""Newton's steps to zero Doppler: each leaves a tenth of the error, as the pull of the Earth is left out."""


class State(NamedTuple):
    """A satellite at zero Doppler: position (3,) m, velocity (3,) m/s."""

    position: Float64
    velocity: Float64


class View(NamedTuple):
    """A satellite as seen from the ground: unit vector to it (east, north, up), and its distance in metres."""

    east: float
    north: float
    up: float
    slant_range: float


def zero_doppler(time: ArrayLike, position: ArrayLike, velocity: ArrayLike, target: ArrayLike) -> State:
    """The satellite where a place lies at a right angle to its flight.

    Between state vectors the orbit is the cubic with their positions and velocities (Hermite), at most a centimetre
    from the true one at intervals of 10 s.

    Parameters
    ----------
    time
        (state,) s, ascending.
    position, velocity
        (state, 3) m and m/s.
    target
        (3,) m, the place.

    Raises
    ------
    ValueError
        If there are fewer than two states, times do not ascend, numbers are not finite, or the satellite does not pass
        the place between the first and the last state.
    """
    t, p, v = (np.asarray(values, np.float64) for values in (time, position, velocity))
    place = np.asarray(target, np.float64)
    if t.ndim != 1 or len(t) < 2 or p.shape != (len(t), 3) or v.shape != p.shape:
        raise ValueError(
            f"orbit: found times of shape {t.shape}, positions {p.shape}, velocities {v.shape}; expected at least two "
            "states, (state,) and (state, 3)"
        )
    if not (np.isfinite(t).all() and np.isfinite(p).all() and np.isfinite(v).all() and bool((np.diff(t) > 0).all())):
        raise ValueError(
            "orbit: found times that do not ascend or numbers that are not finite; expected states in order"
        )
    ahead = ((place - p) * v).sum(axis=1)
    passed = np.flatnonzero((ahead[:-1] >= 0) & (ahead[1:] <= 0))
    if not passed.size:
        raise ValueError(
            f"orbit: found {len(t)} states over {t[-1] - t[0]:.0f} s that do not pass the scene; expected it between "
            "the first and the last"
        )
    first = int(passed[0])
    now = float(t[first])
    for _ in range(_STEPS):
        state = _between(t[first : first + 2], p[first : first + 2], v[first : first + 2], now)
        now += float((place - state.position) @ state.velocity / (state.velocity @ state.velocity))
    return state


def perpendicular_baseline(reference: State, secondary: State, target: ArrayLike) -> float:
    """Metres from the line of sight of the reference to the secondary, across it and across the flight.

    Positive where the secondary sees the place at a larger look angle: the phase of an error e of the elevation model
    is then ``-4 pi / wavelength * baseline * e / (slant_range * sin(incidence))`` (Rosen et al. 2000).

    References
    ----------
    Rosen, P. A., et al. (2000), Synthetic aperture radar interferometry, Proc. IEEE 88(3), 333-382.
    """
    sight = np.asarray(target, np.float64) - reference.position
    away = reference.position.copy()
    for direction in (reference.velocity, sight):  # at zero Doppler the two are at a right angle
        away -= (away @ direction) / (direction @ direction) * direction
    return float((secondary.position - reference.position) @ away / np.linalg.norm(away))


def view(state: State, target: ArrayLike, *, longitude: float, latitude: float) -> View:
    """How the satellite is seen from a place, (3,) m, at geodetic `longitude` and `latitude` in degrees."""
    east, north = math.radians(longitude), math.radians(latitude)
    turn = np.array(
        [
            [-math.sin(east), math.cos(east), 0.0],
            [-math.sin(north) * math.cos(east), -math.sin(north) * math.sin(east), math.cos(north)],
            [math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)],
        ]
    )
    sight = turn @ (state.position - np.asarray(target, np.float64))
    distance = float(np.linalg.norm(sight))
    east_part, north_part, up_part = (float(part) / distance for part in sight)
    return View(east_part, north_part, up_part, distance)


def _between(time: Float64, position: Float64, velocity: Float64, now: float) -> State:
    """Cubic Hermite interpolation of two states."""
    step = float(time[1] - time[0])
    s = (now - float(time[0])) / step
    here, there = position
    run, on = velocity * step
    place = (
        (2 * s**3 - 3 * s**2 + 1) * here + (s**3 - 2 * s**2 + s) * run
        + (3 * s**2 - 2 * s**3) * there + (s**3 - s**2) * on
    )  # fmt: skip
    speed = (
        (6 * s**2 - 6 * s) * (here - there) + (3 * s**2 - 4 * s + 1) * run + (3 * s**2 - 2 * s) * on
    )  # fmt: skip
    return State(place, speed / step)
