"""Shares of the columns in what a decision tree predicts, after Shapley."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from slidecloud.types import Float64


def tree_shapley(
    rows: ArrayLike,
    *,
    left: ArrayLike,
    right: ArrayLike,
    column: ArrayLike,
    threshold: ArrayLike,
    cover: ArrayLike,
    value: ArrayLike,
) -> Float64:
    """Shapley values of one tree: float64 (n, column + 1), the last the mean over what it learnt from; a row's sum is
    its prediction.

    Parameters
    ----------
    rows
        (n, column), finite.
    left, right
        int (node,), children of each node; negative at leaves. Node 0 is the root.
    column, threshold
        (node,), where a row goes left if ``rows[:, column] <= threshold``; of no meaning at leaves.
    cover
        (node,), weight of what was learnt from in each node.
    value
        (node,), prediction of leaves.

    Notes
    -----
    The game of Lundberg et al. (2020, Nature Machine Intelligence 2, 56-67), path-dependent: a column that does not
    play is averaged over by the cover of the children. The tree is a sum over leaves, and a leaf's game is a product:
    value times, for each column on the way to it, either 1 or 0 (the row passes all its tests or not) if it plays, or
    the share z of the cover that does if not. The Shapley value of a product of d players is a weighted sum of the
    coefficients of the polynomial prod (z + o t) over the others, so that a leaf costs d^3 and no set is listed.
    """
    table = np.ascontiguousarray(rows, np.float64)
    links = [np.ascontiguousarray(each, np.int64) for each in (left, right, column)]
    sizes = [np.ascontiguousarray(each, np.float64) for each in (threshold, cover, value)]
    if table.ndim != 2 or len({each.shape for each in (*links, *sizes)}) != 1:
        raise ValueError(f"rows, nodes: found {table.shape} and {[each.shape for each in (*links, *sizes)]}")
    found = np.zeros((table.shape[0], table.shape[1] + 1))
    _add(table, links[0], links[1], links[2], sizes[0], sizes[1], sizes[2], found)
    return found


@njit(nogil=True, cache=True)
def _add(rows, left, right, column, threshold, cover, value, found):  # type: ignore[no-untyped-def]
    nodes = left.size
    parent = np.full(nodes, -1, np.int64)
    for node in range(nodes):
        if left[node] >= 0:
            parent[left[node]] = node
            parent[right[node]] = node
    for leaf in range(nodes):
        if left[leaf] >= 0:
            continue
        depth, node = 0, leaf
        while parent[node] >= 0:
            depth, node = depth + 1, parent[node]
        player = np.empty(depth, np.int64)
        share = np.ones(depth)
        players = _way_to(leaf, parent, column, cover, player, share)
        weight = _weights(players)
        mean = value[leaf]
        for j in range(players):
            mean *= share[j]
        passes = np.empty(players)
        terms = np.empty(players)
        for row in range(rows.shape[0]):
            _passes(rows[row], leaf, parent, left, column, threshold, player[:players], passes)
            found[row, -1] += mean
            for i in range(players):
                gain = passes[i] - share[i]
                found[row, player[i]] += value[leaf] * gain * _sum_over_sets(i, passes, share, weight, terms)


@njit(nogil=True, cache=True)
def _way_to(leaf, parent, column, cover, player, share):  # type: ignore[no-untyped-def]
    """Columns tested on the way to a leaf, each once, and the share of the cover that goes that way at its tests."""
    players, node = 0, leaf
    while parent[node] >= 0:
        above = parent[node]
        k = 0
        while k < players and player[k] != column[above]:
            k += 1
        if k == players:
            player[k] = column[above]
            players += 1
        share[k] *= cover[node] / cover[above]
        node = above
    return players


@njit(nogil=True, cache=True)
def _passes(row, leaf, parent, left, column, threshold, player, passes):  # type: ignore[no-untyped-def]
    """1 for each column whose tests on the way to a leaf the row all passes, else 0."""
    passes[:] = 1.0
    node = leaf
    while parent[node] >= 0:
        above = parent[node]
        if (row[column[above]] <= threshold[above]) != (left[above] == node):
            for k in range(player.size):
                if player[k] == column[above]:
                    passes[k] = 0.0
        node = above


@njit(nogil=True, cache=True)
def _weights(players):  # type: ignore[no-untyped-def]
    """``k! (d - 1 - k)! / d!`` for sets of k of the other d - 1 players."""
    weight = np.empty(players)
    for k in range(players):
        weight[k] = 1.0 / players if k == 0 else weight[k - 1] * k / (players - k)
    return weight


@njit(nogil=True, cache=True)
def _sum_over_sets(i, passes, share, weight, terms):  # type: ignore[no-untyped-def]
    """Weighted sum over all sets of the other players of the product of what each of them brings."""
    terms[:] = 0.0
    terms[0] = 1.0
    for j in range(passes.size):
        if j != i:
            for k in range(passes.size - 1, 0, -1):
                terms[k] = terms[k] * share[j] + terms[k - 1] * passes[j]
            terms[0] *= share[j]
    total = 0.0
    for k in range(passes.size):
        total += weight[k] * terms[k]
    return total
