"""Places without a slide to learn from, and what their choice does to the probabilities learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.hazard.absences import Method, chances, draw_order
from slidecloud.types import DataError

CAVEATS: Final = {
    "random": "slides that nobody mapped may be among the absences",
    "buffered": "ground near slides is never an absence: scores flatter, and probabilities hold for ground apart from "
    "slides",
    "slope": "flat ground is never an absence: probabilities hold for ground at least that steep",
    "target_group": "absences follow where people looked: probabilities are right where slides are mapped by the same "
    "effort, and relative elsewhere",
    "given": "they are those of the file of slides, and probabilities hold for the share of slides that was stated",
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
    if not ratio > 0:
        raise ValueError(f"ratio: found {ratio}, expected absences for each slide, above 0")
    chance = chances(
        x,
        y,
        slid,
        method=method,
        distance=distance,
        slope=slope,
        least_slope=least_slope,
        effort=effort,
        usable=usable,
    )
    slide = np.asarray(slid, bool) if usable is None else np.asarray(slid, bool) & np.asarray(usable, bool)
    slides, eligible = np.nonzero(slide)[0], np.nonzero(chance > 0)[0]
    if not slides.size or not eligible.size:
        raise DataError(
            f"found {slides.size} slides and {eligible.size} cells to draw absences from by the method {method}; "
            "expected both: check that slides lie in the area and that distance or slope leave ground over"
        )
    rank = draw_order(eligible, chance[eligible], seed=seed)
    drawn = smallest(rank, most=wanted(slides.size, ratio))
    chosen = np.concatenate([slides, np.sort(eligible[drawn])])
    return Sample(
        chosen,
        np.arange(chosen.size) < slides.size,
        method,
        seed,
        distance if method == "buffered" else None,
        least_slope if method == "slope" else None,
        int(slides.size),
        int(eligible.size),
        CAVEATS[method],
    )


def wanted(slides: int, ratio: float) -> int:
    """Absences to draw for so many slides, at least one."""
    return round(ratio * slides) or 1


def smallest(rank: ArrayLike, *, most: int) -> NDArray[np.intp]:
    """Places of the smallest numbers, at most so many, in no order."""
    found = np.asarray(rank, np.float64)
    return np.argpartition(found, most - 1)[:most] if found.size > most else np.arange(found.size)
