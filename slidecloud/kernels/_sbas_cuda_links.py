"""Pixels with gaps on the device: their pairs, gathered, and the subsets of dates that these join."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cuda

from slidecloud.kernels._sbas_cuda_pairs import Stored, sifting
from slidecloud.kernels._sbas_exact import RIDGE


@cuda.jit
def collect(sound, chosen, count):  # type: ignore[no-untyped-def]
    """Numbers of the threads that were not ``sound`` into ``chosen``, in any order, and how many into ``count[0]``."""
    t = cuda.grid(1)
    if t < sound.size and not sound[t]:
        chosen[cuda.atomic.add(count, 0, 1)] = t


@cache
def gathering(stored: Stored) -> Any:
    """Kernel that copies the pairs of the pixels ``first + chosen[t]``, in network order, missing ones as zeros."""
    sift = sifting(stored)

    @cuda.jit
    def gather(phase, weight, offset, scale, table, order, first, chosen, value, w, fault):  # type: ignore[no-untyped-def]
        t = cuda.grid(1)
        if t < chosen.size:
            for p in range(order.size):
                seen, code = phase[order[p], first + chosen[t]], weight[order[p], first + chosen[t]]
                value[p, t], w[p, t] = sift(seen, code, table, offset[order[p]], scale, fault)

    return gather


@cuda.jit(device=True)
def _root(parent, date, t):  # type: ignore[no-untyped-def]
    while parent[date, t] != date:
        date = parent[date, t]
    return date


@cuda.jit(device=True)
def _label(w, reference, secondary, parent, label, t):  # type: ignore[no-untyped-def]
    """`label_subsets` of one thread's pixel; labels of the dates that begin a subset are negative."""
    dates = parent.shape[0]
    for date in range(dates):
        parent[date, t] = date
        label[date, t] = 0
    for p in range(reference.size):
        if w[p, t] > 0:
            a, b = _root(parent, reference[p], t), _root(parent, secondary[p], t)
            parent[max(a, b), t] = min(a, b)
            label[reference[p], t] = 1
            label[secondary[p], t] = 1
    subsets = 0
    for date in range(dates):
        if label[date, t] != 0:
            root = _root(parent, date, t)
            if root == date:
                subsets += 1
                label[date, t] = -subsets
            else:
                label[date, t] = -label[root, t]
    return subsets


@cuda.jit(device=True)
def _sequence(label, subsets, parent, sequence, t):  # type: ignore[no-untyped-def]
    """Dates with a pair by subset and date into ``sequence``, the place of each into ``parent``. Returns how many."""
    count = 0
    for name in range(1, subsets + 1):
        for date in range(label.shape[0]):
            if abs(label[date, t]) == name:
                sequence[count, t] = date
                parent[date, t] = count
                count += 1
    return count


@cuda.jit
def link(w, reference, secondary, time, parent, label, sequence, information, linked, dates, steps, ridge, recovered):  # type: ignore[no-untyped-def]
    """What the pairs of each pixel join; see `_sbas_subsets` for the same on the CPU.

    Parameters
    ----------
    w, reference, secondary
        (pair, thread) float32 weights, 0 = missing, and (pair,) dates, sorted by (reference, secondary).
    time
        (date,) float64 years.
    parent, label, sequence
        (date, thread) int16: scratch; written: subsets 1, 2, ..., with a minus at the first date of each, 0 = no pair;
        the dates that have one, by subset and date.
    information
        (date - 1, thread) float32, written: sum of weight times steps spanned, for each step along ``sequence``.
    linked, dates, steps
        (thread,) int32, written: dates less subsets, dates with a pair, and steps that some pair spans.
    ridge
        (thread,) float64, written: 1e-8 of the mean diagonal of the normal matrix where positive; 1 without pairs.
    recovered
        (thread,) float32, written: share of the time from first to last date that some pair covers.
    """
    t = cuda.grid(1)
    if t >= linked.size:
        return
    subsets = _label(w, reference, secondary, parent, label, t)
    count = _sequence(label, subsets, parent, sequence, t)
    linked[t] = count - subsets
    dates[t] = count
    for k in range(information.shape[0]):
        information[k, t] = np.float32(0)
    start, end, first, spanned = 0, -1, -1, 0
    covered, trace = 0.0, 0.0
    for p in range(reference.size):
        if w[p, t] > 0:
            here, there = reference[p], secondary[p]
            if first < 0:
                first, start, end = here, here, here
            if here > end:
                covered += time[end] - time[start]
                spanned += end - start
                start = here
            end = max(end, there)
            trace += w[p, t] * np.float64(there - here)
            for k in range(parent[here, t], parent[there, t]):
                information[k, t] += w[p, t] * np.float32(parent[there, t] - parent[here, t])
    steps[t] = spanned + end - start if first >= 0 else 0
    if first < 0:
        ridge[t] = 1.0
        recovered[t] = np.float32(np.nan)
        return
    covered += time[end] - time[start]
    ridge[t] = RIDGE * trace / np.float64(steps[t])
    recovered[t] = np.float32(covered / (time[end] - time[first]))
