"""All cells or units of an area, and the places drawn from them as configured."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard import sampling
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

    def known(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Where all of these factors have a value, bool (n,).

        Raises
        ------
        ValueError
            If one is not there.
        """
        found = np.ones(len(self.table), bool)
        for name in names:
            found &= np.isfinite(values := self.factor(name))
            if name in self.categories:
                found &= values >= 0
        return found

    def factor(self, name: str) -> Float64:
        """Values of a factor, (n,), NaN where missing; a factor that is not there is refused by its name."""
        if name not in self.table.columns:
            raise ValueError(f"found no factor {name!r} among {', '.join(map(str, self.table.columns))}")
        values: Float64 = self.table[name].to_numpy(np.float64, na_value=np.nan)
        return values


def sampled(ground: Ground, config: SusceptibilityConfig) -> tuple[sampling.Sample, Places]:
    """Slides and absences of an area, of cells whose factors are all known.

    Raises
    ------
    ValueError
        If the configuration names a factor that is not there.
    DataError
        If slides or ground to draw absences from are missing.
    """
    sample = _sample(ground, config, ground.known(config.needed(ground.table.columns)))
    return sample, _places(ground, sample, config)


def _sample(ground: Ground, config: SusceptibilityConfig, usable: NDArray[np.bool_]) -> sampling.Sample:
    wanted = config.absences
    if wanted.method == "given":
        raise ValueError("absences.method: found 'given', expected a method that draws them from the ground")
    return sampling.sample(
        ground.x,
        ground.y,
        ground.slid,
        method=wanted.method,
        ratio=wanted.ratio,
        distance=wanted.distance,
        slope=ground.factor(wanted.slope) if wanted.method == "slope" else None,
        least_slope=None if wanted.least_slope is None else math.radians(wanted.least_slope),
        effort=None if wanted.effort is None else ground.factor(wanted.effort),
        usable=usable,
        seed=config.seed,
    )


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
