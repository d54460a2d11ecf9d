"""Classes of pairs alike in time span and perpendicular baseline: what the regression of `rate` runs over.

A sum of products per class is all that the regression needs of the pairs, however many there are. A class stands for
the mean span and baseline of its members; what it neglects is of second order in the phase across a class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float32, Float64

DAYS_PER_YEAR = 365.25
SMALLEST_WIDTH = 20.0
"""Metres of baseline that a class spans at least; a third of the baselines' standard deviation where that is more."""
CANDIDATES = 2
"""Starting values of the DEM error on each side of zero, see ``_gradients_regression``."""


class PairClasses(NamedTuple):
    """Pairs sorted by class.

    ``order`` int64 (pair,) sorts them, ``member`` int64 (pair,) is the class of each in that order; ``span`` years and
    ``baseline`` m are float64 (class,), means over the members.
    """

    order: NDArray[np.int64]
    member: NDArray[np.int64]
    span: Float64
    baseline: Float64


def pair_classes(span: Float64, baseline: Float64) -> PairClasses:
    """Classes by span, rounded to the day, and baseline (m) of at least one pair; pairs in a class keep their order."""
    width = max(SMALLEST_WIDTH, float(np.std(baseline)) / 3.0)
    keys = np.stack([np.rint(span * DAYS_PER_YEAR), np.rint(baseline / width)], axis=1)
    member = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    order = np.argsort(member, kind="stable").astype(np.int64)
    number = np.bincount(member)
    return PairClasses(order, member[order], np.bincount(member, span) / number, np.bincount(member, baseline) / number)


class Regressors(NamedTuple):
    """What the regression needs to know of classes and pairs.

    Attributes
    ----------
    longest, largest
        Longest span (years) and largest baseline (m, at least 1): the units of the others.
    table
        float32 (class, 5 + 2 x CANDIDATES): span t, baseline b, t², t b, b², then cosine and sine of the phase of b for
        each candidate.
    pairs
        float32 (pair, 2): t and b of each pair, in the order of the classes.
    spacing
        The angle h (radians at the largest baseline) that candidates lie apart.
    """

    longest: float
    largest: float
    table: Float32
    pairs: Float32
    spacing: np.float32


def regressors(classes: PairClasses, span: Float64, baseline: Float64) -> Regressors:
    """Of pairs with these spans (years) and baselines (m), in the order from which the classes were made."""
    longest, largest = float(np.abs(span).max()), max(float(np.abs(baseline).max()), 1.0)
    spread = float(np.std(baseline))
    spacing = largest / spread if spread > 0.0 else 0.0
    t, b = classes.span / longest, classes.baseline / largest
    turned = [turn(k * spacing * b) for k in range(1, CANDIDATES + 1) for turn in (np.cos, np.sin)]
    table = np.ascontiguousarray(np.stack([t, b, t * t, t * b, b * b, *turned], axis=1), np.float32)
    pairs = np.stack([span / longest, baseline / largest], axis=1)[classes.order]
    return Regressors(longest, largest, table, np.ascontiguousarray(pairs, np.float32), np.float32(spacing))
