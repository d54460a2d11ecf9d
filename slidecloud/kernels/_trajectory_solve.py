"""Generalised least squares of many series on one design, whose noise is that of dates and a random walk between them.

A series tells its motion but for one constant a subset of its dates. So its successive differences are solved: their
covariance has one diagonal beside the main one, and is eliminated date by date.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.types import Float64

SINGULAR = 1e-10
"""Smallest eigenvalue of the normal matrix, scaled to a unit diagonal, that still determines every term."""


class Solved(NamedTuple):
    """``value`` (pixel, term), ``inverse`` of the normal matrix (pixel, term, term), both NaN where undetermined;
    ``misfit`` (pixel,), weighted sum of squares; ``number`` (pixel,), valid dates less subsets."""

    value: Float64
    inverse: Float64
    misfit: Float64
    number: NDArray[np.int64]


def solve(
    design: Float64,
    series: Float64,
    label: NDArray[np.uint8],
    variance: Float64,
    walk: Float64,
    time: Float64,
    *,
    copies: NDArray[np.int64] | None = None,
) -> Solved:
    """Terms of each series, with a free constant for each of its subsets.

    Parameters
    ----------
    design
        (date, term).
    series
        (date, pixel).
    label
        (date, pixel) subset of a date, 1, 2, ...; 0 = missing.
    variance
        (date, pixel) of the noise of a date, positive where the label is.
    walk
        (pixel,) by which the variance grows in a unit of ``time``.
    time
        (date,).
    copies
        (date,) how many times each date counts, 0 not at all; once by default.
    """
    terms, pixels = design.shape[1], series.shape[1]
    times = np.ones(len(time), np.int64) if copies is None else copies
    gram, number = np.zeros((pixels, terms + 1, terms + 1)), np.zeros(pixels, np.int64)
    _accumulate(series, label, variance, walk, time, design, times, gram, number)
    inverse = _inverse(gram[:, :terms, :terms])
    value = np.einsum("pab,pb->pa", inverse, gram[:, :terms, terms])
    misfit = gram[:, terms, terms] - np.einsum("pa,pa->p", value, gram[:, :terms, terms])
    return Solved(value, inverse, np.maximum(misfit, 0.0), number)


@njit(nogil=True, cache=True)
def _accumulate(series, label, variance, walk, time, design, copies, gram, number):  # type: ignore[no-untyped-def]
    """Write ``Z^T A^-1 Z`` (pixel, column, column), Z the differences of the design's columns and of the series, A
    their covariance, and how many differences there are.

    A has ``v[a] + v[b] + walk (t[b] - t[a])`` on its diagonal, a and b successive dates of a subset, and minus the
    variance of the date they share beside it: ``A = L D L^T`` with one entry below the diagonal of L.
    """
    dates, terms = design.shape
    before = np.empty(terms + 1)
    for p in range(series.shape[1]):
        subsets = 0
        for d in range(dates):
            subsets = max(subsets, label[d, p])
        for subset in range(1, subsets + 1):
            last, shared, pivot = -1, 0.0, 0.0
            for d in range(dates):
                if label[d, p] != subset or copies[d] == 0:
                    continue
                own = variance[d, p] / copies[d]
                if last >= 0:
                    share = shared / pivot if pivot > 0.0 else 0.0
                    pivot = own + shared + walk[p] * (time[d] - time[last]) - shared * share
                    for c in range(terms):
                        before[c] = design[d, c] - design[last, c] + share * before[c]
                    before[terms] = series[d, p] - series[last, p] + share * before[terms]
                    for c in range(terms + 1):
                        for e in range(c + 1):
                            gram[p, c, e] += before[c] * before[e] / pivot
                    number[p] += 1
                else:
                    before[:] = 0.0
                last, shared = d, own
        for c in range(terms + 1):
            for e in range(c):
                gram[p, e, c] = gram[p, c, e]


def _inverse(normal: Float64) -> Float64:
    """Inverses of (pixel, term, term); NaN where a term is not determined."""
    size = np.sqrt(np.diagonal(normal, axis1=1, axis2=2))
    size = np.where(size > 0, size, 1.0)
    both = size[:, :, None] * size[:, None, :]
    root, vector = np.linalg.eigh(normal / both)
    known = root[:, 0] > SINGULAR
    root = np.where(known[:, None], root, np.nan)
    inverse: Float64 = np.einsum("pak,pk,pbk->pab", vector, 1 / root, vector) / both
    return inverse
