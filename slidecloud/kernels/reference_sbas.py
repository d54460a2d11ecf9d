"""Plain dense float64 NumPy counterparts of the inversion, pixel by pixel: slow, short, for tests."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float64

Int = NDArray[np.int64]


class DenseFit(NamedTuple):
    """A trend fitted to a series: ``coefficients`` (term,), ``covariance`` (term, term), ``misfit`` r^T C^-1 r."""

    coefficients: Float64
    covariance: Float64
    misfit: float


def increments_matrix(reference: Int, secondary: Int, dates: int) -> Float64:
    """Matrix (pair, date - 1) that adds the increments each pair spans: one from reference up to secondary."""
    step = np.arange(dates - 1)
    design: Float64 = np.asarray((step >= reference[:, None]) & (step < secondary[:, None]), dtype=np.float64)
    return design


def incidence_matrix(reference: Int, secondary: Int, dates: int) -> Float64:
    """Matrix (pair, date) with -1 at the reference and +1 at the secondary date."""
    date = np.arange(dates)
    incidence: Float64 = (date == secondary[:, None]).astype(np.float64) - (date == reference[:, None])
    return incidence


def components(reference: Int, secondary: Int, dates: int) -> Int:
    """Label (date,) of each date's connected subset, 1, 2, ... by first date; 0 for dates of no pair."""
    label = np.arange(dates)
    before = np.full(dates, -1)
    while (label != before).any():
        before = label.copy()
        for i, j in zip(reference, secondary, strict=True):
            label[i] = label[j] = min(label[i], label[j])
    used = np.zeros(dates, bool)
    used[reference] = used[secondary] = True
    names = {first: k + 1 for k, first in enumerate(np.unique(label[used]))}
    return np.array([names[first] if present else 0 for first, present in zip(label, used, strict=True)], np.int64)


def minimum_norm_series(phase: Float64, weight: Float64, reference: Int, secondary: Int, time: Float64) -> Float64:
    """Series (date,) by weighted least squares with the smallest velocities (Berardino et al., 2002), through the SVD.

    Parameters are those of one pixel: ``phase``, ``weight``, ``reference``, ``secondary`` (pair,), ``time`` (date,).
    Date 0 is zero. With every date linked this is the plain weighted least-squares solution.
    """
    interval = np.diff(time)
    root = np.sqrt(weight)[:, None]
    design = root * increments_matrix(reference, secondary, time.size) * interval
    velocity = np.linalg.pinv(design, rcond=1e-11) @ (root[:, 0] * phase)
    return np.concatenate([[0.0], np.cumsum(velocity * interval)])


def network_covariance(weight: Float64, reference: Int, secondary: Int, dates: int) -> Float64:
    """Covariance (date, date) of a series relative to its subset's first date, for pairs of variance 1 / weight."""
    label = components(reference, secondary, dates)
    firsts = [int(np.flatnonzero(label == name)[0]) for name in range(1, label.max() + 1)]
    free = np.setdiff1d(np.flatnonzero(label), firsts)
    incidence = incidence_matrix(reference, secondary, dates)[:, free]
    covariance = np.zeros((dates, dates))
    covariance[np.ix_(free, free)] = np.linalg.inv(incidence.T * weight @ incidence)
    return covariance


def fit_trend(series: Float64, covariance: Float64, design: Float64) -> DenseFit:
    """Generalised least squares of ``series`` (date,) on ``design`` (date, term), covariance (date, date)."""
    weight = np.linalg.inv(covariance)
    spread = np.asarray(np.linalg.inv(design.T @ weight @ design), dtype=np.float64)
    coefficients: Float64 = spread @ design.T @ weight @ series
    residual = series - design @ coefficients
    return DenseFit(coefficients, spread, float(residual @ weight @ residual))
