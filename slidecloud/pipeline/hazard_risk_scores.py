"""Scores of a risk index on held-out places, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import FactorConfig
from slidecloud.config_risk import RiskConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.risk import Risk
from slidecloud.hazard.risk_places import Kept, Places
from slidecloud.hazard.risk_scores import INVENTORY, HeldOut, caveats, held_out
from slidecloud.hazard.spatial_cv import folds
from slidecloud.pipeline.hazard_risk_classes import deformation_in
from slidecloud.store.location import Location
from slidecloud.types import Grid


class RiskPlaces(NamedTuple):
    """All places, those of them that are used, and codes (factor, place) of all."""

    every: Places
    used: Kept
    codes: NDArray[np.int16]

    @property
    def points(self) -> NDArray[np.intp]:
        """Numbers of the landslides among those that are used."""
        return self.used.place[self.every.point[self.used.place]]


def scored(
    settings: RiskConfig, factors: Mapping[str, FactorConfig], grid: Grid, at: RiskPlaces, risk: Risk
) -> HeldOut:
    """Scores of the index on held-out places.

    Raises
    ------
    ConfigError
        If the places cannot be held out as the configuration asks for.
    """
    x, y = (axis[at.used.place] for axis in at.every.metres(grid))
    codes, point = at.codes[:, at.used.place], at.every.point[at.used.place]
    picked_by = settings.picked_by if settings.points is not None else (*settings.picked_by, *INVENTORY)
    kinds = {name: one.kind for name, one in factors.items()}
    try:
        splits = folds(
            x, y, method=settings.held_out, number=settings.folds, repeats=settings.repeats, buffer=settings.buffer,
            block=settings.block, seed=settings.seed,
        )  # fmt: skip
        return held_out(risk, codes, point, splits, picked_by=picked_by, kinds=kinds)
    except ValueError as error:
        raise ConfigError(
            f"risk cannot be scored on {int(point.sum())} landslides as it asks for: {error}. Give other folds, block "
            "or buffer."
        ) from None


def spoken_against(
    settings: RiskConfig,
    factors: Mapping[str, FactorConfig],
    location: Location,
    at: RiskPlaces,
    risk: Risk,
    scores: HeldOut,
) -> tuple[str, ...]:
    """What speaks against the index, one sentence each."""
    return (
        *_left_out(at.every, at.used),
        *_own_slides(settings, {name: factors[name] for name in risk.names}),
        *deformation_in(location, risk.names),
        *caveats(risk, scores, optimistic=settings.held_out == "optimistic"),
    )


def _own_slides(settings: RiskConfig, factors: Mapping[str, FactorConfig]) -> list[str]:
    """A sentence for each factor that is made of the landslides that are held out."""
    return [
        f"{name} is a {one.kind} made of these landslides, held-out ones among them: it tells the index where they "
        "are, and its score is too good. Make it of others, or leave it out."
        for name, one in factors.items()
        if one.is_made_of(settings.points)
    ]


def _left_out(found: Places, use: Kept) -> list[str]:
    counts = (
        (found.beyond, "off the grid"),
        (use.masked, "on masked ground"),
        (use.unknown, "where factors are missing"),
    )
    told = [f"{number} {where}" for number, where in counts if number]
    return [f"Landslides left out: {', '.join(told)}."] if told else []
