"""The family that detectors learn from: eroded fractal mountains, ideal slides, Hanssen's atmosphere."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from scipy import ndimage

from slidecloud import simulate
from slidecloud.models.scenery.ground import Ground
from slidecloud.models.scenery.mountains import SIDE, SPACING, mountains
from slidecloud.models.scenery.world import Kind, World, world_of
from slidecloud.types import Float32

TILES_PER_TERRAIN = 8
"""Tiles that are cut, turned and mirrored from one mountain range."""
MOST_SLIDES = 24
LENGTHS = (350.0, 2500.0)
RATES = (0.02, 0.4)


def eroded_world(
    rng: np.random.Generator, ground: Ground, *, seed: int, kind: Kind, level: float, dem: str | None = None
) -> World:
    """A world of this family.

    Parameters
    ----------
    rng
        Draws what is not drawn from `seed`.
    ground
        Grid and heading.
    seed
        Names the world; worlds of ``seed // TILES_PER_TERRAIN`` share their mountains.
    kind
        ``slides``, ``hard`` (few slides, beside subsidence and creeping faults) or ``empty``.
    level
        Factor on the velocity of the slides.
    dem
        A raster of elevations to take the mountains from; None simulates them.
    """
    count = {"slides": int(rng.integers(3, MOST_SLIDES + 1)), "hard": int(rng.integers(0, 6)), "empty": 0}[kind]
    elevation = _elevation(rng, ground, seed, dem)
    scene = simulate.scene(
        seed,
        spacing=ground.spacing,
        heading=ground.heading,
        incidence=math.radians(rng.uniform(31.0, 44.0)),
        dates=2,
        elevation=elevation,
        water=float(rng.choice([0.0, 0.01, 0.05])),
        slides=count,
        fewer=True,
        min_sensitivity=0.2,
        sizes=simulate.Sizes(LENGTHS, RATES, varied=True),
        atmosphere=_atmosphere(rng),
        coherence=_coherence(rng, elevation),
        dem_error=float(rng.uniform(1.0, 10.0)),
        geometry=ground.geometry,
    )
    drift = _drift(rng, ground, scene.los_up) if kind == "hard" else np.zeros(ground.shape, dtype=np.float32)
    return dataclasses.replace(world_of(scene), los_rate=scene.los_rate * np.float32(level), drift=drift)


def _elevation(rng: np.random.Generator, ground: Ground, seed: int, dem: str | None) -> Float32:
    """A part of a mountain range, turned by a quarter and mirrored at random, on the grid of the tile."""
    height = np.rot90(mountains(seed // TILES_PER_TERRAIN, dem), int(rng.integers(4)))
    height = height[:, ::-1] if rng.random() < 0.5 else height
    steps = [np.arange(size) * spacing / SPACING for size, spacing in zip(ground.shape, ground.spacing, strict=True)]
    starts = [rng.uniform(0.0, max(0.0, SIDE - 2 - part[-1])) for part in steps]
    places = np.meshgrid(*(part + start for part, start in zip(steps, starts, strict=True)), indexing="ij")
    height = ndimage.map_coordinates(height, places, order=3, mode="reflect")
    above_sea: Float32 = (height + np.float32(rng.uniform(0.0, 2500.0))).astype(np.float32)
    return above_sea


def _atmosphere(rng: np.random.Generator) -> simulate.Atmosphere:
    return simulate.Atmosphere(
        turbulence=float(np.exp(rng.uniform(*np.log([0.002, 0.012])))), stratified=float(rng.uniform(0.0, 0.03))
    )


def _coherence(rng: np.random.Generator, elevation: Float32) -> simulate.Coherence:
    return simulate.Coherence(
        bare_persistent=float(rng.uniform(0.25, 0.7)),
        vegetated_persistent=float(rng.uniform(0.0, 0.12)),
        bare_time=float(rng.uniform(40.0, 200.0)),
        vegetated_time=float(rng.uniform(6.0, 30.0)),
        quality=float(rng.uniform(0.85, 1.0)),
        leaf_loss=float(rng.uniform(0.0, 0.8)),
        snow_loss=float(rng.uniform(0.5, 1.0)),
        vegetation=float(rng.uniform(0.05, 0.95)),
        snow_line=float(np.quantile(elevation, min(1.0, rng.uniform(0.5, 1.5)))),
    )


def _drift(rng: np.random.Generator, ground: Ground, los_up: Float32) -> Float32:
    """Subsidence bowls seen as round, and faults that creep along straight lines, m/yr along the line of sight."""
    east, north = ground.positions
    drift = np.zeros(ground.shape, dtype=np.float64)
    for _ in range(int(rng.integers(0, 4))):
        radius, depth = np.exp(rng.uniform(*np.log([800.0, 4000.0]))), np.exp(rng.uniform(*np.log([0.02, 0.3])))
        centre = ground.random_place(rng)
        distance = np.hypot(east - centre[0], north - centre[1]) / radius
        drift -= los_up * depth * np.exp(-0.5 * distance**2)
    for _ in range(int(rng.integers(0, 3))):
        centre, strike = ground.random_place(rng), rng.uniform(0.0, np.pi)
        across = (east - centre[0]) * np.cos(strike) - (north - centre[1]) * np.sin(strike)
        width, rate = np.exp(rng.uniform(*np.log([60.0, 2000.0]))), rng.choice([-1, 1]) * rng.uniform(0.004, 0.04)
        drift += rate * np.arctan(across / width) / np.pi
    return drift.astype(np.float32)
