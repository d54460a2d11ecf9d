"""What is left of a network when pairs are left out: its loops, what it links, and that in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slidecloud.types import Float64


def _groups(kept: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group of dates that pairs link, for each date up to the last."""
    dates = int(max(first.max(initial=-1), last.max(initial=-1))) + 1
    links = coo_array((np.ones(kept.sum()), (first[kept], last[kept])), shape=(dates, dates))
    labels: NDArray[np.int64] = connected_components(links, directed=False)[1]
    return labels


def is_bridge(pair: int, kept: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64]) -> bool:
    """Whether the dates of a pair would no longer be linked without it."""
    without = kept.copy()
    without[pair] = False
    labels = _groups(without, first, last)
    return bool(labels[first[pair]] != labels[last[pair]])


def describe(
    kept: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64], *, names: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Sentences on the network that the kept pairs form; ``names`` are those of the dates, by default their indices."""
    before = np.unique(np.concatenate([first, last]))
    labels = _groups(kept, first, last)[before]
    linked = np.isin(before, np.concatenate([first[kept], last[kept]]))
    groups = np.unique(labels[linked]).size
    words = [
        f"{kept.sum()} of {kept.size} pairs remain, over {linked.sum()} of {before.size} dates in "
        f"{groups} {'group' if groups == 1 else 'groups'} that no pair joins."
        if groups != 1
        else f"{kept.sum()} of {kept.size} pairs remain and link {linked.sum()} of {before.size} dates."
    ]
    if not linked.all():
        alone = [str(one) if names is None else names[one] for one in before[~linked].tolist()]
        words.append(f"Without any pair: dates {', '.join(alone)}.")
    return tuple(words)


def remaining(
    loops: NDArray[np.int64], loop_bad: Float64, kept: NDArray[np.bool_]
) -> tuple[Float64, NDArray[np.int64]]:
    """Mean share of bad pixels over the loops that are left to each pair, and their number."""
    usable = kept[loops].all(axis=1) & np.isfinite(loop_bad)
    total, number = np.zeros(kept.size), np.zeros(kept.size, np.int64)
    np.add.at(total, loops[usable], loop_bad[usable][:, None])
    np.add.at(number, loops[usable], 1)
    mean: Float64 = np.divide(total, number, out=np.full(kept.size, np.nan), where=number > 0)
    return mean, number
