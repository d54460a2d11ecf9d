"""The family that detectors are only tested on: ridged noise, ragged slides, waves in the air, fields and woods.

Nothing here is shared with `eroded` but the geometry of viewing, the motion of a slide in time, and what a radar does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, spatial

from slidecloud.kernels import terrain as geometry_of
from slidecloud.models.scenery.ground import Ground
from slidecloud.models.scenery.ragged import ragged_slides
from slidecloud.models.scenery.world import FieldMaker, Kind, World
from slidecloud.simulate import viewing
from slidecloud.simulate.decorrelation import CoherenceMaps
from slidecloud.types import Float32, Float64

OCTAVES = 6
ROUGHNESS = 0.5
LONGEST = 9000.0
PATCH = 1500.0
LAND = ("bare", "grass", "field", "wood", "water")


def ridged_world(
    rng: np.random.Generator,
    ground: Ground,
    *,
    seed: int,  # noqa: ARG001
    kind: Kind,
    level: float,
    dem: str | None = None,
) -> World:
    """A world of this family, all drawn from `rng`; arguments as of `eroded.eroded_world`, but for the mountains.

    Raises
    ------
    ValueError
        If an elevation model is given: this family has its own terrain.
    """
    if dem is not None:
        raise ValueError(f"dem: found {dem!r}, expected None; the family ridged has terrain of its own")
    incidence = viewing.incidence_map(math.radians(rng.uniform(31.0, 44.0)), *ground.positions, ground.heading)
    elevation = _elevation(rng, ground)
    masks = geometry_of.layover_shadow(
        elevation,
        spacing=ground.spacing,
        incidence=incidence,
        heading=ground.heading if ground.geometry == "map" else 0.0,
    )
    land = _land(rng, ground)
    blocked = masks.layover | masks.shadow | (land == LAND.index("water"))
    count = {"slides": int(rng.integers(3, 25)), "hard": int(rng.integers(0, 6)), "empty": 0}[kind]
    outlines = ragged_slides(rng, ground, elevation, incidence, blocked, count=count)
    return World(
        geometry=ground.geometry,
        spacing=ground.spacing,
        heading=ground.heading,
        incidence=incidence,
        slant_range=viewing.slant_range(float(incidence.mean())),
        valid=~blocked,
        elevation=elevation,
        dem_error=_dem_error(rng, elevation, ground),
        slides=outlines.slides,
        labels=outlines.labels,
        los_rate=outlines.los_rate * np.float32(level),
        drift=_drift(rng, ground, incidence) if kind == "hard" else np.zeros(ground.shape, dtype=np.float32),
        coherence=_coherence(rng, land, elevation),
        turbulence=_air(rng, ground),
        turbulent=float(np.exp(rng.uniform(*np.log([0.002, 0.012])))),
        stratified=float(rng.uniform(0.0, 0.03)),
        scale_height=float(rng.uniform(1500.0, 4000.0)),
    )


def _gradient_noise(rng: np.random.Generator, rows: Float64, columns: Float64) -> Float64:
    """Perlin's noise at places given in cells of a lattice, about -1 to 1 (Perlin 1985)."""
    low_i, low_j = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    low_i, low_j = low_i - low_i.min(), low_j - low_j.min()
    angle = rng.uniform(0.0, 2.0 * np.pi, (int(low_i.max()) + 2, int(low_j.max()) + 2))
    u, v = rows - np.floor(rows), columns - np.floor(columns)
    fade_u, fade_v = (t**3 * (t * (6.0 * t - 15.0) + 10.0) for t in (u, v))

    def corner(i: int, j: int) -> Float64:
        turn = angle[low_i + i, low_j + j]
        dot: Float64 = np.sin(turn) * (u - i) + np.cos(turn) * (v - j)
        return dot

    upper = corner(0, 0) + fade_v * (corner(0, 1) - corner(0, 0))
    lower = corner(1, 0) + fade_v * (corner(1, 1) - corner(1, 0))
    noise: Float64 = 1.5 * (upper + fade_u * (lower - upper))
    return noise


def _elevation(rng: np.random.Generator, ground: Ground) -> Float32:
    """Ridges where octaves of noise cross zero (Musgrave's ridged multifractal), turned at random."""
    east, north = ground.positions
    turn = rng.uniform(0.0, 2.0 * np.pi)
    along, across = (
        east * np.cos(turn) + north * np.sin(turn),
        rng.uniform(1.0, 1.8) * (north * np.cos(turn) - east * np.sin(turn)),
    )
    height, weight = np.zeros(ground.shape), np.ones(ground.shape)
    for octave in range(OCTAVES):
        length = LONGEST / 2.0**octave
        ridge = (1.0 - np.abs(_gradient_noise(rng, along / length, across / length))) ** 2
        height += weight * ridge * ROUGHNESS**octave
        weight = np.clip(1.6 * ridge * weight, 0.0, 1.0)
    rise_y, rise_x = np.gradient(height, *ground.spacing)
    height *= math.tan(math.radians(rng.uniform(12.0, 28.0))) / np.hypot(rise_y, rise_x).mean()
    above_sea: Float32 = (height + rng.uniform(200.0, 3000.0)).astype(np.float32)
    return above_sea


