"""Places to learn from, drawn piece by piece from land too large to be held at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from slidecloud.config_susceptibility import AbsencesConfig, SusceptibilityConfig
from slidecloud.hazard.absences import chances, draw_order
from slidecloud.hazard.ground import Ground
from slidecloud.hazard.sampling import CAVEATS, Sample, smallest, wanted
from slidecloud.types import DataError, Float64

RANK: Final = "rank"
"""Column whose smallest values are the absences that are drawn."""
COLUMNS: Final = ("place", "x", "y", "slide", "date", RANK)
"""Columns of a part before its factors, whose names may not be among them."""


class Part(NamedTuple):
    """What a piece of land gives to learn from.

    `rows`: `COLUMNS` and all factors, of every slide and of the likeliest absences. `eligible`: cells that could be
    drawn. `unknown`: slides left out because a factor is missing.
    """

    rows: pd.DataFrame
    eligible: int
    unknown: int


def part(
    ground: Ground,
    place: ArrayLike,
    config: SusceptibilityConfig,
    *,
    most: int,
    slides: Float64 | None = None,
    other: ArrayLike | None = None,
    barred: ArrayLike | None = None,
) -> Part:
    """Slides of a piece of land, and those of its cells that may be drawn as absences.

    Parameters
    ----------
    ground
        Cells or units of the piece.
    place
        int (n,), number of each, the same however the land is cut.
    config
        What is wanted.
    most
        Absences that are wanted of the whole land.
    slides
        (m, 2), x and y of all slides of the land that may be near, m, for buffered absences.
    other
        bool (n,), given as places without a slide.
    barred
        bool (n,), neither slide nor absence.

    Raises
    ------
    ValueError
        If the configuration names a factor that is not there.
    """
    number = np.asarray(place, np.int64)
    usable = ground.known(config.needed(ground.table.columns))
    own = np.flatnonzero(ground.slid & usable)
    if config.absences.method == "given":
        drawn = np.flatnonzero(np.asarray(other, bool) & usable & ~ground.slid)
        eligible, rank = drawn.size, np.zeros(drawn.size)
    else:
        drawn, eligible, rank = _drawn(ground, number, config, usable, most, slides, barred)
    at = np.concatenate([own, drawn])
    date = np.full(at.size, "NaT", "datetime64[s]")
    if ground.slide_date is not None:
        date[: own.size] = ground.slide_date[own]
    about = {
        "place": number[at], "x": ground.x[at], "y": ground.y[at], "slide": np.arange(at.size) < own.size,
        "date": date, RANK: np.concatenate([np.zeros(own.size), rank]),
    }  # fmt: skip
    factors = {str(name): ground.factor(str(name))[at] for name in ground.table.columns}
    return Part(pd.DataFrame({**about, **factors}), int(eligible), int((ground.slid & ~usable).sum()))


def whole(parts: Iterable[Part], config: SusceptibilityConfig, *, most: int) -> tuple[pd.DataFrame, int, int]:
    """Rows to learn from, slides first and each kind by rising number, cells that could be drawn, and slides left out.

    Parameters
    ----------
    parts
        Of all pieces, in any order; one after the other is held.
    config, most
        As for `part`.

    Raises
    ------
    DataError
        If there is no slide or no absence.
    """
    slides: list[pd.DataFrame] = []
    kept: pd.DataFrame | None = None
    eligible = unknown = 0
    given = config.absences.method == "given"
    for one in parts:
        slid = one.rows["slide"].to_numpy(bool)
        slides.append(one.rows[slid])
        both = one.rows[~slid] if kept is None else pd.concat([kept, one.rows[~slid]])
        eligible, unknown = eligible + one.eligible, unknown + one.unknown
        kept = both if given else both.iloc[smallest(both[RANK].to_numpy(), most=most)]
    events = pd.concat(slides).sort_values("place") if slides else pd.DataFrame()
    if kept is None or events.empty or kept.empty:
        absences = 0 if kept is None else len(kept)
        raise DataError(
            f"found {len(events)} slides and {absences} places without one where all factors are known, by the method "
            f"{config.absences.method}; {unknown} slides lie where a factor is missing. Expected both: look at the "
            "factors' extent, and at the distance or slope of absences"
        )
    if not given:
        kept = kept.iloc[smallest(kept[RANK].to_numpy(), most=wanted(len(events), config.absences.ratio))]
    return pd.concat([events, kept.sort_values("place")], ignore_index=True), eligible, unknown


def sample_of(place: ArrayLike, event: NDArray[np.bool_], eligible: int, absences: AbsencesConfig, seed: int) -> Sample:
    """How places were drawn that a store holds."""
    least = absences.least_slope
    return Sample(
        np.asarray(place, np.intp),
        event,
        absences.method,
        seed,
        absences.distance,
        None if least is None else math.radians(least),
        int(event.sum()),
        eligible,
        CAVEATS[absences.method],
    )


def _drawn(
    ground: Ground,
    number: NDArray[np.int64],
    config: SusceptibilityConfig,
    usable: NDArray[np.bool_],
    most: int,
    slides: Float64 | None,
    barred: ArrayLike | None,
) -> tuple[NDArray[np.intp], int, Float64]:
    """The likeliest absences, how many could have been, and their ranks."""
    absences = config.absences
    assert absences.method != "given"
    chance = chances(
        ground.x,
        ground.y,
        ground.slid,
        method=absences.method,
        slides=slides,
        distance=absences.distance,
        slope=ground.factor(absences.slope) if absences.method == "slope" else None,
        least_slope=None if absences.least_slope is None else math.radians(absences.least_slope),
        effort=None if absences.effort is None else ground.factor(absences.effort),
        usable=usable if barred is None else usable & ~np.asarray(barred, bool),
    )
    eligible = np.flatnonzero(chance > 0)
    rank = draw_order(number[eligible], chance[eligible], seed=config.seed)
    chosen = np.sort(smallest(rank, most=most))
    return eligible[chosen], eligible.size, rank[chosen]
