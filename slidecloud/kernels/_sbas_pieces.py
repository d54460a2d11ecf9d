"""An inversion piece by piece: the quick way for its pixels, the careful way for those that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._lanes import WIDTH
from slidecloud.kernels._sbas_blocks import Details, measure_columns, solve_blocks
from slidecloud.kernels._sbas_check import Network, observe, refuse, sort_network
from slidecloud.kernels._sbas_dates import count_dates, store_dates
from slidecloud.kernels._sbas_exact import Careful, solve_exact
from slidecloud.kernels._sbas_increments import WIDEST, diagonals
from slidecloud.kernels._sbas_quality import SUMS
from slidecloud.kernels._sbas_robust import MOST_STEPS
from slidecloud.kernels._sbas_stage import Arrivals, Observations, arrivals
from slidecloud.kernels._sbas_types import Inversion
from slidecloud.kernels._sbas_velocity import fit_velocity
from slidecloud.types import Float32, Float64

BLOCK = 2048
LEAST_RMS = 1e-4
"""Residuals are never taken to be smaller than this many radians: pairs that fit perfectly do not make sigma zero."""


class Task(NamedTuple):
    """What to invert and how: a network of date ranks, its pairs as the quick way takes them, and the longest pair in
    date steps, less one."""

    observed: Observations
    network: Network
    pairs: Arrivals
    half: int
    robust: bool


class Piece(NamedTuple):
    """Columns ``start .. stop - 1`` of contiguous observations; their results belong to the columns ``to``."""

    observed: Observations
    start: int
    stop: int
    to: slice


def plan(
    phase: Float32 | NDArray[np.int16],
    weight: Float32 | NDArray[np.uint8],
    reference: ArrayLike,
    secondary: ArrayLike,
    time: ArrayLike,
    robust: bool,
    offset: ArrayLike | None,
    weight_table: ArrayLike | None,
) -> Task:
    observed = observe(phase, weight, offset, weight_table)
    network = sort_network(reference, secondary, time, phase.shape[0])
    half = int((network.secondary - network.reference).max()) - 1
    return Task(observed, network, arrivals(network), half, robust)


def pieces(observed: Observations) -> Iterator[Piece]:
    """Pixels in blocks, copied only where pixels do not lie next to each other."""
    pixels = observed.phase.shape[1]
    whole = observed.phase.flags.c_contiguous and observed.weight.flags.c_contiguous
    for start in range(0, pixels, BLOCK):
        to = slice(start, min(start + BLOCK, pixels))
        if whole:
            yield Piece(observed, start, to.stop, to)
        else:
            phase: Any = np.ascontiguousarray(observed.phase[:, to])
            weight: Any = np.ascontiguousarray(observed.weight[:, to])
            yield Piece(observed._replace(phase=phase, weight=weight), 0, to.stop - start, to)


def solve_piece(
    task: Task, piece: Piece, series: Float32, place: int, details: Details | None
) -> tuple[NDArray[np.intp], Careful | None]:
    """Series (date, pixel) of a piece, from column ``place`` on; which of its pixels needed care, and what it found."""
    sound = np.zeros(piece.stop - piece.start, np.bool_)
    refused = False
    if task.half <= WIDEST:
        steps = MOST_STEPS if task.robust else 0
        columns = (piece.observed, piece.start, piece.stop)
        refused = solve_blocks(*columns, task.pairs, diagonals(task.half), steps, series, place, sound, details)
    rest = np.flatnonzero(~sound)
    careful = None
    if rest.size and not refused:
        net, interval = task.network, np.diff(task.network.time)
        ratio = (np.median(interval) / interval) ** 2
        pairs = (net.order, net.reference, net.secondary, task.half)
        careful = solve_exact(piece.observed, rest + piece.start, *pairs, net.time, ratio, task.robust)
        series[:, rest + place] = careful.series
        refused = careful.refused
    if refused:
        refuse(piece.observed.phase)
    return rest, careful


class _Solved(NamedTuple):
    """A piece's series (date, lane) rad, subset labels, recovered fraction (lane,), rank (lane,), and details.

    Lanes are the pixels, and more to a multiple of `WIDTH`.
    """

    series: Float32
    label: NDArray[np.int16]
    recovered: Float32
    rank: NDArray[np.int64]
    details: Details


def _solve_with_details(task: Task, piece: Piece) -> _Solved:
    dates, lanes = task.network.time.size, -(-(piece.stop - piece.start) // WIDTH) * WIDTH
    series, variance = (np.zeros((dates, lanes), np.float32) for _ in range(2))
    sums, factor = np.zeros((SUMS, lanes), np.float32), np.ones((1, lanes), np.float32)
    details = Details(variance, np.ones((dates - 1, lanes), np.float32), sums, factor)
    label, recovered = np.ones((dates, lanes), np.int16), np.ones(lanes, np.float32)
    rest, careful = solve_piece(task, piece, series, 0, details)
    if careful is not None:
        label[:, rest], recovered[rest] = careful.label, careful.recovered
        variance[:, rest], details.information[:, rest] = careful.variance, careful.information
    valid, subsets = (np.empty(lanes, np.int16) for _ in range(2))
    count_dates(label, valid, subsets)
    rank = (valid - subsets).astype(np.int64)
    if rest.size:
        where = (piece.observed, rest + piece.start, task.pairs, task.robust, rank.astype(np.float32))
        measure_columns(*where, series, rest, sums, factor)
    return _Solved(series, label, recovered, rank, details)


def invert_piece(task: Task, piece: Piece, out: Inversion, design: Float64, minimum_norm: bool, flat: float) -> None:
    series, label, recovered, rank, details = _solve_with_details(task, piece)
    count, total, misfit, square, cosine, sine = details.sums.astype(np.float64)
    redundancy = count.astype(np.int64) - rank
    empty = count == 0
    mean = np.where(empty, 1, count)
    least = np.where(redundancy > 0, LEAST_RMS**2 * total / mean, 1.0)
    raw = details.factor[0].astype(np.float64) if task.robust else misfit / np.maximum(redundancy, 1)
    factor = np.maximum(np.where(redundancy > 0, raw, 1.0), least)
    dof = (rank - design.shape[0] + 1).astype(np.float64)
    found = np.empty((4, rank.size))
    trend = (series, label, details.information, 1.0 / factor[None], dof[None], design, (0,) * design.shape[0])
    fit_velocity(*trend, minimum_norm, flat, found)
    own, to = slice(0, piece.stop - piece.start), piece.to
    rows = (series, details.variance, label, factor[None], found[2:3], task.network.used)
    store_dates(*rows, out.series, out.sigma, out.subset, to.start, to.stop)
    velocity, spread, scatter, drift = found[:, own]
    length = np.sqrt(cosine * cosine + sine * sine) / mean
    out.velocity[to] = np.where(empty[own], np.nan, velocity)
    out.velocity_sigma[to] = np.sqrt(spread)
    out.temporal_coherence[to] = np.where(redundancy > 0, length, np.nan)[own]
    out.residual_rms[to] = np.where(empty, np.nan, np.sqrt(square / mean))[own]
    out.redundancy[to] = redundancy[own]
    out.recovered_fraction[to] = recovered[own]
    out.variance_factor[to] = np.where(empty, np.nan, factor)[own]
    out.date_sigma[to] = np.sqrt(scatter)
    out.drift_factor[to] = np.where(empty[own], np.nan, drift)
