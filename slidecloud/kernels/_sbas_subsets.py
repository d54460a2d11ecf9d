"""Which dates of a pixel are linked by its pairs, and how much of its time they cover."""

from __future__ import annotations

from numba import njit

from slidecloud.kernels._sbas_band import NJIT


@njit(**NJIT)
def _root(parent, date):  # type: ignore[no-untyped-def]
    while parent[date] != date:
        date = parent[date]
    return date


@njit(**NJIT)
def label_subsets(w, reference, secondary, parent, label, lane):  # type: ignore[no-untyped-def]
    """Write labels 1, 2, ... (by first date) of one lane into ``label[date, lane]``, 0 for dates of no pair.

    ``w[pair, lane]`` is zero where a pair is missing. A root is always the earliest date of its subset, so the labels
    follow first dates. Returns the number of subsets. ``parent[date]`` is scratch.
    """
    dates = parent.size
    for date in range(dates):
        parent[date] = date
        label[date, lane] = 0
    for p in range(reference.size):
        if w[p, lane] > 0:
            a = _root(parent, reference[p])
            b = _root(parent, secondary[p])
            parent[max(a, b)] = min(a, b)
            label[reference[p], lane] = 1
            label[secondary[p], lane] = 1
    subsets = 0
    for date in range(dates):
        if label[date, lane] == 1:
            root = _root(parent, date)
            if root == date:
                subsets += 1
                label[date, lane] = subsets
            else:
                label[date, lane] = label[root, lane]
            parent[date] = root
    return subsets


@njit(**NJIT)
def covered_fraction(w, reference, secondary, time, lane):  # type: ignore[no-untyped-def]
    """Share of the time from first to last date of one lane that some pair covers; pairs sorted by reference."""
    start = end = first = -1
    covered = 0.0
    for p in range(reference.size):
        if w[p, lane] > 0:
            if first < 0:
                first = start = end = reference[p]
            if reference[p] > end:
                covered += time[end] - time[start]
                start = reference[p]
            end = max(end, secondary[p])
    return (covered + time[end] - time[start]) / (time[end] - time[first])


@njit(**NJIT)
def order_dates(label, sequence):  # type: ignore[no-untyped-def]
    """Dates of ``label`` (date,) above 0 into ``sequence``, by subset and date. Returns how many."""
    subsets = ahead = 0
    for date in range(label.size):
        subsets = max(subsets, label[date])
    for name in range(1, subsets + 1):
        for date in range(label.size):
            if label[date] == name:
                sequence[ahead] = date
                ahead += 1
    return ahead


@njit(**NJIT)
def step_information(w, reference, secondary, label, sequence, rank, information, lane):  # type: ignore[no-untyped-def]
    """Sum over pairs of weight times steps spanned, for each step of one lane in the order of `order_dates`.

    Written to ``information[step]``; ``sequence`` and ``rank`` (date,) are scratch.
    """
    count = order_dates(label, sequence)
    for k in range(information.size):
        information[k] = 0
    for k in range(count):
        rank[sequence[k]] = k
    for p in range(reference.size):
        if w[p, lane] > 0:
            first, last = rank[reference[p]], rank[secondary[p]]
            part = w[p, lane] * (last - first)
            for k in range(first, last):
                information[k] += part
