"""Susceptibility of a whole area as configured: every model without and with deformation, judged alike and compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard import calibration, sampling
from slidecloud.hazard.comparison import Comparison, compare
from slidecloud.hazard.design import design
from slidecloud.hazard.evaluation import Evaluation, Recipe, cross_validate
from slidecloud.hazard.models import Name
from slidecloud.hazard.spatial_cv import Fold, block_labels, folds
from slidecloud.hazard.susceptibility import Places, Susceptibility, susceptibility, to_learn_from
from slidecloud.hazard.variogram import variogram
from slidecloud.types import DataError, Float64

INSAR: Final = "_insar"
"""What the name of a model with deformation ends in."""


@dataclass(frozen=True, slots=True)
class Ground:
    """All cells or units of an area, a row each.

    Attributes
    ----------
    table
        Factors, angles in rad; categories as codes from 0, negative or NaN where missing.
    x, y
        (n,), m, in a metric CRS.
    slid
        bool (n,), whether a slide lies there.
    categories
        Factors that are codes.
    slide_date
        datetime64 (n,), NaT without a slide or a date; None: no slide is dated.
    series_end
        datetime64 (n,) or (), last date of the deformation series.
    """

    table: pd.DataFrame
    x: Float64
    y: Float64
    slid: NDArray[np.bool_]
    categories: tuple[str, ...] = ()
    slide_date: NDArray[np.datetime64] | None = None
    series_end: NDArray[np.datetime64] | None = None


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
        Metres: kept out around tests, side of the blocks of the bootstrap, range of the variogram of residuals.
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
    reach: float


def assess(ground: Ground, config: SusceptibilityConfig, *, threads: int = 1) -> Assessment:
    """Learn every model of a configuration, judge all on the same splits, and hold deformation against none.

    Parameters
    ----------
    ground
        The whole area; cells where a factor is missing are neither learnt from nor counted.
    config
        What is wanted.
    threads
        Of this machine.

    Raises
    ------
    ValueError
        If the configuration names a factor that is not there.
    DataError
        If slides or ground to draw absences from are missing, or slides are too old for the deformation.
    """
    names = config.factors or tuple(str(name) for name in ground.table.columns)
    static = tuple(name for name in names if name not in config.deformation)
    if not static:
        raise DataError("factors: all of them are deformation; expected some without, to learn a model without it")
    kinds = {"": static} | ({INSAR: names} if config.deformation else {})
    whole = _recipe("logistic", names, ground, config, threads)
    usable = np.isfinite(_columns(ground, whole)).all(axis=1)
    sample = _sample(ground, config, usable)
    places = _places(ground, sample, config)
    places = to_learn_from(places, whole, deformation=config.deformation, older_slides=config.older_slides)
    reach = _reach(places, _recipe("logistic", static, ground, config, threads), config.seed)
    buffer = reach if config.splits.buffer == "variogram" else float(config.splits.buffer)
    extent = float(np.hypot(np.ptp(places.x), np.ptp(places.y)))
    # Residuals without a range still get blocks, of a size that leaves many of them.
    block = config.block or reach or extent / 30
    splits = _splits(places, config, buffer)
    chance = folds(places.x, places.y, method="optimistic", number=config.splits.number, repeats=2, seed=config.seed)
    given = places.table, places.event, places.x, places.y
    models: dict[str, Susceptibility] = {}
    optimistic: dict[str, Evaluation] = {}
    for model in config.models:
        for ending, factors in kinds.items():
            recipe = _recipe(model, factors, ground, config, threads)
            # Slides that are too old are gone, or were asked for, in the one place above.
            models[model + ending] = susceptibility(places, recipe=recipe, splits=splits, method=config.calibration)
            if config.splits.optimistic:
                optimistic[model + ending] = cross_validate(*given, recipe=recipe, splits=chance)
    label = block_labels(places.x, places.y, side=block)
    gains = {
        model: compare(
            models[model].evaluation,
            models[model + INSAR].evaluation,
            label,
            draws=config.draws,
            seed=config.seed,
        )
        for model in config.models
        if config.deformation
    }
    return Assessment(sample, places, splits, config.calibration, models, optimistic, gains, buffer, block, reach)


def _recipe(model: Name, factors: Sequence[str], ground: Ground, config: SusceptibilityConfig, threads: int) -> Recipe:
    return Recipe(
        model,
        tuple(factors),
        categories=tuple(name for name in ground.categories if name in factors),
        circular=tuple(name for name in config.circular if name in factors),
        tuned=config.tuned,
        seed=config.seed,
        threads=threads,
    )


def _columns(ground: Ground, recipe: Recipe) -> Float64:
    made = design(ground.table, factors=recipe.factors, categories=recipe.categories, circular=recipe.circular)
    return made.matrix(ground.table)


def _sample(ground: Ground, config: SusceptibilityConfig, usable: NDArray[np.bool_]) -> sampling.Sample:
    wanted = config.absences
    return sampling.sample(
        ground.x,
        ground.y,
        ground.slid,
        method=wanted.method,
        ratio=wanted.ratio,
        distance=wanted.distance,
        slope=_factor(ground, wanted.slope) if wanted.method == "slope" else None,
        least_slope=None if wanted.least_slope is None else math.radians(wanted.least_slope),
        effort=None if wanted.effort is None else _factor(ground, wanted.effort),
        usable=usable,
        seed=config.seed,
    )


def _factor(ground: Ground, name: str) -> Float64:
    if name not in ground.table.columns:
        raise ValueError(f"found no factor {name!r} among {', '.join(map(str, ground.table.columns))}")
    return ground.table[name].to_numpy(np.float64, na_value=np.nan)


def _places(ground: Ground, sample: sampling.Sample, config: SusceptibilityConfig) -> Places:
    place, date, end = sample.place, ground.slide_date, ground.series_end
    return Places(
        ground.table.iloc[place],
        sample.event,
        ground.x[place],
        ground.y[place],
        sample.true_share if config.true_share is None else config.true_share,
        slide_date=None if date is None else date[place],
        series_end=end if end is None or end.ndim == 0 else end[place],
    )


def _reach(places: Places, recipe: Recipe, seed: int) -> float:
    """Range of the variogram of what the plain model leaves unexplained on held-out groups, m."""
    given = places.table, places.event, places.x, places.y
    found = cross_validate(*given, recipe=recipe, splits=folds(places.x, places.y, repeats=1, seed=seed))
    return variogram(places.x, places.y, places.event - found.held_out, seed=seed).reach


def _splits(places: Places, config: SusceptibilityConfig, buffer: float) -> list[Fold]:
    wanted = config.splits
    region = None if wanted.region is None else places.table[wanted.region].to_numpy()
    return folds(
        places.x,
        places.y,
        method=wanted.method,
        number=wanted.number,
        repeats=wanted.repeats,
        buffer=buffer,
        block=wanted.block,
        region=region,
        seed=config.seed,
    )
