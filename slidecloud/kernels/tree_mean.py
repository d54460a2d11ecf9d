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
    child = np.stack([links[0], links[1]], axis=1).astype(np.int32)
    found = np.zeros(len(table))
    _add(table, starts, child, np.maximum(links[2], 0).astype(np.uint32), border, leaf, found)
    return found / (starts.size - 1)


@njit(nogil=True, cache=True)
def _add(rows, first, child, column, threshold, value, found):  # type: ignore[no-untyped-def]
    # A tree stays in the fastest memory while all rows walk down it, a block of them side by side: the way of one is
    # looked up while that of another waits for memory. Leaves lead to themselves.
    block = 32
    at = np.zeros(block, np.uint32)
    for tree in range(first.size - 1):
        own = slice(first[tree], first[tree + 1])
        children, columns, borders, values = child[own].copy(), column[own], threshold[own], value[own]
        for node in range(len(children)):
            if children[node, 0] < 0:
                children[node, 0] = children[node, 1] = node
        for start in range(0, rows.shape[0], block):
            count = min(block, rows.shape[0] - start)
            part = rows[start : start + count]
            at[:count] = 0
            moved = True
            while moved:
                moved = False
                for k in range(count):
                    node = at[k]
                    below = np.uint32(children[node, np.uint32(part[k, columns[node]] > borders[node])])
                    moved |= below != node
                    at[k] = below
            for k in range(count):
                found[start + k] += values[at[k]]
