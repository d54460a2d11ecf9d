"""Outlines of landslides: pieces of tiles joined to what they are of, and smoothed without crossing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from slidecloud.optical.pieces import NOT_KNOWN, Figures, Pieces, Shapes, sums


def join(tiles: Iterable[Pieces]) -> tuple[Shapes, Figures]:
    """Outlines of a scene from the pieces of its tiles, the same whatever the tiles.

    Parameters
    ----------
    tiles
        In any order; rows and columns of neighbours agree. Where a tile is missing, its neighbours' outlines end open.

    Returns
    -------
    shapes, figures
        In the order of their first pixels, row by row.
    """
    every = list(tiles)
    first = np.concatenate([[0], np.cumsum([len(tile.shapes) for tile in every])]).astype(np.int64)
    pairs, ends = _touching(every, first)
    total = int(first[-1])
    links = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    count, group = connected_components(links, directed=False) if total else (0, np.empty(0, np.int32))
    whole = _united(np.concatenate([np.empty(0, object), *(tile.shapes for tile in every)]), group, count)
    pixels, levels, values, peaks, beside = (
        np.concatenate([np.empty(0, np.int64), *(tile.figures[field] for tile in every)])
        for field in range(len(Figures._fields))
    )
    peak, opened = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    np.maximum.at(peak, group, peaks)
    opened[group[beside.astype(np.bool_)]] = True
    opened[group[ends]] = True
    ranked = _ranked(whole)
    pixels, levels, values = (sums(group, one, count) for one in (pixels, levels, values))
    figures = Figures(pixels, levels, values, peak, opened)
    return whole[ranked], figures.chosen(ranked)


def smoothed(shapes: Shapes, tolerance: float) -> Shapes:
    """Outlines with fewer corners, none of which cross each other, themselves or their holes.

    Corners go, smallest first, whose triangle with both neighbours is smaller than the square of the tolerance, as
    long as nothing would cross (Visvalingam and Whyatt, 1993, for a coverage).

    Parameters
    ----------
    shapes
        Polygons (n,) that do not overlap.
    tolerance
        In their units; 0 leaves them as they are.
    """
    import shapely

    if not tolerance or not len(shapes):
        return shapes
    found: Shapes = shapely.coverage_simplify(shapes, tolerance)
    return found


def _touching(tiles: Sequence[Pieces], first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (k, 2) of pieces, numbered over all tiles, that share the edge of a pixel; and pieces that touch what is
    not known, or is no tile, beyond theirs."""
    begins = {(tile.rows.start, tile.columns.start): number for number, tile in enumerate(tiles)}
    down = {(tile.rows.stop, tile.columns.start): number for number, tile in enumerate(tiles)}
    right = {(tile.rows.start, tile.columns.stop): number for number, tile in enumerate(tiles)}
    pairs, ends = [np.empty((0, 2), np.int64)], [np.empty(0, np.int64)]
    for number, tile in enumerate(tiles):
        corner = tile.rows.start, tile.columns.start
        neighbours = (
            down.get(corner),
            begins.get((tile.rows.stop, tile.columns.start)),
            right.get(corner),
            begins.get((tile.rows.start, tile.columns.stop)),
        )
        for side, (other, here) in enumerate(zip(neighbours, tile.edges, strict=True)):
            there = np.full(len(here), NOT_KNOWN) if other is None else tiles[other].edges[side ^ 1]
            ends.append(here[(here >= 0) & (there == NOT_KNOWN)] + first[number])
            both = (here >= 0) & (there >= 0)
            if other is not None and both.any():
                pairs.append(np.unique(np.stack([here[both] + first[number], there[both] + first[other]], 1), axis=0))
    return np.concatenate(pairs), np.concatenate(ends)


def _united(shapes: Shapes, group: NDArray[np.int32], count: int) -> Shapes:
    """Polygons of each group as one."""
    import shapely

    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count + 1))
    whole = np.empty(count, object)
    for number, (start, stop) in enumerate(pairwise(starts)):
        members = shapes[order[start:stop]]
        whole[number] = members[0] if len(members) == 1 else shapely.union_all(members)
    return _canonical(whole)


def _canonical(shapes: Shapes) -> Shapes:
    """The same polygons with corners alone, however they were put together."""
    import shapely

    found = np.empty(len(shapes), object)
    for number, shape in enumerate(shapes):
        rings = [_corners(np.asarray(ring.coords)) for ring in (shape.exterior, *shape.interiors)]
        found[number] = shapely.Polygon(rings[0], rings[1:])
    normal: Shapes = shapely.orient_polygons(shapely.normalize(found))
    return normal


def _corners(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """A closed ring along rows and columns without the points where it does not turn."""
    points = ring[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    corners: NDArray[np.float64] = points[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]
    return corners


def _ranked(shapes: Shapes) -> NDArray[np.intp]:
    """The order of their first pixels, row by row."""
    import shapely

    points, owner = shapely.get_coordinates(shapes, return_index=True)
    order = np.lexsort((points[:, 0], points[:, 1], owner))
    lead = order[np.unique(owner[order], return_index=True)[1]]
    return np.lexsort((points[lead, 0], points[lead, 1]))
