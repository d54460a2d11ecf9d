"""What a forest of decision trees predicts on average."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from slidecloud.types import Float64


def tree_mean(
    rows: ArrayLike,
    *,
    first: ArrayLike,
    left: ArrayLike,
    right: ArrayLike,
    column: ArrayLike,
    threshold: ArrayLike,
    value: ArrayLike,
) -> Float64:
    """Mean prediction of all trees, float64 (n,), added in their order: a row's is the same whatever rows are beside.

    Parameters
    ----------
    rows
        (n, column), finite; compared as float32 with float64 thresholds.
    first
        int (tree + 1,), rising from 0: nodes ``first[t]`` to ``first[t + 1] - 1`` are those of tree t, the first its
        root.
    left, right, column, threshold, value
        (node,) as for `slidecloud.kernels.tree_shapley.tree_shapley`; children count from their tree's root.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    table = np.ascontiguousarray(rows, np.float32)
    starts, *links = (np.ascontiguousarray(each, np.int64) for each in (first, left, right, column))
    border, leaf = (np.ascontiguousarray(each, np.float64) for each in (threshold, value))
    if table.ndim != 2 or {each.shape for each in (*links, border, leaf)} != {(int(starts[-1]),)}:
        raise ValueError(
            f"rows, nodes: found {table.shape} and {[each.shape for each in (*links, border, leaf)]}, expected "
            f"(n, column) and ({int(starts[-1])},)"
        )
    found = np.zeros(len(table))
    _add(table, starts, links[0], links[1], links[2], border, leaf, found)
    return found / (starts.size - 1)


@njit(nogil=True, cache=True)
def _add(rows, first, left, right, column, threshold, value, found):  # type: ignore[no-untyped-def]
    for row in range(rows.shape[0]):
        for tree in range(first.size - 1):
            root = first[tree]
            node = root
            while left[node] >= 0:
                below = rows[row, column[node]] <= threshold[node]
                node = root + (left[node] if below else right[node])
            found[row] += value[node]
