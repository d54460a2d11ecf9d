"""Velocities of several looks on one grid: laid on it, levelled on ground that both passes see, one a track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import terrain
from slidecloud.kernels.sampling import at_places
from slidecloud.pipeline.areas import Look
from slidecloud.stack.warped import pixels_under
from slidecloud.store.arrays import MissingChunkError, read, reader
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import window_header
from slidecloud.store.velocity_maps import VelocityMap
from slidecloud.types import Float32, Grid, track_of

LEAST: Final = 25
"""Pixels at rest that a look needs in common with the other pass."""
_NORMAL: Final = 1.4826
"""Standard deviations in a median absolute deviation."""


@dataclass(frozen=True)
class Laid:
    """A look on a grid, maps (y, x) float32 with NaN where it sees nothing.

    Attributes
    ----------
    track, pass_
        Where it looks from.
    velocity, sigma
        m/yr along the line of sight. Noise of neighbouring pixels counts as one: sigmas are averaged as velocities are.
    los_east, los_north, los_up
        Unit vector to the satellite.
    elevation
        m.
    moving
        bool (y, x), detections.
    """

    track: str
    pass_: str
    velocity: Float32
    sigma: Float32
    los_east: Float32
    los_north: Float32
    los_up: Float32
    elevation: Float32
    moving: NDArray[np.bool_]


class Level(NamedTuple):
    """Median velocity and robust standard deviation, m/yr, of ``pixels`` at rest; NaN and 0 for a look without."""

    median: float
    scatter: float
    pixels: int


def laid(run: Location, look: Look, grid: Grid) -> Laid | None:
    """A look on a grid; None where its velocity is not finished."""
    try:
        velocity, sigma = VelocityMap(run, look.header, look.path).best()
    except MissingChunkError:
        return None
    stored = reader(run, look.path)
    moving = np.zeros(velocity.shape, np.float32)
    if "moving" in stored:
        moving += read(stored["moving"], (slice(None), slice(None)))  # type: ignore[arg-type]
    static = look.ground.read(list(look.ground.checksums), why="the stage decompose needs.")
    maps = {name: values[look.window.rows, look.window.columns] for name, values in static.items()}
    own = window_header(look.header, look.window)
    row, column = pixels_under(grid, own.grid or (maps["latitude"], maps["longitude"]))
    reach = tuple(max(1, round(grid.dx / step)) for step in own.spacing)

    def onto(values: Float32) -> Float32:
        return at_places(values, row, column, reach=(reach[0], reach[1]))

    east, north, up = _lines(look, maps)
    elevation = maps.get("elevation", np.full(velocity.shape, np.nan, np.float32))
    touched = onto(moving) > 0
    return Laid(
        track_of(look.header), look.header.pass_, onto(velocity), onto(sigma), onto(east), onto(north), onto(up),
        onto(elevation), touched,
    )  # fmt: skip


def levelled(looks: list[Laid | None]) -> list[Level]:
    """Take from every look what ground at rest reads that both passes see; ``looks`` are changed.

    The unknown offset of each series, which is relative to still ground of its own, is so replaced by a common one:
    zero where the ground is at rest. Looks without enough of it have no level.
    """
    seen = [one for one in looks if one is not None]
    moving = np.any([one.moving for one in seen], axis=0) if seen else np.zeros((1, 1), np.bool_)
    ascending, descending = (
        _known([one for one in seen if one.pass_ == name], moving.shape) for name in ("ascending", "descending")
    )
    rest = ascending & descending & ~moving
    levels = []
    for number, one in enumerate(looks):
        mine = rest & np.isfinite(one.velocity) if one is not None else rest & False
        count = int(mine.sum())
        if one is None or count < LEAST:
            levels.append(Level(np.nan, np.nan, 0))
            continue
        values = one.velocity[mine].astype(np.float64)
        median = float(np.median(values))
        looks[number] = replace(one, velocity=(one.velocity - np.float32(median)))
        levels.append(Level(median, _NORMAL * float(np.median(np.abs(values - median))), count))
    return levels


def mosaicked(looks: Sequence[Laid | None]) -> list[Laid]:
    """One look a track, in the order of their names; where several see a pixel, that of the smallest sigma.

    Nothing where only one pass is left.
    """
    kept = [one for one in looks if one is not None]
    if len({one.pass_ for one in kept}) < 2:
        return []
    found = []
    for track in sorted({one.track for one in kept}):
        own = [one for one in kept if one.track == track]
        sigma = np.stack([np.where(np.isfinite(one.velocity), one.sigma, np.inf) for one in own])
        best = np.where(np.isfinite(sigma), sigma, np.inf).argmin(axis=0)[None]
        parts = {
            name: np.take_along_axis(np.stack([getattr(one, name) for one in own]), best, axis=0)[0]
            for name in ("velocity", "sigma", "los_east", "los_north", "los_up", "elevation", "moving")
        }
        found.append(Laid(track, own[0].pass_, **parts))
    return found


def _known(looks: Sequence[Laid], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.any([np.isfinite(one.velocity) for one in looks], axis=0) if looks else np.zeros(shape, np.bool_)


def _lines(look: Look, maps: dict[str, Float32]) -> tuple[Float32, Float32, Float32]:
    """Unit vectors to the satellite as the stack has them, or from its incidence and heading."""
    names = ("los_east", "los_north", "los_up")
    if all(name in maps for name in names):
        return maps["los_east"], maps["los_north"], maps["los_up"]
    lines = terrain.los_vector(maps["incidence"], look.header.heading, look.header.look_direction)
    east, north, up = (part.astype(np.float32) for part in lines)
    return east, north, up
