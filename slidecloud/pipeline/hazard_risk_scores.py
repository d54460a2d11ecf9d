"""Scores of a risk index on held-out places, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import FactorConfig
from slidecloud.config_risk import RiskConfig
from slidecloud.hazard.risk import Risk, index
from slidecloud.hazard.risk_places import Kept, Places
from slidecloud.hazard.risk_scores import INVENTORY, caveats, held_out
from slidecloud.hazard.spatial_cv import folds
from slidecloud.kernels.natural_breaks import Breaks
from slidecloud.pipeline.hazard_risk_classes import deformation_in
from slidecloud.pipeline.hazard_risk_report import RiskResult
from slidecloud.pipeline.hazard_risk_work import Ground


class RiskPlaces(NamedTuple):
    """All places, those of them that are used, and codes (factor, place) of all."""

    every: Places
    used: Kept
    codes: NDArray[np.int16]


def judged(
    settings: RiskConfig,
    factors: Mapping[str, FactorConfig],
    ground: Ground,
    at: RiskPlaces,
    risk: Risk,
    breaks: Breaks,
    cells: NDArray[np.int64],
) -> RiskResult:
    """The index with its scores on held-out places and what speaks against it."""
    x, y = (axis[at.used.place] for axis in at.every.metres(ground.grid))
    codes, point = at.codes[:, at.used.place], at.every.point[at.used.place]
    splits = folds(
        x, y, method=settings.held_out, number=settings.folds, repeats=settings.repeats, buffer=settings.buffer,
        block=settings.block, seed=settings.seed,
    )  # fmt: skip
    picked_by = settings.picked_by if settings.points is not None else (*settings.picked_by, *INVENTORY)
    kinds = {name: one.kind for name, one in factors.items()}
    scores = held_out(risk, codes, point, splits, picked_by=picked_by, kinds=kinds)
    told = [
        *_left_out(at.every, at.used),
        *_own_density(settings, {name: factors[name] for name in risk.names}),
        *deformation_in(ground.location, risk.names),
        *caveats(risk, scores, optimistic=settings.held_out == "optimistic"),
    ]
    level = breaks.level(index(risk, codes[:, point]))
    points = np.bincount(level, minlength=len(cells))
    return RiskResult(risk, breaks, scores, tuple(told), x[point], y[point], cells, points)


def _own_density(settings: RiskConfig, factors: Mapping[str, FactorConfig]) -> list[str]:
    """A sentence for each factor that is made of the landslides that are held out."""
    return [
        f"{name} is the density of these landslides, held-out ones among them: it tells the index where they are, and "
        "its score is too good. Give the density of others, or leave it out."
        for name, one in factors.items()
        if one.kind == "density" and one.path == settings.points
    ]


def _left_out(found: Places, use: Kept) -> list[str]:
    counts = (
        (found.beyond, "off the grid"),
        (use.masked, "on masked ground"),
        (use.unknown, "where factors are missing"),
    )
    told = [f"{number} {where}" for number, where in counts if number]
    return [f"Landslides left out: {', '.join(told)}."] if told else []
