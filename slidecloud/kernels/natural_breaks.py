"""Natural breaks: classes whose members differ least from each other, found exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.distinct import distinct
from slidecloud.types import Float64


class Breaks(NamedTuple):
    """``edges``: float64 (classes - 1,) rising, each halfway between the highest value of one class and the lowest of
    the next. ``fit``: goodness of variance fit, the share of the variance that lies between classes, in [0, 1]."""

    edges: Float64
    fit: float

    def level(self, values: ArrayLike) -> NDArray[np.uint8]:
        """Class of each value from 1, the lowest, in its shape; 0 where it is NaN. An edge is of the class below."""
        given = np.asarray(values, np.float64)
        found: NDArray[np.uint8] = (1 + np.searchsorted(self.edges, given)).astype(np.uint8)
        return np.where(np.isnan(given), np.uint8(0), found)


def natural_breaks(values: ArrayLike, *, classes: int = 4, count: ArrayLike | None = None) -> Breaks:
    """Breaks that leave the least sum of squared differences from the means of the classes.

    Exact for the values given, by dynamic programming over the distinct ones. The best start of the last class only
    rises with its end, so that few starts need be tried: 4,096 values into four classes take well under a second. A map
    is given as a histogram, whose breaks these then are: every value is off by half a bin at most.

    Parameters
    ----------
    values
        (n,), any order; NaN = missing, left out.
    classes
        Number of classes, 1 to 255.
    count
        (n,), how many cells have each value; by default one.

    Raises
    ------
    ValueError
        If there are fewer distinct values than classes, shapes disagree, or a value is infinite or a count negative.

    References
    ----------
    Fisher, W. D. (1958), On grouping for maximum homogeneity, J. Am. Stat. Assoc. 53, 789-798; Jenks, G. F. (1977),
    Optimal data classification for choropleth maps, University of Kansas.
    """
    level, weight = distinct(values, count=count)
    if not 1 <= classes <= 255:
        raise ValueError(f"classes: found {classes}, expected 1 to 255")
    if len(level) < classes:
        raise ValueError(f"values: found {len(level)} distinct ones, expected at least as many as classes, {classes}")
    sums = _Sums.of(level, weight)
    first = _first_members(sums, classes)
    edges = (level[first[1:] - 1] + level[first[1:]]) / 2
    whole = sums.scatter(np.array([0]), len(level))[0]
    within = sum(
        sums.scatter(np.array([start]), end)[0] for start, end in zip(first, [*first[1:], len(level)], strict=True)
    )
    return Breaks(edges, float(1.0 - within / whole) if whole > 0.0 else 1.0)


class _Sums(NamedTuple):
    """Sums over the first 0, 1, ... k distinct values: of weights, of weighted values and of their squares."""

    weight: Float64
    value: Float64
    square: Float64

    @classmethod
    def of(cls, level: Float64, weight: Float64) -> _Sums:
        # About the mean, so that differences of the sums keep their digits.
        centred = level - np.average(level, weights=weight)
        return cls(*(np.append(0.0, np.cumsum(weight * centred**power)) for power in range(3)))

    def scatter(self, start: NDArray[np.intp], end: int) -> Float64:
        """Sum of squared differences from their mean of the values from each start up to, not with, end."""
        weight, value, square = (total[end] - total[start] for total in self)
        spread: Float64 = np.maximum(square - value**2 / weight, 0.0)
        return spread


def _first_members(sums: _Sums, classes: int) -> NDArray[np.intp]:
    """Index of the lowest value of each class."""
    size = len(sums.weight) - 1
    # cost[e] is the least scatter of the first e values in so many classes.
    cost = np.array([sums.scatter(np.array([0]), end)[0] if end else 0.0 for end in range(size + 1)])
    starts = []
    for made in range(1, classes):
        cost, start = _add_class(sums, cost, made)
        starts.append(start)
    found, end = np.zeros(classes, np.intp), size
    for number in range(classes - 1, 0, -1):
        found[number] = end = starts[number - 1][end]
    return found


def _add_class(sums: _Sums, cost: Float64, made: int) -> tuple[Float64, NDArray[np.intp]]:
    """Least scatter with one class more than ``made``, and where that class starts, for each end."""
    size = len(cost) - 1
    least, start = np.full(size + 1, np.inf), np.zeros(size + 1, np.intp)
    spans = [(made + 1, size, made, size - 1)]
    while spans:
        low, high, first, last = spans.pop()
        if low > high:
            continue
        end = (low + high) // 2
        tried = np.arange(first, min(last, end - 1) + 1)
        total = cost[tried] + sums.scatter(tried, end)
        best = int(np.argmin(total))
        least[end], start[end] = total[best], tried[best]
        spans += [(low, end - 1, first, start[end]), (end + 1, high, start[end], last)]
    return least, start