def _dem_error(rng: np.random.Generator, elevation: Float32, ground: Ground) -> Float32:
    """Blunt ridges as a coarser elevation model has them, and blunders in steps of its tiles, m."""
    width = [max(0.5, float(rng.uniform(60.0, 150.0)) / step) for step in ground.spacing]
    blunt = elevation - ndimage.gaussian_filter(elevation, width)
    blunders = _gradient_noise(rng, *(place / 600.0 for place in ground.positions)) * rng.uniform(0.0, 4.0)
    spread = max(float(blunt.std()), 1e-6)
    error: Float32 = (blunt / spread * rng.uniform(1.0, 7.0) + blunders).astype(np.float32)
    return error


def _land(rng: np.random.Generator, ground: Ground) -> NDArray[np.intp]:
    """Patches of land cover, each nearest to a seed of its own, with ragged borders."""
    east, north = ground.positions
    extent = max(np.ptp(east), np.ptp(north))
    seeds = rng.uniform(-0.6 * extent, 0.6 * extent, (max(8, round((1.2 * extent / PATCH) ** 2)), 2))
    bent = [place + 150.0 * _gradient_noise(rng, east / 500.0, north / 500.0) for place in (east, north)]
    _, nearest = spatial.cKDTree(seeds).query(np.stack(bent, axis=-1).astype(np.float32))
    share = rng.dirichlet([2.0, 2.0, 1.5, 3.0, 0.15])
    cover: NDArray[np.intp] = rng.choice(len(LAND), size=len(seeds), p=share)[nearest]
    return cover


def _coherence(rng: np.random.Generator, land: NDArray[np.intp], elevation: Float32) -> CoherenceMaps:
    """Each land cover keeps its own coherence; snow lies above a line that the terrain bends."""
    persistent = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.4), rng.uniform(0.0, 0.2), 0.0, 0.0])
    days = np.array([rng.uniform(60, 250), rng.uniform(20, 80), rng.uniform(10, 40), rng.uniform(5, 20), 1.0])
    leaves = np.array([0.0, rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.8), 0.0])
    line = np.quantile(elevation, rng.uniform(0.5, 1.0)) if rng.random() < 0.5 else np.inf
    snow = np.where(elevation > line, rng.uniform(0.5, 1.0), 0.0)
    maps = (
        persistent[land],
        days[land],
        np.full(land.shape, rng.uniform(0.85, 1.0)),
        leaves[land],
        ndimage.uniform_filter(snow, 5),
    )
    return CoherenceMaps(*(part.astype(np.float32) for part in maps))


def _air(rng: np.random.Generator, ground: Ground) -> FieldMaker:
    """Von Karman's spectrum, stretched along a wind, with lee waves on some days; of unit variance."""
    rows, columns = ground.shape
    outer, stretch, wind = rng.uniform(3000.0, 30_000.0), rng.uniform(1.0, 2.5), rng.uniform(0.0, np.pi)
    ky = fft.fftfreq(2 * rows, ground.spacing[0])[:, None]
    kx = fft.rfftfreq(2 * columns, ground.spacing[1])[None, :]
    along, across = kx * np.cos(wind) + ky * np.sin(wind), ky * np.cos(wind) - kx * np.sin(wind)
    power = (1.0 / outer**2 + (along * stretch) ** 2 + across**2) ** (-11.0 / 6.0)
    power[0, 0] = 0.0
    amplitude = np.sqrt(power).astype(np.float32)
    east, north = ground.positions

    def draw(day: np.random.Generator) -> Float32:
        white = day.standard_normal((2 * rows, 2 * columns), dtype=np.float32)
        field = fft.irfft2(fft.rfft2(white) * amplitude, s=white.shape)[:rows, :columns]
        field = (field - field.mean()) / field.std()
        if day.random() < 0.3:
            wave = 2.0 * np.pi / day.uniform(3000.0, 9000.0)
            phase = wave * (east * np.cos(wind) + north * np.sin(wind)) + day.uniform(0.0, 2.0 * np.pi)
            field = 0.95 * field + 0.3 * np.sqrt(2.0) * np.sin(phase)
        return np.ascontiguousarray(field, dtype=np.float32)

    return draw


def _drift(rng: np.random.Generator, ground: Ground, incidence: Float32) -> Float32:
    """Oval sinking basins with flat floors and creeping faults that bend, m/yr along the line of sight."""
    east, north = ground.positions
    drift = np.zeros(ground.shape)
    for _ in range(int(rng.integers(0, 4))):
        centre, turn = ground.random_place(rng), rng.uniform(0.0, np.pi)
        long, short = np.exp(rng.uniform(*np.log([1500.0, 5000.0]))), rng.uniform(0.5, 1.0)
        u = ((east - centre[0]) * np.cos(turn) + (north - centre[1]) * np.sin(turn)) / long
        v = ((north - centre[1]) * np.cos(turn) - (east - centre[0]) * np.sin(turn)) / (long * short)
        depth = np.exp(rng.uniform(*np.log([0.02, 0.3])))
        drift -= np.cos(incidence) * depth / (1.0 + np.hypot(u, v) ** rng.uniform(3.0, 6.0))
    for _ in range(int(rng.integers(0, 3))):
        centre, strike = ground.random_place(rng), rng.uniform(0.0, np.pi)
        bend = 800.0 * np.sin((east * np.sin(strike) + north * np.cos(strike)) / 4000.0)
        across = (east - centre[0]) * np.cos(strike) - (north - centre[1]) * np.sin(strike) + bend
        width, rate = np.exp(rng.uniform(*np.log([80.0, 1500.0]))), rng.choice([-1, 1]) * rng.uniform(0.004, 0.04)
        drift += 0.5 * rate * np.tanh(across / width)
    return drift.astype(np.float32)
