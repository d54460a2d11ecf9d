"""Landslides as they look from above: a source that breaks out of a slope and a runout that follows it down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from slidecloud.simulate.optical.families import Family
from slidecloud.simulate.optical.relief import Relief
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32, Float64

Fate = Literal["new", "grown", "lasting", "vanished"]

FATES: Final[tuple[Fate, ...]] = ("new", "lasting", "new", "grown", "new", "vanished")
"""They take turns, so that half of the slides are new."""

STEEP: Final = 0.4
"""Rad: slides break out of ground steeper than this."""

LENGTHS: Final = (70.0, 700.0)
"""Metres that a slide runs at most, drawn evenly on a logarithmic scale."""

WIDEST: Final = 160.0
"""Metres."""

_ATTEMPTS: Final = 400
_APART: Final = 12.0
_LEAST_PIXELS: Final = 12
_YOUNGER: Final = 0.7
_INERTIA: Final = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Scar:
    """One landslide.

    Attributes
    ----------
    fate
        ``new``: only at the second date. ``grown``: larger then. ``lasting``: the same, somewhat overgrown at both.
        ``vanished``: overgrown by then.
    path
        float64 (n, 2): row and column of its middle line from head to toe, a pixel apart.
    half_width
        float64 (n,), pixels.
    bare
        Share of it that is bare at the first and at the second date; 0 where it is not there.
    """

    fate: Fate
    path: Float64
    half_width: Float64
    bare: tuple[float, float]

    @property
    def younger(self) -> Scar:
        """The same before it grew: slimmer, and without the end of its runout and the back of its head."""
        first, last = round(0.12 * len(self.path)), max(4, round(0.75 * len(self.path)))
        return Scar(self.fate, self.path[first:last], _YOUNGER * self.half_width[first:last], self.bare)


def place(count: int, *, seed: int, relief: Relief, family: Family, free: NDArray[np.bool_]) -> tuple[Scar, ...]:
    """Find places for slides on steep ground, apart from one another.

    Parameters
    ----------
    count
        The most there may be; fewer where there is no room.
    free
        bool (y, x): where a slide may break out.
    """
    taken = np.zeros(relief.elevation.shape, bool)
    steep = np.flatnonzero((relief.slope > STEEP) & free)
    found: list[Scar] = []
    margin = max(2, round(_APART / relief.spacing))
    for number in range(count if steep.size else 0):
        rng = stream(seed, Subject.SCARS, number)
        for attempt in range(_ATTEMPTS):
            fate = FATES[len(found) % len(FATES)]
            scar = _scar(rng, int(rng.choice(steep)), relief, family, fate, shrink=1.0 - 0.7 * attempt / _ATTEMPTS)
            if scar is None:
                continue
            inside = coverage(scar, taken.shape, seed=seed, number=len(found)) > 0.5
            if inside.sum() >= _LEAST_PIXELS and not taken[inside].any():
                found.append(scar)
                taken |= ndimage.binary_dilation(inside, iterations=margin)
                break
    return tuple(found)


def coverage(scar: Scar, shape: tuple[int, ...], *, seed: int, number: int) -> Float32:
    """Share of each pixel that a slide covers, float32 (y, x); its edge is ragged, by its number among the slides."""
    reach = 1.6 * float(scar.half_width.max()) + 3.0
    low = np.maximum(0, np.floor(scar.path.min(0) - reach)).astype(int)
    high = np.minimum(shape, np.ceil(scar.path.max(0) + reach) + 1).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), -1)
    away, nearest = cKDTree(scar.path).query(grid.reshape(-1, 2))
    noise = stream(seed, Subject.SCARS, number, 1).standard_normal(grid.shape[:2])
    ragged = ndimage.gaussian_filter(noise, 1.5) * 3.5
    ragged = ragged * np.minimum(1.0, 0.22 * scar.half_width[nearest].reshape(grid.shape[:2]))
    inside = scar.half_width[nearest].reshape(grid.shape[:2]) - away.reshape(grid.shape[:2]) + 1.2 * ragged
    covered = np.zeros(shape, np.float32)
    covered[low[0] : high[0], low[1] : high[1]] = np.clip(0.5 + inside, 0.0, 1.0)
    return covered


def _scar(
    rng: np.random.Generator, source: int, relief: Relief, family: Family, fate: Fate, *, shrink: float
) -> Scar | None:
    """A slide that breaks out at a pixel, or None where it would come to rest at once."""
    length = shrink * math.exp(rng.uniform(*np.log(LENGTHS)))
    path = _runout(np.array(np.unravel_index(source, relief.elevation.shape), np.float64), length, relief, rng, family)
    if len(path) < 6:
        return None
    run = len(path) * relief.spacing
    width = min(WIDEST, run * float(rng.uniform(*family.slimness))) / relief.spacing
    fresh, faded = float(rng.uniform(0.8, 1.0)), float(rng.uniform(0.5, 0.75))
    bare = {
        "new": (0.0, fresh),
        "grown": (0.8 * fresh, fresh),
        "lasting": (faded, 0.85 * faded),
        "vanished": (fresh, 0.0),
    }[fate]
    return Scar(fate, path, 0.5 * width * _outline(rng, len(path)), bare)


def _runout(start: Float64, length: float, relief: Relief, rng: np.random.Generator, family: Family) -> Float64:
    """Steps of one pixel down the slope, until the line to the head is as flat as the family's angle of reach."""
    tangent = math.tan(rng.uniform(*family.reach))
    points, heading = [start], np.zeros(2)
    head = _at(relief.elevation, start)
    shape = np.array(relief.elevation.shape)
    while len(points) * relief.spacing < length:
        here = np.rint(points[-1]).astype(int)
        fall = -relief.rise[:, here[0], here[1]]
        steepness = float(np.hypot(*fall))
        if steepness < 1e-3:
            break
        heading = _INERTIA * heading + (1.0 - _INERTIA) * fall / steepness
        step = points[-1] + heading / max(float(np.hypot(*heading)), 1e-9)
        if (step < 1).any() or (step > shape - 2).any():
            break
        travelled = len(points) * relief.spacing
        if travelled > 30.0 and head - _at(relief.elevation, step) < tangent * travelled:
            break
        points.append(step)
    return np.array(points)


def _at(elevation: Float32, place: Float64) -> float:
    row, column = np.rint(place).astype(int)
    return float(elevation[row, column])


def _outline(rng: np.random.Generator, count: int) -> Float64:
    """Half width along a slide, 1 at its source: round at the head, narrower on the way, spread at the toe."""
    along = np.linspace(0.0, 1.0, count)
    neck, toe = rng.uniform(0.4, 0.9), rng.uniform(0.4, 1.0)
    width = np.interp(along, [0.0, 0.3, 0.65, 0.9, 1.0], [1.0, 1.0, neck, toe, toe])
    ends = np.sqrt(np.clip(1.0 - (1.0 - along / 0.12) ** 2, 0.05, 1.0)) * (along < 0.12) + (along >= 0.12)
    close = np.clip((1.0 - along) / 0.1, 0.0, 1.0)
    outline: Float64 = width * ends * np.sqrt(1.0 - (1.0 - close) ** 2 + 0.02)
    return outline
