"""The maps of a track, and where those of different bursts overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import seams as kernel
from slidecloud.store.arrays import MissingChunkError
from slidecloud.store.seams import DISPLACEMENT, VELOCITIES
from slidecloud.store.velocity_maps import Pixels, VelocityMap
from slidecloud.types import Float32

MOST_PIXELS: Final = 20_000
"""Pixels of an overlap, at most about so many, that are compared."""
SEARCHED: Final = 500_000
"""Pixels of a map, at most about so many, that are looked for in another."""
BAND: Final = 64
"""Rows that are read at once."""


@dataclass(frozen=True, slots=True)
class Member:
    """A patch or a whole burst of a track; few numbers, since a track has thousands.

    Attributes
    ----------
    map
        Its velocity map, without what was read of it.
    bounds
        West, south, east and north, degrees.
    pixels
        Number of its pixels.
    """

    map: VelocityMap
    bounds: tuple[float, float, float, float]
    pixels: int

    @property
    def names(self) -> tuple[str, str]:
        """Burst and patch; the patch of a whole burst is empty."""
        return self.map.header.id, self.map.patch

    @property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude of its middle."""
        west, south, east, north = self.bounds
        return (west + east) / 2, (south + north) / 2

    def open(self) -> VelocityMap:
        """The map, to read of it."""
        return _fresh(self.map)


class Overlap(NamedTuple):
    """Two maps, by number, that overlap, and the same places in both."""

    first: int
    second: int
    here: Pixels
    there: Pixels


def member_of(one: VelocityMap) -> Member:
    """What is to be known of a map."""
    height, width = one.shape
    return Member(_fresh(one), one.bounds, height * width)


def neighbours(members: Sequence[Member]) -> list[tuple[int, int]]:
    """Maps of different bursts, by number, whose bounds overlap."""
    import shapely

    if not members:
        return []
    boxes = [shapely.box(*member.bounds) for member in members]
    found = zip(*shapely.STRtree(boxes).query(boxes).tolist(), strict=True)
    return sorted(
        (one, other) for one, other in found if one < other and members[one].names[0] != members[other].names[0]
    )


def overlap(members: Sequence[Member], first: int, second: int) -> Overlap | None:
    """The places that two maps have in common, None where these are too few or one of the maps is not finished."""
    pair = members[first].open(), members[second].open()
    if any(velocity(one, VELOCITIES[0]) is None for one in pair):
        return None
    here, there = _common(*pair)
    return Overlap(first, second, here, there) if here.rows.size >= kernel.LEAST_PIXELS else None


def velocity(one: VelocityMap, name: str) -> Float32 | None:
    """A velocity of a map, (y, x); None where it is not made, or not finished."""
    try:
        return one.map(name)
    except (KeyError, MissingChunkError):
        return None


def displacement(one: VelocityMap, pixels: Pixels) -> Float32:
    """Displacement (time, pixel) of some pixels of a map, a band of rows at a time."""
    found = np.full((len(one.time), pixels.rows.size), np.nan, np.float32)
    for band in np.unique(pixels.rows // BAND):
        own = np.flatnonzero(pixels.rows // BAND == band)
        found[:, own] = one.series(DISPLACEMENT, Pixels(pixels.rows[own], pixels.columns[own]))
    return found


def _fresh(one: VelocityMap) -> VelocityMap:
    return VelocityMap(one.run, one.header, one.path)


def _common(one: VelocityMap, other: VelocityMap) -> tuple[Pixels, Pixels]:
    """Pixels of one map and those of another that hold their centres."""
    height, width = one.shape
    step = max(1, int(np.ceil(np.sqrt(height * width / SEARCHED))))
    rows, columns = (axis.ravel().astype(np.intp) for axis in np.mgrid[:height:step, :width:step])
    beyond, across, inside = other.pixel_of(*one.place(Pixels(rows, columns)))
    places: NDArray[np.intp] = np.flatnonzero(inside)
    places = places[:: max(1, -(-places.size // MOST_PIXELS))]
    return Pixels(rows[places], columns[places]), Pixels(beyond[places], across[places])
