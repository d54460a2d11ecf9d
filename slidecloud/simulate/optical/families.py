"""Families of landscapes. A network is judged on a family that it has not learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Name = Literal["humid", "dry", "terraces", "alpine"]


@dataclass(frozen=True, slots=True)
class Family:
    """What the landscapes of a family have in common.

    Attributes
    ----------
    mean_slope
        Rad.
    canopy, grass, soil, scar, road, water
        Their materials. A scar shows ``scar``, less weathered than ``soil``.
    trees, grown
        Shares of the wild ground under trees, and under trees or grass; the rest is bare.
    clearing
        Metres: the longest patches of trees and of bare ground.
    rock
        Share of the steepest ground that is bare rock.
    shady_trees
        How much more trees there are on slopes that face away from the sun, from 0 to 1.
    farmed
        Share of the scene that would be farmed were it all flat.
    farmed_slope
        Rad: steeper ground is not farmed.
    parcel
        Metres across a field.
    terraced
        How much fields follow the contours; 0 not at all.
    snow
        Share of the scene above the snow line at the first date; 0 none.
    greenness
        Share of the green season that has passed at each date, from 0 (straw) to 1 (lush).
    sun
        Degrees above the horizon at each date.
    haze
        Reflectance that the air adds in the blue.
    reach
        Rad: angle from the toe of a slide to its head (Heim's Fahrboeschung), lowest and highest.
    slimness
        Width of a slide's source over its whole length, least and greatest.
    """

    mean_slope: float
    canopy: str
    grass: str
    soil: str
    scar: str
    road: str
    water: str
    trees: float
    grown: float
    clearing: float
    rock: float
    shady_trees: float
    farmed: float
    farmed_slope: float
    parcel: float
    terraced: float
    snow: float
    greenness: tuple[float, float]
    sun: tuple[float, float]
    haze: float
    reach: tuple[float, float]
    slimness: tuple[float, float]


FAMILIES: Final[dict[Name, Family]] = {
    # Dense forest on red soil, slender debris flows.
    "humid": Family(
        mean_slope=0.42,
        canopy="broadleaf",
        grass="meadow",
        soil="red soil",
        scar="red soil",
        road="gravel",
        water="muddy water",
        trees=0.7,
        grown=0.97,
        clearing=500.0,
        rock=0.02,
        shady_trees=0.2,
        farmed=0.35,
        farmed_slope=0.28,
        parcel=60.0,
        terraced=0.5,
        snow=0.0,
        greenness=(0.85, 1.0),
        sun=(52.0, 58.0),
        haze=0.02,
        reach=(0.26, 0.45),
        slimness=(0.12, 0.4),
    ),
    # Shrubs and straw on brown soil: slides differ little from the ground about them.
    "dry": Family(
        mean_slope=0.36,
        canopy="shrub",
        grass="straw",
        soil="brown soil",
        scar="loess",
        road="gravel",
        water="clear water",
        trees=0.3,
        grown=0.75,
        clearing=250.0,
        rock=0.12,
        shady_trees=0.6,
        farmed=0.3,
        farmed_slope=0.18,
        parcel=110.0,
        terraced=0.0,
        snow=0.0,
        greenness=(0.35, 0.2),
        sun=(45.0, 38.0),
        haze=0.012,
        reach=(0.28, 0.48),
        slimness=(0.25, 0.7),
    ),
    # Loess with terraced fields, many of them bare: broad, short slides.
    "terraces": Family(
        mean_slope=0.34,
        canopy="broadleaf",
        grass="meadow",
        soil="loess",
        scar="loess",
        road="asphalt",
        water="muddy water",
        trees=0.25,
        grown=0.85,
        clearing=200.0,
        rock=0.0,
        shady_trees=0.4,
        farmed=0.75,
        farmed_slope=0.42,
        parcel=45.0,
        terraced=3.0,
        snow=0.0,
        greenness=(0.6, 0.8),
        sun=(50.0, 44.0),
        haze=0.018,
        reach=(0.2, 0.38),
        slimness=(0.3, 0.8),
    ),
    # Conifers, meadows, screes and some snow under a low sun.
    "alpine": Family(
        mean_slope=0.5,
        canopy="conifer",
        grass="meadow",
        soil="brown soil",
        scar="grey rock",
        road="asphalt",
        water="clear water",
        trees=0.5,
        grown=0.9,
        clearing=350.0,
        rock=0.25,
        shady_trees=0.3,
        farmed=0.15,
        farmed_slope=0.2,
        parcel=90.0,
        terraced=0.0,
        snow=0.06,
        greenness=(0.7, 0.9),
        sun=(40.0, 50.0),
        haze=0.008,
        reach=(0.32, 0.52),
        slimness=(0.15, 0.5),
    ),
}

NAMES: Final = get_args(Name)
