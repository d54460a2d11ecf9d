"""An inversion piece by piece: the quick way for pixels whose pairs link all dates well, else the careful one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._lanes import WIDTH
from slidecloud.kernels._sbas_blocks import Details, measure_columns, solve_blocks
from slidecloud.kernels._sbas_check import Network, observe, refuse, sort_network
from slidecloud.kernels._sbas_dates import count_dates
from slidecloud.kernels._sbas_exact import Careful, solve_exact
from slidecloud.kernels._sbas_increments import WIDEST, diagonals
from slidecloud.kernels._sbas_quality import SUMS
from slidecloud.kernels._sbas_robust import MOST_STEPS
from slidecloud.kernels._sbas_stage import Arrivals, Observations, arrivals
from slidecloud.types import Float32

PIXELS = 2048
"""Pixels of a piece: what it yields stays in the third-level cache until it is used."""


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
    """The task, checked but for the values of pairs; parameters are those of `sbas.invert`."""
    observed = observe(phase, weight, offset, weight_table)
    network = sort_network(reference, secondary, time, phase.shape[0])
    half = int((network.secondary - network.reference).max()) - 1
    return Task(observed, network, arrivals(network), half, robust)


def pieces(observed: Observations) -> Iterator[Piece]:
    """Pixels in blocks, copied only where pixels do not lie next to each other."""
    pixels = observed.phase.shape[1]
    whole = observed.phase.flags.c_contiguous and observed.weight.flags.c_contiguous
    for start in range(0, pixels, PIXELS):
        to = slice(start, min(start + PIXELS, pixels))
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


class Solved(NamedTuple):
    """A piece's series (date, lane) rad, subset labels, recovered fraction (lane,), rank (lane,), and details.

    Lanes are the pixels, and more to a multiple of `WIDTH`.
    """

    series: Float32
    label: NDArray[np.int16]
    recovered: Float32
    rank: NDArray[np.int64]
    details: Details


def solve_with_details(task: Task, piece: Piece) -> Solved:
    """`solve_piece`, and all that velocity and sigmas are made from."""
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
    return Solved(series, label, recovered, rank, details)
