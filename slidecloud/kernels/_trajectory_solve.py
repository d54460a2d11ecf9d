"""Weighted least squares of many series on one design, with what is missing left out of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float64

BLOCK = 16384
SINGULAR = 1e-10
"""Smallest eigenvalue of the normal matrix, scaled to a unit diagonal, that still determines every term."""


class Solved(NamedTuple):
    """``value`` (pixel, term), ``inverse`` of the normal matrix (pixel, term, term), both NaN where undetermined;
    ``misfit`` (pixel,), weighted sum of squares; ``number`` (pixel,), valid dates."""

    value: Float64
    inverse: Float64
    misfit: Float64
    number: NDArray[np.int64]


def solve_apart(design: Float64, values: Float64, weight: Float64) -> Solved:
    """Each series (date, pixel) by itself, with weights (date, pixel); 0 = missing."""
    terms, pixels = design.shape[1], values.shape[1]
    out = _room(terms, pixels)
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    for start in range(0, pixels, BLOCK):
        part = np.s_[start : start + BLOCK]
        share = weight[:, part]
        filled = np.where(share > 0, values[:, part], 0.0)
        normal = (share.T @ products).reshape(-1, terms, terms)
        out.inverse[part] = _inverse(normal)
        out.value[part] = np.einsum("pab,pb->pa", out.inverse[part], (share * filled).T @ design)
        left = np.where(share > 0, filled - design @ out.value[part].T, 0.0)
        out.misfit[part] = np.einsum("dp,dp,dp->p", share, left, left)
        out.number[part] = np.count_nonzero(share > 0, axis=0)
    return out


def solve_alike(design: Float64, values: Float64, covariance: Float64) -> Solved:
    """All series (date, pixel; NaN = missing) with one covariance of dates, those with the same gaps together."""
    terms, pixels = design.shape[1], values.shape[1]
    out = _room(terms, pixels)
    known = np.isfinite(values)
    patterns, group = np.unique(np.packbits(known, axis=0), axis=1, return_inverse=True)
    order = np.argsort(group.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(group.reshape(-1), minlength=patterns.shape[1]))
    for member in np.split(order, ends[:-1]):
        dates = np.flatnonzero(known[:, member[0]])
        if not dates.size:
            continue
        factor = np.linalg.cholesky(covariance[np.ix_(dates, dates)])
        white = np.linalg.solve(factor, design[dates])
        observed = np.linalg.solve(factor, values[np.ix_(dates, member)])
        inverse = _inverse((white.T @ white)[None])[0]
        value = inverse @ (white.T @ observed)
        out.inverse[member], out.value[member] = inverse, value.T
        out.misfit[member] = ((observed - white @ value) ** 2).sum(0)
        out.number[member] = dates.size
    return out


def _room(terms: int, pixels: int) -> Solved:
    value, inverse = np.full((pixels, terms), np.nan), np.full((pixels, terms, terms), np.nan)
    return Solved(value, inverse, np.full(pixels, np.nan), np.zeros(pixels, np.int64))


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
