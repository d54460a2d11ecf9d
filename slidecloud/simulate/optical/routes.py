"""Roads and rivers: cheapest ways across the ground, and how far every pixel is from them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from slidecloud.simulate.optical.families import Family
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32, Float64

STEP: Final = 20.0
"""Metres between the nodes that a way is sought on, as nearly as whole pixels allow."""

_STEEPEST_GRADE: Final = 0.09
_ROUNDING: Final = 2.5
_EIGHT: Final = ((0, 1), (1, 1), (1, 0), (1, -1))


class Routes(NamedTuple):
    """Distances in metres, float32 (y, x): from the middle of the `river`, and from that of the nearest of the
    `roads`."""

    river: Float32
    roads: Float32


def routes(seed: int, elevation: Float32, *, spacing: float, family: Family) -> Routes:
    """A river along the valley and a road or two that avoid steep grades.

    Parameters
    ----------
    seed
        Of the scene.
    elevation
        (y, x), m.
    spacing
        Metres per pixel.
    family
        Farmed country has more roads.
    """
    rng = stream(seed, Subject.ROUTES)
    every = max(1, round(STEP / spacing))
    coarse = ndimage.uniform_filter(elevation, every, mode="nearest")[every // 2 :: every, every // 2 :: every]
    low = coarse - coarse.min()
    step = every * spacing
    beds = _graph(coarse, step, lambda _, length: length, node=1.0 + (low / 8.0) ** 2)
    border = _border(coarse.shape)
    mouth = int(border[np.argmin(coarse.ravel()[border])])
    river = _way(beds, mouth, _far(border, mouth, coarse))
    grades = _graph(coarse, step, lambda rise, length: length * (1.0 + (np.abs(rise) / length / _STEEPEST_GRADE) ** 3))
    found = []
    for _ in range(1 + int(rng.integers(1, 3) if family.farmed > 0.3 else rng.integers(0, 2))):
        ends = rng.choice(border, 2, replace=False)
        found.append(_way(grades, int(ends[0]), int(ends[1])))
    whole = elevation.shape
    return Routes(
        _distance([river], coarse.shape, whole, every, spacing),
        _distance(found, coarse.shape, whole, every, spacing),
    )


def _graph(height: Float32, step: float, cost, *, node: Float64 | float = 1.0) -> sparse.csr_matrix:  # type: ignore[no-untyped-def]
    """Edges between neighbours, each with the cost of its rise and length, times the mean of its nodes' own."""
    rows, columns = height.shape
    index = np.arange(height.size).reshape(height.shape)
    own = np.broadcast_to(np.asarray(node, np.float64), height.shape)
    starts, ends, costs = [], [], []
    for down, right in _EIGHT:
        here = (slice(0, rows - down), slice(max(0, -right), columns - max(0, right)))
        there = (slice(down, rows), slice(max(0, right), columns - max(0, -right)))
        length = step * float(np.hypot(down, right))
        starts.append(index[here].ravel())
        ends.append(index[there].ravel())
        costs.append((cost(height[there] - height[here], length) * 0.5 * (own[here] + own[there])).ravel())
    edges = (np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends)))
    return sparse.csr_matrix(edges, shape=(height.size, height.size))


def _border(shape: tuple[int, int]) -> NDArray[np.intp]:
    inside = np.zeros(shape, bool)
    inside[1:-1, 1:-1] = True
    return np.flatnonzero(~inside)


def _far(border: NDArray[np.intp], mouth: int, height: Float32) -> int:
    """Where the river comes from: the lowest point of the border at least half a scene away from its mouth."""
    rows, columns = np.unravel_index(border, height.shape)
    row, column = np.unravel_index(mouth, height.shape)
    away = np.hypot(rows - row, columns - column) >= 0.5 * max(height.shape)
    return int(border[away][np.argmin(height.ravel()[border[away]])])


def _way(graph: sparse.csr_matrix, start: int, end: int) -> NDArray[np.intp]:
    _, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    nodes = [end]
    while nodes[-1] != start:
        nodes.append(int(before[nodes[-1]]))
    return np.array(nodes)


def _distance(
    ways: list[NDArray[np.intp]], coarse: tuple[int, ...], whole: tuple[int, ...], every: int, spacing: float
) -> Float32:
    """Metres from every pixel to the nearest of some ways, with their corners rounded."""
    points = []
    for way in ways:
        nodes = np.stack(np.unravel_index(way, coarse), 1) * every + every // 2
        fine = np.linspace(0, len(nodes) - 1, 2 * every * len(nodes))
        smooth = ndimage.gaussian_filter1d(nodes.astype(np.float64), _ROUNDING, axis=0, mode="nearest")
        points.append(np.stack([np.interp(fine, np.arange(len(nodes)), smooth[:, axis]) for axis in (0, 1)], 1))
    grid = np.stack(np.meshgrid(*(np.arange(side) for side in whole), indexing="ij"), -1).reshape(-1, 2)
    away, _ = cKDTree(np.concatenate(points)).query(grid)
    distance: Float32 = (spacing * away).reshape(whole).astype(np.float32)
    return distance
