"""Classes that a factor is cut into: ranges of a quantity, sectors of the compass, or categories as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float64

MISSING: Final = -1
_WINDS: Final = {4: "N E S W", 8: "N NE E SE S SW W NW"}


@dataclass(frozen=True)
class FactorClasses:
    """A factor and its classes.

    Attributes
    ----------
    name
        Of the factor.
    labels
        Of the classes, in order of their codes 0, 1 and so on.
    edges
        Inner borders of ranges or sectors, rising, in units of the factor; each belongs to the class above.
    numbers
        Of categories, one a class; empty for ranges and sectors.
    """

    name: str
    labels: tuple[str, ...]
    edges: tuple[float, ...] = ()
    numbers: tuple[int, ...] = ()

    def codes(self, values: ArrayLike) -> NDArray[np.int16]:
        """Class of each value, int16 in its shape, -1 where it is missing or no known category."""
        given = np.asarray(values)
        if self.numbers:
            order = np.argsort(self.numbers)
            place = np.searchsorted(self.numbers, given, sorter=order).clip(0, len(order) - 1)
            found = order[place]
            return np.where(np.asarray(self.numbers)[found] == given, found, MISSING).astype(np.int16)
        # Borders take the precision of the data: a slope of 15 degrees in float32 is one of 15 degrees.
        edges = np.asarray(self.edges, given.dtype if given.dtype.kind == "f" else np.float64)
        classes = np.searchsorted(edges, given, side="right") % len(self.labels)
        return np.where(np.isnan(given), MISSING, classes).astype(np.int16)


def ranges(name: str, edges: Sequence[float], *, units: str = "1") -> FactorClasses:
    """Classes between borders; the first and the last have no end.

    Parameters
    ----------
    edges
        Inner borders, rising; in degrees where the factor is stored in radians.
    units
        Of the stored factor.

    Raises
    ------
    ValueError
        If there is no border, or borders do not rise.
    """
    borders = np.asarray(edges, np.float64)
    if borders.ndim != 1 or not borders.size or not np.isfinite(borders).all() or (np.diff(borders) <= 0).any():
        raise ValueError(f"{name}: found borders {list(edges)}, expected one or more that rise, such as [15, 30, 45]")
    unit = "°" if units == "rad" else "" if units == "1" else f" {units}"
    told = _told(borders)
    labels = [f"below {told[0]}{unit}"]
    labels += [f"{low} to {high}{unit}" for low, high in pairwise(told)]
    stored = np.radians(borders) if units == "rad" else borders
    return FactorClasses(name, (*labels, f"from {told[-1]}{unit}"), edges=tuple(stored.tolist()))


def _told(borders: Float64) -> list[str]:
    """Borders as they were written, or in as few digits as tell their distances to a hundredth."""
    if all(float(f"{border:g}") == border for border in borders):
        return [f"{border:g}" for border in borders]
    least = np.diff(borders).min() if len(borders) > 1 else abs(borders[0]) or 1.0
    decimals = max(0, 2 - math.floor(math.log10(least)))
    return [f"{border:.{decimals}f}" for border in borders]


def sectors(name: str, number: int = 8) -> FactorClasses:
    """Sectors of the compass for directions in radians, the first centred on north: 359 and 1 degrees are neighbours.

    Level ground, whose direction is stored as 0, counts as north; where there is much of it, slope should be a factor.

    Raises
    ------
    ValueError
        If the number is below 2.
    """
    if number < 2:
        raise ValueError(f"{name}: found {number} sectors, expected at least 2")
    step = 2.0 * math.pi / number
    winds = _WINDS.get(number)
    labels = winds.split() if winds else [f"{math.degrees(k * step):.4g}°" for k in range(number)]
    return FactorClasses(name, tuple(labels), edges=tuple((k + 0.5) * step for k in range(number)))


def categories(name: str, meanings: Mapping[int, str]) -> FactorClasses:
    """Categories as they are, such as lithology, by their number.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not meanings:
        raise ValueError(f"{name}: found no categories, expected their numbers and names")
    return FactorClasses(name, tuple(meanings.values()), numbers=tuple(meanings))


def equal_parts(name: str, sample: ArrayLike, number: int, *, units: str = "1") -> FactorClasses:
    """Ranges that hold about equally much ground each, from a sample of the factor; NaN is left out.

    Raises
    ------
    ValueError
        If the sample has fewer than two distinct values, or the number is below 2.
    """
    values = np.asarray(sample, np.float64).ravel()
    known = values[~np.isnan(values)]
    if number < 2 or not known.size or known.min() == known.max():
        raise ValueError(f"{name}: found {number} parts of {known.size} values, expected 2 or more parts, and values "
                         "that differ")  # fmt: skip
    edges = np.unique(np.quantile(known, np.arange(1, number) / number))
    inner = edges[edges > known.min()]
    inner = inner if inner.size else known[known > known.min()].min(keepdims=True)
    return ranges(name, np.degrees(inner).tolist() if units == "rad" else inner.tolist(), units=units)


class Tally(NamedTuple):
    """How many ``cells`` each class has in the region, and how many of them are ``open_cells``, where points can be.

    int64 (k,) each."""

    cells: NDArray[np.int64]
    open_cells: NDArray[np.int64]

    def plus(self, other: Tally) -> Tally:
        """That of two blocks together."""
        return Tally(self.cells + other.cells, self.open_cells + other.open_cells)


def tally(classes: FactorClasses, codes: NDArray[np.int16], *, open_ground: ArrayLike | None = None) -> Tally:
    """Count the cells of each class in a block; ``open_ground`` is bool of its shape, by default all of it."""
    known = codes != MISSING
    number = len(classes.labels)
    whole = np.bincount(codes[known], minlength=number).astype(np.int64)
    if open_ground is None:
        return Tally(whole, whole)
    seen = known & np.asarray(open_ground, bool)
    return Tally(whole, np.bincount(codes[seen], minlength=number).astype(np.int64))
