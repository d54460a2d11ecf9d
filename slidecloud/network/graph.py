"""Graphs of dates (nodes, in order of time) and pairs (edges from an earlier to a later node)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Edge = tuple[int, int]


def components(nodes: int, edges: Sequence[Edge]) -> NDArray[np.int64]:
    """Number of the connected component of each node, in order of their first nodes; -1 for nodes without an edge."""
    joined = _neighbours(nodes, edges)
    number = np.full(nodes, -1, dtype=np.int64)
    count = 0
    for start in range(nodes):
        if number[start] >= 0 or not joined[start]:
            continue
        number[start] = count
        todo = [start]
        while todo:
            for there, _ in joined[todo.pop()]:
                if number[there] < 0:
                    number[there] = count
                    todo.append(there)
        count += 1
    return number


def weak_points(nodes: int, edges: Sequence[Edge]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Nodes, and edges, without which a component falls apart (articulation points and bridges, Tarjan 1972).

    Returns
    -------
    bool (node,), bool (edge,)
    """
    joined = _neighbours(nodes, edges)
    node_weak, edge_weak = np.zeros(nodes, dtype=bool), np.zeros(len(edges), dtype=bool)
    order = [-1] * nodes
    low = [0] * nodes
    count = 0
    for root in range(nodes):
        if order[root] >= 0:
            continue
        order[root] = low[root] = count
        count += 1
        branches = 0
        walk: list[tuple[int, int, Iterator[tuple[int, int]]]] = [(root, -1, iter(joined[root]))]
        while walk:
            here, entered_by, ways = walk[-1]
            there, edge = next(ways, (-1, -1))
            if there < 0:
                walk.pop()
                if not walk:
                    break
                parent = walk[-1][0]
                low[parent] = min(low[parent], low[here])
                edge_weak[entered_by] = low[here] > order[parent]
                if parent == root:
                    branches += 1
                elif low[here] >= order[parent]:
                    node_weak[parent] = True
            elif order[there] < 0:
                order[there] = low[there] = count
                count += 1
                walk.append((there, edge, iter(joined[there])))
            elif edge != entered_by:
                low[here] = min(low[here], order[there])
        node_weak[root] = branches > 1
    return node_weak, edge_weak


def longest_chain(nodes: int, edges: Sequence[Edge]) -> NDArray[np.int64]:
    """Nodes of the longest chain of edges forward in time; of equally long ones that whose nodes come first.

    Edges lead from lower to higher nodes, so one pass backwards finds the length of the best chain from each node.
    """
    forward: list[list[int]] = [[] for _ in range(nodes)]
    for here, there in edges:
        forward[here].append(there)
    length = [0] * nodes
    follower = [-1] * nodes
    for here in range(nodes - 1, -1, -1):
        for there in sorted(forward[here]):
            if length[there] + 1 > length[here]:
                length[here], follower[here] = length[there] + 1, there
    if not edges:
        return np.empty(0, dtype=np.int64)
    chain = [max(range(nodes), key=lambda node: (length[node], -node))]
    while follower[chain[-1]] >= 0:
        chain.append(follower[chain[-1]])
    return np.array(chain, dtype=np.int64)


def _neighbours(nodes: int, edges: Sequence[Edge]) -> list[list[tuple[int, int]]]:
    """For each node its neighbours, each with the number of the edge that leads there."""
    joined: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for number, (here, there) in enumerate(edges):
        joined[here].append((there, number))
        joined[there].append((here, number))
    return joined
