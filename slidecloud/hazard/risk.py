"""Risk: information values of classes, weighted by judgement and by data, added up and cut into levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.hazard.factor_classes import MISSING, FactorClasses, Tally
from slidecloud.kernels import ahp, scaling
from slidecloud.kernels.entropy_weights import EntropySums, entropy_sums, entropy_weights
from slidecloud.kernels.information_value import MASKED, SMOOTHING, InformationValue, information_value
from slidecloud.kernels.natural_breaks import Breaks, natural_breaks
from slidecloud.kernels.overlay import overlay
from slidecloud.kernels.weight_combination import Combination, combine
from slidecloud.types import Float32, Float64

Weighting = Literal["combined", "judgement", "entropy", "equal"]
LEVELS: Final = {1: "low", 2: "moderate", 3: "high", 4: "very high"}
"""Names of the four levels."""
BINS: Final = 4096
"""Bins of the histogram that levels are cut from."""


@dataclass(frozen=True)
class RiskSettings:
    """How information values become one index.

    Attributes
    ----------
    weighting
        ``judgement`` (of pairs), ``entropy``, both ``combined`` by the distance function, or ``equal``.
    judgements
        (n, n) matrix in the order of the factors, for the first and the third.
    judgement_method
        See `slidecloud.kernels.ahp.priorities`.
    scaling
        See `slidecloud.kernels.scaling.fit`; entropy is always that of values between 0 and 1.
    smoothing
        See `slidecloud.kernels.information_value.information_value`.
    masked
        Classes without points because the mask took their ground are ``average``, or ``missing``, and then so is the
        index where they are.
    """

    weighting: Weighting = "combined"
    judgements: tuple[tuple[float, ...], ...] | None = None
    judgement_method: ahp.Method = "column_mean"
    scaling: scaling.Method = "minmax"
    smoothing: float = SMOOTHING
    masked: Literal["average", "missing"] = "average"


@dataclass(frozen=True)
class FactorTable:
    """What is known of the classes of a factor; arrays are (k,).

    Attributes
    ----------
    classes, tally
        The classes and their ground.
    points
        Points in each.
    information
        Their information values.
    scaled
        On the common scale; NaN where the class has no value.
    """

    classes: FactorClasses
    tally: Tally
    points: NDArray[np.int64]
    information: InformationValue
    scaled: Float64


@dataclass(frozen=True)
class Risk:
    """A fitted index.

    Attributes
    ----------
    tables
        One a factor.
    weights
        (n,) of the factors, their sum 1.
    settings
        It was made with.
    priorities, entropy, combination
        What the weights were made from; None where it was not asked for.
    """

    tables: tuple[FactorTable, ...]
    weights: Float64
    settings: RiskSettings
    priorities: ahp.Priorities | None = field(default=None)
    entropy: Float64 | None = field(default=None)
    combination: Combination | None = field(default=None)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the factors."""
        return tuple(table.classes.name for table in self.tables)

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest index there can be."""
        ends = np.array([(np.nanmin(table.scaled), np.nanmax(table.scaled)) for table in self.tables])
        low, high = self.weights @ ends
        return float(low), float(high)


def fit(
    classes: Sequence[FactorClasses],
    tallies: Sequence[Tally],
    codes: ArrayLike,
    *,
    settings: RiskSettings | None = None,
) -> Risk:
    """Fit the index to points.

    Parameters
    ----------
    classes, tallies
        The factors, and their ground over the whole region.
    codes
        int (n, points): class of each factor at each point, -1 = missing.
    settings
        By default those of `RiskSettings`, whose combined weights need judgements.

    Raises
    ------
    ValueError
        If numbers of factors disagree, judgements are missing or contradict themselves cell by cell, or no factor
        varies.
    """
    chosen = RiskSettings() if settings is None else settings
    held = np.atleast_2d(np.asarray(codes))
    if not len(classes) == len(tallies) == len(held):
        raise ValueError(
            f"classes, tallies, codes: found {len(classes)}, {len(tallies)} and {len(held)} factors, expected as many"
        )
    tables = tuple(_table(*given, chosen) for given in zip(classes, tallies, held, strict=True))
    judged = priorities([table.classes.name for table in tables], chosen)
    measured = entropy_weights(_entropy_sums(tables)) if chosen.weighting in ("combined", "entropy") else None
    both = combine(judged.weights, measured) if judged is not None and measured is not None else None
    if both is not None:
        weights = both.weights
    elif judged is not None:
        weights = judged.weights
    else:
        weights = np.full(len(tables), 1.0 / len(tables)) if measured is None else measured
    return Risk(tables, weights, chosen, judged, measured, both)


def priorities(names: Sequence[str], settings: RiskSettings) -> ahp.Priorities | None:
    """Weights of factors by judgement; None where settings do without.

    Raises
    ------
    ValueError
        If judgements are missing or contradict themselves cell by cell.
    """
    if settings.weighting not in ("combined", "judgement"):
        return None
    if settings.judgements is None:
        raise ValueError(
            f"judgements: found none, expected a matrix of {len(names)} rows for the weighting {settings.weighting}; "
            "give it, or take entropy or equal weights"
        )
    return ahp.priorities(settings.judgements, method=settings.judgement_method, names=names)


def index(risk: Risk, codes: Iterable[ArrayLike]) -> Float32:
    """Index of a block, float32 of its shape, NaN where a factor that weighs is missing.

    Parameters
    ----------
    codes
        Class of each factor, int of one shape, in the order of `Risk.tables`; looked at once.
    """
    scaled = (np.append(table.scaled, np.nan)[np.asarray(code)] for table, code in zip(risk.tables, codes, strict=True))
    return overlay(scaled, risk.weights)


def histogram(risk: Risk, values: Float32) -> NDArray[np.int64]:
    """Cells of a block in each of `BINS` bins between the bounds of the index; those of blocks add up."""
    low, high = risk.bounds
    known = values[~np.isnan(values)].astype(np.float64)
    along = (known - low) / (high - low) if high > low else np.zeros(known.shape)
    # The index is rounded to float32, so that its ends may lie beyond the bounds by their last digits.
    place = (along * BINS).astype(np.int64).clip(0, BINS - 1)
    return np.bincount(place, minlength=BINS).astype(np.int64)


def level_breaks(risk: Risk, cells: ArrayLike, *, levels: int = len(LEVELS)) -> Breaks:
    """Natural breaks of the index from the histogram of the whole region.

    Raises
    ------
    ValueError
        If fewer bins than levels hold cells.
    """
    filled = int(np.count_nonzero(cells))
    if filled < levels:
        raise ValueError(
            f"index: takes {filled} different values, expected at least {levels} to cut into {levels} levels; give "
            "more factors, or more classes of them"
        )
    low, high = risk.bounds
    middle = low + (np.arange(BINS) + 0.5) * ((high - low) / BINS)
    return natural_breaks(middle, classes=levels, count=cells)


def _table(classes: FactorClasses, ground: Tally, codes: NDArray[np.integer], settings: RiskSettings) -> FactorTable:
    points = np.bincount(codes[codes != MISSING], minlength=len(classes.labels)).astype(np.int64)
    try:
        found = information_value(points, ground.cells, open_cells=ground.open_cells, smoothing=settings.smoothing)
    except ValueError as error:
        raise ValueError(f"factor {classes.name}: {error}") from None
    unknown = (found.state == MASKED) & (settings.masked == "missing")
    value = np.where(unknown, np.nan, found.value)
    scaled = scaling.fit(value, method=settings.scaling, count=ground.cells).apply(value)
    return FactorTable(classes, ground, points, found, scaled)


def _entropy_sums(tables: Sequence[FactorTable]) -> EntropySums:
    """Those of the whole region, which a table of few classes holds as well as its cells do."""
    parts = []
    for table in tables:
        value = np.where(np.isnan(table.scaled), np.nan, table.information.value)
        between = scaling.fit(value, count=table.tally.cells).apply(value)
        parts.append(entropy_sums(between[:, None], count=table.tally.cells[:, None]))
    return EntropySums(*(np.concatenate(sums) for sums in zip(*parts, strict=True)))
