"""Places without a slide to learn from, and what their choice does to the probabilities learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from slidecloud.types import DataError, Float64

Method = Literal["random", "buffered", "slope", "target_group"]
METHODS: Final[tuple[str, ...]] = get_args(Method)

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_CAVEATS: Final = {
    "random": "slides that nobody mapped may be among the absences",
    "buffered": "ground near slides is never an absence: scores flatter, and probabilities hold for ground apart from "
    "slides",
    "slope": "flat ground is never an absence: probabilities hold for ground at least that steep",
    "target_group": "absences follow where people looked: probabilities are right where slides are mapped by the same "
    "effort, and relative elsewhere",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Places to learn from, and how they were drawn.

    Attributes
    ----------
    place
        int (n,), indices of the cells or units given, slides first, each kind rising.
    event
        bool (n,).
    method, seed
        How absences were drawn.
    distance, least_slope
        m and rad, where they were part of it; else None.
    slides
        Cells with a slide, all of which are taken.
    eligible
        Cells that could have been drawn as absences.
    caveat
        What the method does to the probabilities, in words.
    """

    place: NDArray[np.intp]
    event: NDArray[np.bool_]
    method: str
    seed: int
    distance: float | None
    least_slope: float | None
    slides: int
    eligible: int
    caveat: str

    @property
    def drawn(self) -> int:
        """Absences."""
        return int((~self.event).sum())

    @property
    def sample_share(self) -> float:
        """Share of slides among the places drawn, which is what a model learns as the mean probability."""
        return self.slides / (self.slides + self.drawn)

    @property
    def true_share(self) -> float:
        """Share of cells with a slide among slides and eligible cells, which is the mean probability on the ground."""
        return self.slides / (self.slides + self.eligible)

    def record(self) -> dict[str, object]:
        """What a result must keep of its sample, as plain values."""
        return {
            "method": self.method,
            "seed": self.seed,
            "distance_m": self.distance,
            "least_slope_degrees": None if self.least_slope is None else round(math.degrees(self.least_slope), 6),
            "slides": self.slides,
            "absences": self.drawn,
            "eligible": self.eligible,
            "sample_share": self.sample_share,
            "true_share": self.true_share,
            "caveat": self.caveat,
        }


def sample(
    x: ArrayLike,
    y: ArrayLike,
    slid: ArrayLike,
    *,
    method: Method = "random",
    ratio: float = 1.0,
    distance: float | None = None,
    slope: ArrayLike | None = None,
    least_slope: float | None = None,
    effort: ArrayLike | None = None,
    usable: ArrayLike | None = None,
    seed: int = 0,
) -> Sample:
    """All cells with a slide and, drawn without replacement, absences among the others.

    Parameters
    ----------
    x, y
        (n,), m, of all cells or units of the area, in a metric CRS.
    slid
        bool (n,), whether a slide lies there.
    method
        ``random``: any cell without a slide. ``buffered``: at least `distance` from every slide. ``slope``: on ground
        of at least `least_slope`. ``target_group``: with a chance that follows `effort`, such as the density of all
        records of any disaster, so that absences share the bias of where people looked (Phillips et al., 2009).
    ratio
        Absences for each slide, above 0; all eligible cells are taken where they are fewer.
    distance
        m.
    slope
        (n,), rad; NaN is never drawn.
    least_slope
        rad, below pi / 2.
    effort
        (n,), not negative, any scale; NaN and 0 are never drawn.
    usable
        bool (n,), cells whose factors are all known; others are neither slides nor absences. None: all.
    seed
        Of the draw.

    Raises
    ------
    ValueError
        If shapes disagree or what the method needs is missing.
    DataError
        If there is no slide or no cell left to draw.
    """
    place = np.stack([np.asarray(axis, np.float64) for axis in (x, y)], axis=-1)
    slide = np.asarray(slid, bool)
    good = np.ones(slide.shape, bool) if usable is None else np.asarray(usable, bool)
    if slide.ndim != 1 or place.shape != (*slide.shape, 2) or good.shape != slide.shape:
        raise ValueError(f"x, y, slid, usable: found {place.shape[:-1]}, {slide.shape}, {good.shape}; expected (n,)")
    if method not in METHODS:
        raise ValueError(f"method: found {method!r}, expected one of {', '.join(METHODS)}")
    if not ratio > 0:
        raise ValueError(f"ratio: found {ratio}, expected absences for each slide, above 0")
    weight = good & ~slide & np.isfinite(place).all(axis=1)
    chance = weight.astype(np.float64)
    if method == "buffered":
        chance *= _apart(place, slide, distance)
    elif method == "slope":
        chance *= _steep(slope, least_slope, slide.shape)
    elif method == "target_group":
        chance *= _looked_at(effort, slide.shape)
    slides, eligible = np.nonzero(slide & good)[0], np.nonzero(chance > 0)[0]
    if not slides.size or not eligible.size:
        raise DataError(
            f"found {slides.size} slides and {eligible.size} cells to draw absences from by the method {method}; "
            "expected both: check that slides lie in the area and that distance or slope leave ground over"
        )
    number = min(round(ratio * slides.size) or 1, eligible.size)
    rank = draw_order(eligible, chance[eligible], seed=seed)
    drawn = eligible[np.argpartition(rank, number - 1)[:number]]
    chosen = np.concatenate([slides, np.sort(drawn)])
    return Sample(
        chosen,
        np.arange(chosen.size) < slides.size,
        method,
        seed,
        distance if method == "buffered" else None,
        least_slope if method == "slope" else None,
        int(slides.size),
        int(eligible.size),
        _CAVEATS[method],
    )


