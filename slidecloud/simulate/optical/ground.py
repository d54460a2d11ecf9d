"""Ground without landslides: soil, rock, trees, grass, fields, houses, river, roads and snow."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from slidecloud.simulate.optical.families import Family
from slidecloud.simulate.optical.materials import BANDS, spectrum
from slidecloud.simulate.optical.parcels import STATES, Parcels, parcels
from slidecloud.simulate.optical.relief import Relief
from slidecloud.simulate.optical.routes import Routes, routes
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32, Float64

_STEEP: Final = 0.75
_ROAD: Final = (5.0, 9.0)
_RIVER: Final = (6.0, 16.0)
_BARS: Final = 2.5


class Ground(NamedTuple):
    """What is there before landslides.

    Attributes
    ----------
    reflectance
        float32 (date, band, y, x) in `materials.BANDS`, as seen under even light.
    water, road
        bool (y, x).
    snow
        float32 (date, y, x): share of a pixel under snow, which is not yet in the reflectance.
    """

    reflectance: Float32
    water: NDArray[np.bool_]
    road: NDArray[np.bool_]
    snow: Float32


class _Growth(NamedTuple):
    """Shares (y, x) of trees, of what grows on the rest, and of rock; brightness of soil and of crowns."""

    trees: Float32
    grass: Float32
    rock: Float32
    soil: Float32
    crowns: Float32


def ground(seed: int, relief: Relief, *, family: Family, dates: int) -> Ground:
    """Cover the ground, and change it between dates as seasons and farmers do."""
    grown = _growth(seed, relief, family)
    farms = parcels(seed, relief, family=family, dates=dates)
    ways = routes(seed, relief.elevation, spacing=relief.spacing, family=family)
    rng = stream(seed, Subject.ROUTES, 1)
    wide = rng.uniform(*_RIVER)
    banks = ways.river + 3.0 * relief.field(rng, exponent=-2.5, longest=80.0)
    water, bars = _within(banks, wide, relief.spacing), _within(banks, _BARS * wide, relief.spacing)
    road = _within(ways.roads, rng.uniform(*_ROAD), relief.spacing)
    snow = np.stack([_snow(seed, relief, family, date) for date in range(dates)])
    seen = np.empty((dates, len(BANDS), *relief.elevation.shape), np.float32)
    for date, canvas in enumerate(seen):
        _plant(canvas, grown, family, greenness=family.greenness[date % 2])
        _farm(canvas, farms, date, family)
        paint(canvas, bars, spectrum("gravel"), grown.soil)
        paint(canvas, water, spectrum(family.water))
        # A road is cut into the slope: bare ground on both sides of it where that is steep.
        paint(canvas, _cut(ways, relief), spectrum(family.soil), grown.soil)
        paint(canvas, road, spectrum(family.road))
        paint(canvas, farms.houses.astype(np.float32), spectrum("roof"), farms.brightness)
    return Ground(seen, water > 0.5, road > 0.5, snow)


def paint(canvas: Float32, share: Float32, colour: Float32, brightness: Float32 | None = None) -> None:
    """Cover a share (y, x) of each pixel of a canvas (band, y, x) with a colour (band,), brighter or darker."""
    tone = colour[:, None, None] if brightness is None else colour[:, None, None] * brightness
    canvas += share * (tone - canvas)


def _growth(seed: int, relief: Relief, family: Family) -> _Growth:
    rng = stream(seed, Subject.COVER)
    forest, growth, rocky = (
        relief.field(rng, exponent=-2.6, longest=longest) for longest in (family.clearing, 0.6 * family.clearing, 150.0)
    )
    shade = np.cos(relief.aspect) * np.sin(relief.slope)
    trees = _share(forest + 2.5 * family.shady_trees * shade, family.trees, sharpness=5.0)
    grown = _share(growth - 1.5 * (relief.slope - relief.slope.mean()), family.grown, sharpness=3.0)
    steep = expit((relief.slope - _STEEP) * 14.0 + 1.5 * rocky)
    rock = np.clip(steep * family.rock / max(float(steep.mean()), 1e-3), 0.0, 1.0) if family.rock else np.zeros(())
    texture = relief.field(rng, exponent=-1.8, longest=60.0)
    crowns = relief.field(rng, exponent=-0.8, longest=25.0)
    return _Growth(
        np.asarray(trees * grown, np.float32),
        np.asarray((1.0 - trees) * grown, np.float32),
        np.broadcast_to(np.asarray(rock, np.float32), relief.elevation.shape),
        (1.0 + 0.1 * texture).clip(0.6, 1.4),
        (1.0 + 0.16 * crowns).clip(0.5, 1.5),
    )


def _share(field: Float32 | Float64, share: float, *, sharpness: float) -> Float32:
    """A field as shares of pixels, `share` of them above one half."""
    covered: Float32 = expit(sharpness * (field - np.quantile(field, 1.0 - share))).astype(np.float32)
    return covered


def _plant(canvas: Float32, grown: _Growth, family: Family, *, greenness: float) -> None:
    canvas[:] = spectrum(family.soil)[:, None, None] * grown.soil
    paint(canvas, grown.grass, _mixed("straw", family.grass, greenness), grown.soil)
    leaves = 1.0 if family.canopy == "conifer" else 0.5 + 0.5 * greenness
    paint(canvas, grown.trees, _mixed("shrub", family.canopy, leaves), grown.crowns)
    paint(canvas, grown.rock, spectrum("grey rock"), grown.soil)


def _farm(canvas: Float32, farms: Parcels, date: int, family: Family) -> None:
    colours = {"bare": family.soil, "crop": "crop", "straw": "straw", "meadow": family.grass}
    for number, state in enumerate(STATES):
        share = farms.farmed * (farms.state[date] == number)
        paint(canvas, share, spectrum(colours[state]), farms.brightness)


def _mixed(dull: str, lush: str, greenness: float) -> Float32:
    mixed: Float32 = spectrum(dull) + np.float32(greenness) * (spectrum(lush) - spectrum(dull))
    return mixed


def _within(distance: Float32, width: float, spacing: float) -> Float32:
    """Share of each pixel within half a width of a line."""
    share: Float32 = np.clip(0.5 + (0.5 * width - distance) / spacing, 0.0, 1.0).astype(np.float32)
    return share


def _cut(ways: Routes, relief: Relief) -> Float32:
    steep: Float32 = np.clip(relief.slope / 0.5, 0.0, 1.0)
    return (0.8 * steep * _within(ways.roads, 18.0, relief.spacing)).astype(np.float32)


def _snow(seed: int, relief: Relief, family: Family, date: int) -> Float32:
    """Snow above a ragged line, less of it on sunny slopes; a third of it has gone by each next date."""
    share = family.snow * (2.0 / 3.0) ** date
    if not share:
        return np.zeros(relief.elevation.shape, np.float32)
    ragged = relief.field(stream(seed, Subject.COVER, 1, date), exponent=-2.2, longest=200.0)
    height = relief.elevation + 40.0 * np.cos(relief.aspect) * np.sin(relief.slope) + 12.0 * ragged
    line = np.quantile(height, 1.0 - share)
    lying: Float32 = np.clip(0.5 + (height - line) / 15.0, 0.0, 1.0).astype(np.float32)
    smooth: Float32 = ndimage.gaussian_filter(lying, 0.5).astype(np.float32)
    return smooth
