"""Observations of pairs as they are stored, and a block of them made ready: phase and weight, zero where missing.

Everything that looks at pairs does so in a block that fits the second-level cache, so that each stored number is read
from memory once and no float copy of the stack is made.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels._lanes import WIDTH, choose, magnitude, somewhere, splat
from slidecloud.kernels._lanes_memory import load, load_rated, prefetch, rate, store
from slidecloud.kernels._sbas_band import NJIT
from slidecloud.types import Float32

LANES = 8 * WIDTH
"""Pixels of a block: long enough for memory to deliver in streams, short enough for a thousand pairs to stay near."""
AHEAD = 8
"""Pairs by which memory is asked ahead: their rows are far apart, and no processor guesses the next."""
ZERO = np.float32(0)
INFINITE = np.float32(np.inf)


class Observations(NamedTuple):
    """Pairs as stored.

    Attributes
    ----------
    phase
        (pair, pixel) float32 or int16, C-contiguous; NaN = missing.
    weight
        (pair, pixel) float32, or uint8 that ``table`` translates, C-contiguous; 0 or NaN = missing.
    offset
        (pair,) float32 rad, subtracted from ``scale * phase``.
    scale
        float32 rad per unit of ``phase``.
    table
        (256,) float32.
    """

    phase: Float32 | NDArray[np.int16]
    weight: Float32 | NDArray[np.uint8]
    offset: Float32
    scale: np.float32
    table: Float32


class Arrivals(NamedTuple):
    """Pairs in the order (secondary, reference): rows, date ranks, and ``first[d]``, where secondary d begins."""

    order: NDArray[np.int64]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    first: NDArray[np.int64]


def arrivals(network: Any) -> Arrivals:
    """The pairs of a `Network` in the order in which the elimination takes them, last first."""
    sequence = np.lexsort((network.reference, network.secondary))
    secondary = network.secondary[sequence]
    first = np.searchsorted(secondary, np.arange(network.time.size + 1)).astype(np.int64)
    return Arrivals(network.order[sequence], network.reference[sequence], secondary, first)


@njit(**NJIT)
def stage_columns(observed, order, columns, value, w):  # type: ignore[no-untyped-def]
    """`stage` for any columns of the stack, up to the width of ``value``; its other lanes become missing."""
    refused = False
    for p in range(order.size):
        row = order[p]
        value[p, columns.size :] = ZERO
        w[p, columns.size :] = ZERO
        for j in range(columns.size):
            seen = np.float32(observed.phase[row, columns[j]]) * observed.scale - observed.offset[row]
            share = rate(observed.table, observed.weight[row, columns[j]])
            known = (seen == seen) & (share > ZERO)
            value[p, j] = seen if known else ZERO
            w[p, j] = share if known else ZERO
            refused |= (abs(seen) == INFINITE) | (share < ZERO) | (share == INFINITE)
    return refused


@njit(**NJIT)
def _stage_whole(observed, order, start, value, w):  # type: ignore[no-untyped-def]
    zero, infinite, scale = splat(ZERO), splat(INFINITE), splat(observed.scale)
    phase, weight = observed.phase, observed.weight
    refused = zero > infinite
    for p in range(order.size):
        row, later = order[p], order[min(p + AHEAD, order.size - 1)]
        for column in range(0, LANES, 64 // phase.itemsize):
            prefetch(phase, later, start + column)
        for column in range(0, LANES, 64 // weight.itemsize):
            prefetch(weight, later, start + column)
        offset = splat(observed.offset[row])
        for column in range(0, LANES, WIDTH):
            seen = load(phase, row, start + column) * scale - offset
            share = load_rated(observed.table, weight, row, start + column)
            known = (seen == seen) & (share > zero)
            store(value, p, column, choose(known, seen, zero))
            store(w, p, column, choose(known, share, zero))
            refused = refused | (magnitude(seen) == infinite) | (share < zero) | (share == infinite)
    return somewhere(refused)


@njit(**NJIT)
def stage(observed, order, start, stop, value, w):  # type: ignore[no-untyped-def]
    """Phase (rad) and weight of the pixels ``start .. stop - 1`` into (pair, `LANES`) float32, both 0 where missing.

    Pairs are taken in the sequence ``order``. Returns whether a number was infinite or a weight negative.
    """
    if stop - start == LANES:
        return _stage_whole(observed, order, start, value, w)
    return stage_columns(observed, order, np.arange(start, stop), value, w)


@njit(**NJIT)
def put(block, out, start, lanes):  # type: ignore[no-untyped-def]
    """The first ``lanes`` lanes of ``block`` (row, `LANES`) to the columns from ``start`` on of ``out``."""
    for k in range(out.shape[0]):
        if lanes == LANES:
            for column in range(0, LANES, WIDTH):
                store(out, k, start + column, load(block, k, column))
        else:
            for j in range(lanes):
                out[k, start + j] = block[k, j]