def draw_order(index: ArrayLike, weight: ArrayLike, *, seed: int = 0) -> Float64:
    """A number for each cell such that those of the smallest ones are a draw without replacement.

    Parameters
    ----------
    index
        int (n,), number of each cell, the same however the land is cut into pieces.
    weight
        (n,), above 0; at the first draw chances are in proportion to it.
    seed
        Of the draw.

    Returns
    -------
    float64 (n,), above 0. It depends on the cell and the seed alone, so that the smallest of all pieces are the
    smallest of the whole, and each piece need hold no more than are drawn.

    Notes
    -----
    Exponential of rate `weight` (Efraimidis and Spirakis, 2006, Inf. Process. Lett. 97, 181) from a uniform number that
    is a hash of cell and seed (SplitMix64; Steele et al., 2014).
    """
    state = np.asarray(index).astype(np.uint64) + np.uint64(1)
    state = state * _GOLDEN + _mixed(np.array([seed], np.uint64) + _GOLDEN)
    uniform = ((_mixed(state) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    rank: Float64 = -np.log(uniform) / np.asarray(weight, np.float64)
    return rank


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _apart(place: Float64, slide: NDArray[np.bool_], distance: float | None) -> NDArray[np.bool_]:
    if distance is None or not distance > 0:
        raise ValueError(f"distance: found {distance}, expected metres above 0 for the method buffered")
    known = np.isfinite(place).all(axis=1)
    if not (slide & known).any():
        return np.zeros(slide.shape, bool)
    near = cKDTree(place[slide & known]).query(np.where(known[:, None], place, np.inf), distance_upper_bound=distance)[
        0
    ]
    return ~(near < distance)


def _steep(slope: ArrayLike | None, least: float | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if slope is None or least is None:
        raise ValueError("slope, least_slope: expected both for the method slope")
    if not 0 < least < math.pi / 2:
        raise ValueError(f"least_slope: found {least}, expected radians between 0 and pi / 2")
    found = np.asarray(slope, np.float64)
    if found.shape != shape:
        raise ValueError(f"slope: found shape {found.shape}, expected {shape}")
    return np.isfinite(found) & (found >= least)


def _looked_at(effort: ArrayLike | None, shape: tuple[int, ...]) -> Float64:
    if effort is None:
        raise ValueError("effort: found none, expected one value for each cell for the method target_group")
    found = np.nan_to_num(np.asarray(effort, np.float64), nan=0.0)
    if found.shape != shape or (found < 0).any() or not np.isfinite(found).all():
        raise ValueError(
            f"effort: found shape {found.shape} from {found.min(initial=0.0):.4g}, expected {shape} from 0"
        )
    return found
