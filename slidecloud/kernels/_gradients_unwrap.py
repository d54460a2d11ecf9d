"""Wrapping of the running sum, and quality-guided flood unwrapping, for the estimator that does so."""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels._gradients_types import GradientSums
from slidecloud.kernels.phase import wrap
from slidecloud.types import Float32

_TURN = 2.0 * np.pi


def rewrap(sums: GradientSums) -> GradientSums:
    """The sums with their imaginary parts wrapped to [-pi, pi)."""
    return sums._replace(x_imag=wrap(sums.x_imag), y_imag=wrap(sums.y_imag))


@njit(nogil=True, cache=True)
def _nearest(value, anchor):  # type: ignore[no-untyped-def]
    return value - _TURN * np.floor((value - anchor) / _TURN + 0.5)


@njit(nogil=True, cache=True)
def _push_neighbours(heap, quality, done, index):  # type: ignore[no-untyped-def]
    height, width = done.shape
    row, column = index // width, index % width
    for step_y, step_x in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        i, j = row + step_y, column + step_x
        if 0 <= i < height and 0 <= j < width and not done[i, j]:
            heapq.heappush(heap, (-quality[i, j], i * width + j, index))


@njit(nogil=True, cache=True)
def flood_unwrap(wrapped, quality, seeds):  # type: ignore[no-untyped-def]
    """Unwrap ``wrapped`` (y, x) float64 rad; NaN is no data and parts the map into components.

    From the best pixel of each component outwards, always across the border to the pixel of best ``quality`` (y, x);
    equal qualities go in the order of the index, so the result is unique. ``seeds`` are the flat indices from best to
    worst. Each component is shifted by whole turns so that its median lies in [-pi, pi].
    """
    width = wrapped.shape[1]
    result = wrapped.copy()
    done = np.isnan(wrapped)
    for seed in seeds:
        if done[seed // width, seed % width]:
            continue
        members = [seed]
        done[seed // width, seed % width] = True
        heap = [(-quality[0, 0], seed, seed)]
        heap.pop()
        _push_neighbours(heap, quality, done, seed)
        while len(heap) > 0:
            _, index, origin = heapq.heappop(heap)
            i, j = index // width, index % width
            if done[i, j]:
                continue
            result[i, j] = _nearest(wrapped[i, j], result[origin // width, origin % width])
            done[i, j] = True
            members.append(index)
            _push_neighbours(heap, quality, done, index)
        values = np.empty(len(members))
        for k in range(len(members)):
            values[k] = result[members[k] // width, members[k] % width]
        shift = _TURN * np.floor(np.median(values) / _TURN + 0.5)
        for index in members:
            result[index // width, index % width] -= shift
    return result


def unwrapped_sum(wrapped: Float32, coherence: Float32, count: NDArray[np.int32]) -> Float32:
    """A sum of pairs that was kept wrapped, unwrapped from the best mean coherence outwards; NaN without pairs."""
    quality = np.where(count > 0, coherence.astype(np.float64) / np.maximum(count, 1), 0.0)
    values = np.where(count > 0, wrapped.astype(np.float64), np.nan)
    seeds = np.argsort(-quality, axis=None, kind="stable")
    result: Float32 = flood_unwrap(values, quality, seeds).astype(np.float32)
    return result
