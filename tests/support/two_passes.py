"""A round hill with slides on all its sides that move straight down, as two passes see it, in pairs of known noise."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import runs
import steady
from pyproj import Transformer

from slidecloud.kernels.terrain import los_vector
from slidecloud.stack import ArraySource
from slidecloud.types import Grid, Pair, StackHeader

HEADING = {"ascending": -12.3, "descending": 192.2}
INCIDENCE = {"ascending": np.radians(39.0), "descending": np.radians(36.0)}
BURST = {"ascending": "t026_000001_iw2", "descending": "t135_000001_iw1"}
CENTRE = 501_500.0, 3_398_500.0
"""Easting and northing of the summit, UTM zone 48."""
STEEP = np.radians(24.0)
SPEED, RING, WIDTH = 0.12, 800.0, 110.0
"""m/yr of the fastest part of each slide, metres of their centres from the summit, and of their spread."""
SIDES = np.radians(np.arange(0, 360, 45))
"""Directions from the summit in which they lie, and move."""
DATES = np.datetime64("2020-01-05T11:00:00", "s") + np.arange(24) * np.timedelta64(12, "D")
YEARS = (DATES - DATES[0]) / steady.YEAR
LINKS = [(i, j) for i in range(len(DATES)) for j in range(i + 1, min(i + 3, len(DATES)))]
RESOURCES = "resources: {executor: serial, memory: 2 GiB}"


class Ground(NamedTuple):
    """(y, x): height, metres a year east, north and up, and the direction of descent, rad."""

    height: np.ndarray
    east: np.ndarray
    north: np.ndarray
    up: np.ndarray
    aspect: np.ndarray
    speed: np.ndarray


def ground(x: np.ndarray, y: np.ndarray) -> Ground:
    """The truth at eastings and northings: a cone whose summit is rounded off."""
    east, north = x - CENTRE[0], y - CENTRE[1]
    away = np.hypot(east, north)
    aspect = np.mod(np.arctan2(east, north), 2 * np.pi)
    height = 3000.0 - np.tan(STEEP) * np.hypot(away, 100.0)
    slope = np.arctan(np.tan(STEEP) * away / np.hypot(away, 100.0))
    speed = np.zeros(x.shape)
    for side in SIDES:
        off = np.hypot(east - RING * np.sin(side), north - RING * np.cos(side))
        speed += SPEED * np.exp(-(off**2) / (2 * WIDTH**2))
    level = speed * np.cos(slope)
    return Ground(height, level * np.sin(aspect), level * np.cos(aspect), -speed * np.sin(slope), aspect, speed)


def header(pass_: str, grid: Grid, spacing: tuple[float, float]) -> StackHeader:
    base = steady.header((grid.height, grid.width), burst=BURST[pass_])
    return dataclasses.replace(
        base, pass_=pass_, heading=HEADING[pass_], grid=grid, spacing=spacing, has_unwrapped=True
    )


def metric(step: float = 40.0, side: int = 70) -> Grid:
    """A grid around the summit."""
    half = side // 2 * step
    return Grid("EPSG:32648", CENTRE[0] - half, CENTRE[1] + half, step, -step, side, side)


def degrees(side: int = 90) -> Grid:
    """A grid in degrees of about 32 m around the summit."""
    longitude, latitude = Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True).transform(*CENTRE)
    step = 0.0003
    return Grid("EPSG:4326", longitude - side // 2 * step, latitude + side // 2 * step, step, -step, side, side)


def source(
    pass_: str, grid: Grid, *, date: float = 0.002, walk: float = 2e-5, offset: float = 0.0, radar: bool = False
) -> ArraySource:
    """Pairs of a pass on a grid, with noise of each pixel's dates (m), and such as adds up (m^2/yr), and an unknown
    velocity of all (m/yr)."""
    rng = np.random.default_rng(pass_ == "ascending")
    x, y = np.meshgrid(grid.x, grid.y)
    spacing = (abs(grid.dy), grid.dx)
    if grid.crs == "EPSG:4326":
        spacing = (abs(grid.dy) * 111_000.0, grid.dx * 111_000.0 * np.cos(np.radians(grid.top)))
        x, y = Transformer.from_crs("EPSG:4326", "EPSG:32648", always_xy=True).transform(x, y)
    true = ground(x, y)
    los = los_vector(np.full(x.shape, INCIDENCE[pass_]), HEADING[pass_])
    velocity = true.east * los.east + true.north * los.north + true.up * los.up + offset
    steps = np.sqrt(walk * np.diff(YEARS))[:, None, None] * rng.normal(size=(len(DATES) - 1, *x.shape))
    noise = date * rng.normal(size=(len(DATES), *x.shape))
    noise[1:] += np.cumsum(steps, axis=0)
    moved = velocity * YEARS[:, None, None] + noise
    metres = -steady.WAVELENGTH / (4 * np.pi)
    phase = np.stack([(moved[j] - moved[i]) / metres + 0.2 * rng.normal(size=x.shape) for i, j in LINKS])
    static: dict[str, Any] = {"elevation": true.height, "los_east": los.east, "los_north": los.north, "los_up": los.up}
    head = header(pass_, grid, spacing)
    if radar:
        head, place = steady.in_radar(head)
        static |= place
    wrapped = np.rint(phase * (32768 / np.pi)).astype(np.int64).astype(np.int16)
    return ArraySource(
        head, [Pair(DATES[i], DATES[j]) for i, j in LINKS], wrapped, np.full(phase.shape, 200, np.uint8),
        phase.astype(np.float32), {name: np.asarray(values, np.float32) for name, values in static.items()},
    )  # fmt: skip


def compute(folder: Path, *sources: ArraySource, decompose: str = "{}", where: str = "everywhere") -> Any:
    """Ingest, invert whole bursts or polygons, and decompose."""
    for one in sources:
        assert runs.ingest(one, str(folder / "stacks")).exit_code == 0
    series = f"timeseries: {{where: {where}, halo: 600, integrate: false, recovered: false}}"
    return runs.rerun(folder, "stages: [timeseries, decompose]", series, f"decompose: {decompose}", RESOURCES)
