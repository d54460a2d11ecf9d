"""Pairs of ground at rest with one slide in it, as arrays: nothing is simulated, so that truth is exact and quick."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from slidecloud.stack import ArraySource
from slidecloud.types import Grid, Pair, StackHeader

STEP, WAVELENGTH, RATE = 40.0, 0.05546576, -0.05
"""Metres of a pixel, metres, and metres a year in the middle of the slide."""
DATES = np.datetime64("2021-01-05T11:00:00", "s") + np.arange(8) * np.timedelta64(12, "D")
LINKS = [(i, j) for i in range(8) for j in (i + 1, i + 2) if j < 8]
YEAR = np.timedelta64(31_557_600, "s")


def header(shape: tuple[int, int], *, burst: str = "t026_000001_iw2", top: float = 3_400_000.0) -> StackHeader:
    """A burst in UTM zone 48 whose upper edge is at a northing."""
    grid = Grid("EPSG:32648", 500_000.0, top, STEP, -STEP, *shape)
    return StackHeader(
        burst, "map", shape, (STEP, STEP), WAVELENGTH, 8, 2, 16.0, -12.3, "right", "ascending", 879000.0,
        "arrays", "none", False, False, grid,
    )  # fmt: skip


def velocity(shape: tuple[int, int], centre: tuple[float, float], *, width: float = 6.0) -> np.ndarray:
    """Velocity (y, x) in m/yr of a round slide."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return RATE * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * width**2))


def source(
    head: StackHeader,
    speed: np.ndarray,
    *,
    seed: int,
    noise: float = 0.2,
    links: Any = LINKS,
    hole: tuple[slice, slice] | None = None,
    static: Any = None,
) -> ArraySource:
    """Wrapped pairs of a velocity, with noise (rad) of each pixel, a level of each pair and a hole without data."""
    random = np.random.default_rng(seed)
    phase = np.stack(
        [
            -4 * np.pi / WAVELENGTH * speed * ((DATES[j] - DATES[i]) / YEAR)
            + random.normal(0, noise, speed.shape)
            + random.uniform(-3, 3)
            for i, j in links
        ]
    )
    angles = np.rint(phase * (32768 / np.pi)).astype(np.int64).astype(np.int16)
    coherence = np.full(angles.shape, 190, np.uint8)
    if hole is not None:
        angles[:, *hole], coherence[:, *hole] = 0, 0
    return ArraySource(head, [Pair(DATES[i], DATES[j]) for i, j in links], angles, coherence, None, static)


def in_radar(head: StackHeader) -> tuple[StackHeader, dict[str, np.ndarray]]:
    """The header without its grid, and the latitude and longitude that stand for it."""
    from pyproj import Transformer

    x, y = np.meshgrid(head.grid.x, head.grid.y)
    longitude, latitude = Transformer.from_crs(head.grid.crs, "EPSG:4326", always_xy=True).transform(x, y)
    found = {"latitude": latitude.astype(np.float32), "longitude": longitude.astype(np.float32)}
    return dataclasses.replace(head, geometry="radar", grid=None), found


def position(head: StackHeader, row: float, column: float) -> tuple[float, float]:
    """Longitude and latitude of a place in pixels from the outer corner of the first."""
    from pyproj import Transformer

    turn = Transformer.from_crs(head.grid.crs, "EPSG:4326", always_xy=True)
    return turn.transform(head.grid.left + head.grid.dx * column, head.grid.top + head.grid.dy * row)


def polygons(file: Path, head: StackHeader, *boxes: tuple[float, float, float, float]) -> Path:
    """A GeoJSON of boxes (top, left, bottom, right) in pixels of a burst."""
    features = []
    for top, left, bottom, right in boxes:
        corners = [(top, left), (top, right), (bottom, right), (bottom, left), (top, left)]
        ring = [list(position(head, *corner)) for corner in corners]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {}, "geometry": geometry})
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def lines(file: Path | str, *more: str) -> tuple[str, ...]:
    """A configuration of series inside polygons; nothing is looked for."""
    settings = ", ".join([f"where: {file}", "halo: 400", "integrate: false", "recovered: false"])
    return "stages: [timeseries]", f"timeseries: {{{settings}}}", *more
