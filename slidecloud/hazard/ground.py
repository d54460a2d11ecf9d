"""All cells or units of an area, and the places drawn from them as configured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard import sampling
from slidecloud.hazard.design import design
from slidecloud.hazard.susceptibility import Places
from slidecloud.types import Float64


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


def sampled(ground: Ground, config: SusceptibilityConfig) -> tuple[sampling.Sample, Places]:
    """Slides and absences of an area, of cells whose factors are all known.

    Raises
    ------
    ValueError
        If the configuration names a factor that is not there.
    DataError
        If slides or ground to draw absences from are missing.
    """
    names = config.names(ground.table.columns)
    made = design(ground.table, factors=names, categories=[name for name in ground.categories if name in names])
    sample = _sample(ground, config, np.asarray(np.isfinite(made.matrix(ground.table)).all(axis=1), bool))
    return sample, _places(ground, sample, config)


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
    values: Float64 = ground.table[name].to_numpy(np.float64, na_value=np.nan)
    return values


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
