"""Susceptibility of a whole area as configured: every model without and with deformation, judged alike and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard import calibration, sampling
from slidecloud.hazard.comparison import Comparison, compare
from slidecloud.hazard.evaluation import Evaluation, Recipe, cross_validate
from slidecloud.hazard.ground import Ground, sampled
from slidecloud.hazard.models import Name
from slidecloud.hazard.spatial_cv import Fold, block_labels, folds
from slidecloud.hazard.susceptibility import Places, Susceptibility, susceptibility, to_learn_from
from slidecloud.hazard.variogram import LEAST, variogram
from slidecloud.types import DataError

INSAR: Final = "_insar"
"""What the name of a model with deformation ends in."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was learnt of an area.

    Attributes
    ----------
    sample
        How absences were drawn.
    places
        What was learnt from; the same for all models, so that they can be compared.
    splits
        Of the places, the same for all models.
    method
        Of calibration.
    models
        By name; one with deformation ends in `INSAR`.
    optimistic
        Evaluations with splits of chance, by the same names; empty where not asked for.
    gains
        With over without deformation, by the name of the model.
    buffer, block, reach
        Metres: kept out around tests, side of the blocks of the bootstrap, range of the variogram of residuals; None
        where places are too few to see one.
    """

    sample: sampling.Sample
    places: Places
    splits: list[Fold]
    method: calibration.Method
    models: dict[str, Susceptibility]
    optimistic: dict[str, Evaluation]
    gains: dict[str, Comparison]
    buffer: float
    block: float
    reach: float | None


def assess(ground: Ground, config: SusceptibilityConfig) -> Assessment:
    """Learn every model of a configuration, judge all on the same splits, and hold deformation against none.

    Parameters
    ----------
    ground
        The whole area; cells where a factor is missing are neither learnt from nor counted.
    config
        What is wanted.

    Raises
    ------
    ValueError
        If the configuration names a factor that is not there.
    DataError
        If slides or ground to draw absences from are missing, or slides are too old for the deformation.
    """
    sample, places = sampled(ground, config)
    return assess_places(sample, places, config, categories=ground.categories)


def assess_places(
    sample: sampling.Sample,
    places: Places,
    config: SusceptibilityConfig,
    *,
    categories: Sequence[str] = (),
) -> Assessment:
    """The same from places that were drawn before, as from land too large to be held at once.

    Parameters
    ----------
    sample
        How they were drawn.
    places
        Slides and absences, in the order of the sample.
    config
        As for `assess`.
    categories
        Factors that are codes.

    Raises
    ------
    DataError
        As `assess`.
    """
    names = config.names(places.table.columns)
    static = tuple(name for name in names if name not in config.deformation)
    if not static:
        raise DataError("factors: all of them are deformation; expected some without, to learn a model without it")
    kinds = {"": static} | ({INSAR: names} if config.deformation else {})

    def recipe(model: Name, factors: Sequence[str]) -> Recipe:
        return _recipe(model, factors, categories, config)

    # Slides that are too old go here, for all models alike, or were asked for.
    places = to_learn_from(
        places, recipe("logistic", names), deformation=config.deformation, older_slides=config.older_slides
    )
    reach = _reach(places, recipe("logistic", static), config.seed)
    buffer = _buffer(places, config, reach)
    # Residuals without a range still get blocks, of a size that leaves many of them.
    block = config.block or reach or float(np.hypot(np.ptp(places.x), np.ptp(places.y))) / 30
    splits = splits_of(places, config, buffer)
    chance = folds(places.x, places.y, method="optimistic", number=config.splits.number, repeats=2, seed=config.seed)
    given = places.table, places.event, places.x, places.y
    models: dict[str, Susceptibility] = {}
    optimistic: dict[str, Evaluation] = {}
    for model in config.models:
        for ending, factors in kinds.items():
            chosen = recipe(model, factors)
            models[model + ending] = susceptibility(places, recipe=chosen, splits=splits, method=config.calibration)
            if config.splits.optimistic:
                optimistic[model + ending] = cross_validate(*given, recipe=chosen, splits=chance)
    gains = _gains(models, block_labels(places.x, places.y, side=block), config) if config.deformation else {}
    return Assessment(sample, places, splits, config.calibration, models, optimistic, gains, buffer, block, reach)


def _gains(
    models: dict[str, Susceptibility], label: NDArray[np.intp], config: SusceptibilityConfig
) -> dict[str, Comparison]:
    return {
        model: compare(
            models[model].evaluation, models[model + INSAR].evaluation, label, draws=config.draws, seed=config.seed
        )
        for model in config.models
    }


def _recipe(model: Name, factors: Sequence[str], categories: Sequence[str], config: SusceptibilityConfig) -> Recipe:
    return Recipe(
        model,
        tuple(factors),
        categories=tuple(name for name in categories if name in factors),
        circular=tuple(name for name in config.circular if name in factors),
        tuned=config.tuned,
        seed=config.seed,
    )


def _reach(places: Places, recipe: Recipe, seed: int) -> float | None:
    """Range of the variogram of what the plain model leaves unexplained on held-out groups, m; None of few places."""
    if places.event.size < LEAST:
        return None
    given = places.table, places.event, places.x, places.y
    found = cross_validate(*given, recipe=recipe, splits=folds(places.x, places.y, repeats=1, seed=seed))
    left = places.event - found.held_out
    return variogram(places.x, places.y, left, seed=seed).reach if np.isfinite(left).sum() >= LEAST else None


def _buffer(places: Places, config: SusceptibilityConfig, reach: float | None) -> float:
    """Metres that are kept out around tests."""
    if config.splits.buffer != "variogram":
        return float(config.splits.buffer)
    if reach is None:
        raise DataError(
            f"susceptibility.splits.buffer is 'variogram', and {places.event.size} places, {int(places.event.sum())} "
            f"of them slides, are too few to see its range; expected {LEAST} or more that a model not knowing them can "
            "tell of. Give metres, or more slides"
        )
    return reach


def splits_of(places: Places, config: SusceptibilityConfig, buffer: float) -> list[Fold]:
    """Splits of places as configured, with so many metres kept out around tests.

    Raises
    ------
    DataError
        If these places cannot be split so.
    """
    wanted = config.splits
    region = None if wanted.region is None else places.table[wanted.region].to_numpy()
    try:
        return folds(
            places.x, places.y, method=wanted.method, number=wanted.number, repeats=wanted.repeats, buffer=buffer,
            block=wanted.block, region=region, seed=config.seed,
        )  # fmt: skip
    except ValueError as error:
        raise DataError(
            f"{places.event.size} places, {int(places.event.sum())} of them slides, cannot be split as "
            f"susceptibility.splits asks for: {error}"
        ) from None
