"""Slides with ragged outlines and several blocks, which move down the ground under each of their pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.kernels import terrain as geometry_of
from slidecloud.models.scenery.ground import Ground
from slidecloud.simulate import viewing
from slidecloud.simulate.slides import Motion, Slide
from slidecloud.types import Float32, Float64

LENGTHS = (350.0, 2500.0)
RATES = (0.02, 0.4)
MOTIONS: tuple[Motion, ...] = ("linear", "linear", "seasonal", "accelerating")
HARMONICS = 6
_ATTEMPTS = 60
_GROUND_SMOOTHING = 250.0
_LEAST_SEEN = 0.2


class Outlines(NamedTuple):
    """`slides`, int16 `labels` (y, x) and `los_rate` (y, x), as in `World`."""

    slides: tuple[Slide, ...]
    labels: NDArray[np.int16]
    los_rate: Float32


class _Fall(NamedTuple):
    """Downslope unit vector (east, north), dip (rad) and share of motion towards the satellite, (y, x)."""

    east: Float64
    north: Float64
    dip: Float64
    towards: Float64


def ragged_slides(
    rng: np.random.Generator,
    ground: Ground,
    elevation: Float32,
    incidence: Float32,
    blocked: NDArray[np.bool_],
    *,
    count: int,
) -> Outlines:
    """Up to `count` slides on slopes of 10 to 45 degrees that the radar sees, apart from each other."""
    fall = _fall(ground, elevation, incidence)
    labels, los_rate = np.zeros(ground.shape, dtype=np.int16), np.zeros(ground.shape, dtype=np.float32)
    taken = blocked.copy()
    slides: list[Slide] = []
    for _ in range(count * _ATTEMPTS):
        if len(slides) == count:
            break
        row, column = (int(rng.integers(size)) for size in ground.shape)
        steep = np.radians(10.0) <= fall.dip[row, column] <= np.radians(45.0)
        if taken[row, column] or not steep or abs(fall.towards[row, column]) < _LEAST_SEEN:
            continue
        length, rate = np.exp(rng.uniform(*np.log(LENGTHS))), np.exp(rng.uniform(*np.log(RATES)))
        slide = Slide(row, column, length, length * rng.uniform(0.3, 1.0), rate, motion=rng.choice(MOTIONS))
        box = _box(slide, ground)
        speed = _speed(rng, slide, ground, fall, box)
        inside = speed > 0.0
        if not inside.any() or taken[box][inside].any():
            continue
        slides.append(slide)
        labels[box][inside] = len(slides)
        los_rate[box][inside] = (rate * speed * fall.towards[box])[inside]
        taken[box] |= ndimage.binary_dilation(inside, iterations=3)
    return Outlines(tuple(slides), labels, los_rate)


def _fall(ground: Ground, elevation: Float32, incidence: Float32) -> _Fall:
    width = [_GROUND_SMOOTHING / step for step in ground.spacing]
    rise_y, rise_x = geometry_of.gradient(ndimage.gaussian_filter(elevation, width), spacing=ground.spacing)
    (east_y, north_y), (east_x, north_x) = viewing.axes(ground.heading, ground.geometry)
    rise_east, rise_north = rise_y * east_y + rise_x * east_x, rise_y * north_y + rise_x * north_x
    steepness = np.maximum(np.hypot(rise_east, rise_north), 1e-9)
    east, north, dip = -rise_east / steepness, -rise_north / steepness, np.arctan(steepness)
    los = geometry_of.los_vector(incidence, ground.heading)
    towards = np.cos(dip) * (east * los.east + north * los.north) - np.sin(dip) * los.up
    return _Fall(east, north, dip, towards)


def _box(slide: Slide, ground: Ground) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(0, int(centre - slide.length / step)), min(size, int(centre + slide.length / step) + 2))
        for centre, step, size in zip((slide.row, slide.column), ground.spacing, ground.shape, strict=True)
    )
    return rows, columns


def _speed(rng: np.random.Generator, slide: Slide, ground: Ground, fall: _Fall, box: tuple[slice, slice]) -> Float64:
    """Speed relative to the greatest: one to three blocks within a ragged outline."""
    east, north = (place[box] for place in ground.positions)
    row, column = round(slide.row), round(slide.column)
    here = ground.positions[0][row, column], ground.positions[1][row, column]
    along, aside = fall.east[row, column], fall.north[row, column]
    u = ((east - here[0]) * along + (north - here[1]) * aside) / (0.5 * slide.length)
    w = ((north - here[1]) * along - (east - here[0]) * aside) / (0.5 * slide.width)
    bearing, radius = np.arctan2(w, u), np.ones(u.shape)
    for harmonic in range(2, HARMONICS + 1):
        size, phase = rng.normal(0.0, 0.35 / harmonic), rng.uniform(0.0, 2.0 * np.pi)
        radius += size * np.cos(harmonic * bearing + phase)
    depth = 1.0 - np.hypot(u, w) / np.clip(radius, 0.3, 1.6)
    speed = np.clip(depth / rng.uniform(0.1, 0.6), 0.0, 1.0) ** rng.uniform(0.7, 1.5)
    for _ in range(int(rng.integers(0, 3))):
        cut = rng.uniform(-0.6, 0.6)
        speed *= 1.0 - rng.uniform(0.2, 0.7) * (u > cut + 0.15 * np.sin(4.0 * w))
    greatest = float(speed.max())
    result: Float64 = speed / greatest if greatest > 0.0 else speed
    return result
