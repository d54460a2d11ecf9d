"""Two images of one place, with the landslides that are in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.simulate.optical import scars, sky
from slidecloud.simulate.optical.families import FAMILIES, NAMES, Family, Name
from slidecloud.simulate.optical.ground import ground, paint
from slidecloud.simulate.optical.materials import Band, chosen, spectrum
from slidecloud.simulate.optical.relief import Relief, relief
from slidecloud.simulate.optical.scars import Scar
from slidecloud.simulate.optical.sensor import observe
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32, Grid

DATES: Final = 2
LEAST_SIDE: Final = 64
DEFAULT_BANDS: Final[tuple[Band, ...]] = ("blue", "green", "red", "nir")
PER_SQUARE_KILOMETRE: Final = 6.0

_CRS: Final = "EPSG:32648"
_APART: Final = 12_000.0
_A_ROW: Final = 40
_ROWS: Final = 400


@dataclass(frozen=True, eq=False)
class OpticalScene:
    """Two images of one place. Maps are (y, x).

    Attributes
    ----------
    family, bands
        As asked for.
    grid
        Where it lies; scenes of different seeds lie apart.
    images
        float32 (date, band, y, x): reflectance as a satellite measures it.
    labels
        int16 (date, y, x): 0 no landslide, k that of ``scars[k - 1]``.
    clouded, shaded, snow
        bool (date, y, x): where a cloud hides the ground, where a mountain or a cloud keeps the sun off it, and where
        snow covers it.
    water, road
        bool (y, x).
    elevation
        float32 (y, x), m.
    scars
        The landslides.
    """

    family: Name
    bands: tuple[Band, ...]
    grid: Grid
    images: Float32
    labels: NDArray[np.int16]
    clouded: NDArray[np.bool_]
    shaded: NDArray[np.bool_]
    snow: NDArray[np.bool_]
    water: NDArray[np.bool_]
    road: NDArray[np.bool_]
    elevation: Float32
    scars: tuple[Scar, ...]

    def mask(self, date: int = 1) -> NDArray[np.bool_]:
        """Landslides that show at a date, bool (y, x): what a person would outline. Under clouds nothing does."""
        shown: NDArray[np.bool_] = (self.labels[date] > 0) & ~self.clouded[date]
        return shown


def optical_scene(
    seed: int = 0,
    *,
    family: Name = "humid",
    shape: tuple[int, int] = (256, 256),
    spacing: float = 5.0,
    bands: tuple[Band, ...] = DEFAULT_BANDS,
    slides: int | None = None,
    clouds: float = 0.03,
) -> OpticalScene:
    """Make two images of a place of a family, a season or a year apart.

    It is good enough to train and to test what learns from images, and never a ground to claim accuracy on real ones.
    Each subject has its own random numbers: clouds, slides and bands change nothing else.

    Parameters
    ----------
    seed
        At least 0.
    family
        humid, dry, terraces or alpine: see `FAMILIES`.
    shape
        (y, x) pixels, at least 64 each.
    spacing
        Metres per pixel, from 1 to 30.
    bands
        Out of `materials.BANDS`, in the order wanted.
    slides
        The most there may be at either date; by default six per square kilometre, at least one.
    clouds
        Share of each image under clouds, up to 0.9.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    _check(seed, family=family, shape=shape, spacing=spacing, slides=slides)
    index = chosen(bands)
    kind = FAMILIES[family]
    count = max(1, round(shape[0] * shape[1] * spacing**2 / 1e6 * PER_SQUARE_KILOMETRE)) if slides is None else slides
    form = relief(seed, shape=shape, spacing=spacing, family=kind)
    under = ground(seed, form, family=kind, dates=DATES)
    free = ~(under.water | under.road) & (under.snow.max(0) < 0.5)
    found = scars.place(count, seed=seed, relief=form, family=kind, free=free)
    labels = np.zeros((DATES, *shape), np.int16)
    images, clouded, shaded = [], [], []
    for date in range(DATES):
        canvas = under.reflectance[date]
        labels[date] = _slide(canvas, found, date, seed=seed, relief=form, family=kind)
        paint(canvas, under.snow[date], spectrum("snow"))
        sun = _sun(seed, date, kind)
        above = sky.clouds(seed, date, shape=shape, spacing=spacing, share=clouds, sun=sun)
        light, dark = sky.illumination(form, sun, above.light)
        canvas *= light
        paint(canvas, above.cover, spectrum("cloud"))
        images.append(observe(canvas, seed=seed, date=date, haze=kind.haze)[index])
        clouded.append(above.seen)
        shaded.append(dark | above.shaded)
    return OpticalScene(
        family,
        tuple(bands),
        _grid(seed, shape, spacing),
        np.stack(images),
        labels,
        np.stack(clouded),
        np.stack(shaded),
        under.snow > 0.5,
        under.water,
        under.road,
        form.elevation,
        found,
    )


def _slide(
    canvas: Float32, found: tuple[Scar, ...], date: int, *, seed: int, relief: Relief, family: Family
) -> NDArray[np.int16]:
    """Lay the slides of a date on the ground, and say where they are."""
    labels = np.zeros(canvas.shape[1:], np.int16)
    texture = stream(seed, Subject.SCARS, 1 << 20)
    rough, regrowth = (relief.field(texture, exponent=-1.8, longest=longest) for longest in (40.0, 60.0))
    for number, scar in enumerate(found):
        bare = scar.bare[date]
        if bare == 0.0:
            continue
        drawn = scar.younger if scar.fate == "grown" and date == 0 else scar
        covered = scars.coverage(drawn, labels.shape, seed=seed, number=number)
        own = float(stream(seed, Subject.SCARS, number, 2).normal(1.1, 0.12))
        shown = covered * np.clip(bare + 0.25 * regrowth, 0.0, 1.0)
        paint(canvas, shown.astype(np.float32), spectrum(family.scar), (own * (1.0 + 0.14 * rough)).clip(0.4, 1.8))
        labels[covered > 0.5] = number + 1
    return labels


def _sun(seed: int, date: int, family: Family) -> sky.Sun:
    """Late in the morning, as satellites come by."""
    rng = stream(seed, Subject.CLOUDS, DATES + date)
    return sky.Sun(math.radians(family.sun[date] + rng.normal(0.0, 3.0)), math.radians(rng.normal(140.0, 12.0)))


def _grid(seed: int, shape: tuple[int, int], spacing: float) -> Grid:
    left = 180_000.0 + _APART * (seed % _A_ROW)
    top = 6_000_000.0 - _APART * (seed // _A_ROW % _ROWS)
    return Grid(_CRS, left, top, spacing, -spacing, *shape)


def _check(seed: int, *, family: str, shape: tuple[int, int], spacing: float, slides: int | None) -> None:
    if seed < 0:
        raise ValueError(f"seed: found {seed}, expected a whole number of at least 0")
    if family not in NAMES:
        raise ValueError(f"family: found {family!r}, expected one of {', '.join(NAMES)}")
    if len(shape) != 2 or min(shape) < LEAST_SIDE:
        raise ValueError(f"shape: found {shape}, expected at least {LEAST_SIDE} x {LEAST_SIDE} pixels")
    if not 1.0 <= spacing <= 30.0:
        raise ValueError(f"spacing: found {spacing}, expected 1 to 30 metres per pixel")
    if slides is not None and not 0 <= slides < 2**15:
        raise ValueError(f"slides: found {slides}, expected 0 to {2**15 - 1}")
