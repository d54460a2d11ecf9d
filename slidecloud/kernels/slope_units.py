"""Half-basins of a stream network and connected patches of labels, from which slope units are made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from slidecloud.kernels.flow import DOWN, RIGHT, below, main_branch
from slidecloud.types import Float64


class Patches(NamedTuple):
    """Connected patches: ``label`` int32 (y, x), counted from 0 in the order of their first cells, -1 = none;
    ``first`` int64 (patch,), flat index of the first cell of each."""

    label: NDArray[np.int32]
    first: NDArray[np.int64]


def half_basins(
    direction: NDArray[np.uint8],
    accumulation: NDArray[np.int32],
    stem: NDArray[np.int32],
    region: NDArray[np.int32],
    *,
    threshold: int,
    sides: bool = True,
) -> NDArray[np.int64]:
    """Which bank of which link of the stream network each cell drains to.

    Streams are the stems that drain at least ``threshold`` cells at their lower end, followed up to the divide. They
    are cut into links where streams meet. Cells of a stream count to its left bank.

    Parameters
    ----------
    direction, accumulation, stem
        As in `slidecloud.kernels.flow`, with the neighbours of every cell of a region.
    region
        int32 (y, x); each region is looked at by itself, and below 0 lies none.
    threshold
        Cells.
    sides
        False keeps both banks of a link together.

    Returns
    -------
    int64 (y, x) labels, equal where cells belong together; -1 outside the regions. Only their equality has a meaning.
    """
    cells = np.flatnonzero(region >= 0)
    order = cells[np.argsort(-accumulation.ravel()[cells], kind="stable")]
    del cells  # A whole country must fit.
    label = np.full(direction.shape, -1, np.int64)
    _half_basins(direction, accumulation, stem, region, order, threshold, sides, label)
    return label


def patches(label: NDArray[np.integer], region: NDArray[np.integer]) -> Patches:
    """Patches of cells that touch along edges, with one label and in one region, both (y, x); below 0 is none."""
    numbered = np.full(label.shape, -1, np.int32)
    first = _patches(np.ascontiguousarray(label), np.ascontiguousarray(region), numbered)
    return Patches(numbered, first)


def borders(label: NDArray[np.int32], region: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pairs (n, 2) of labels of one region that touch along an edge, the smaller first, each once and in order."""
    count, found = int(label.max(initial=-1)) + 1, []
    for one, other, here, there in (
        (label[:, :-1], label[:, 1:], region[:, :-1], region[:, 1:]),
        (label[:-1], label[1:], region[:-1], region[1:]),
    ):
        meet = (one != other) & (one >= 0) & (other >= 0) & (here == there)
        found.append(np.minimum(one, other)[meet].astype(np.int64) * count + np.maximum(one, other)[meet])
    pairs = np.unique(np.concatenate(found))
    return np.stack([pairs // max(count, 1), pairs % max(count, 1)], axis=1).astype(np.int32)


def sums(label: NDArray[np.int32], values: Float64, count: int) -> Float64:
    """Sum of ``values`` (y, x) over each of ``count`` labels; cells are added in their order, whatever lies around."""
    total = np.zeros(count)
    add(label, values, total)
    return total


def add(label: NDArray[np.int32], values: Float64, total: Float64) -> None:
    """Add ``values`` (y, x) to the ``total`` of their labels, cell after cell; so rows may come some at a time."""
    _add(label, values, total)


def extents(name: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Names of patches and the rows and columns they take up.

    Parameters
    ----------
    name
        int32 (y, x), one more than the flat index of the first cell of the patch that each cell belongs to; 0 = none.

    Returns
    -------
    Names (patch,), ascending, and edges (patch, 4): first row, end of rows, first column, end of columns.
    """
    flat = name.ravel()
    names: NDArray[np.int32] = flat[flat == np.arange(1, flat.size + 1, dtype=np.int32)]
    edges = np.empty((len(names), 4), np.int32)
    _extents(name, edges)
    return names, edges


@njit(nogil=True, cache=True)
def _half_basins(  # type: ignore[no-untyped-def]
    direction, accumulation, stem, region, order, threshold, sides, label
):
    columns = direction.shape[1]
    for cell in order:
        i, j = cell // columns, cell % columns
        turn, row, column = below(direction, i, j)
        if turn < 0 or region[row, column] != region[i, j]:
            label[i, j] = 2 * cell
            continue
        back = (turn + 4) % 8
        if stem[i, j] >= threshold:
            goes_on = main_branch(direction, accumulation, row, column) == back
            if goes_on and not _meet(direction, accumulation, stem, row, column, threshold):
                label[i, j] = label[row, column]
            else:
                label[i, j] = 2 * cell
        elif stem[row, column] >= threshold and sides:
            main = main_branch(direction, accumulation, row, column)
            on, _, _ = below(direction, row, column)
            on = on if on >= 0 else (main + 4) % 8
            right = (back - on) % 8 < (main - on) % 8
            label[i, j] = label[row, column] + (1 if right else 0)
        else:
            label[i, j] = label[row, column]


@njit(nogil=True, cache=True)
def _meet(direction, accumulation, stem, i, j, threshold):  # type: ignore[no-untyped-def]
    """Whether another stream joins the one at (i, j)."""
    main = main_branch(direction, accumulation, i, j)
    for turn in range(8):
        row, column = i + DOWN[turn], j + RIGHT[turn]
        if turn == main or row < 0 or row >= direction.shape[0] or column < 0 or column >= direction.shape[1]:
            continue
        back, _, _ = below(direction, row, column)
        if back == (turn + 4) % 8 and stem[row, column] >= threshold:
            return True
    return False


@njit(nogil=True, cache=True)
def _root(parent, cell):  # type: ignore[no-untyped-def]
    while parent[cell] != cell:
        parent[cell] = parent[parent[cell]]
        cell = parent[cell]
    return cell


@njit(nogil=True, cache=True)
def _patches(label, region, numbered):  # type: ignore[no-untyped-def]
    """Number the patches into ``numbered``; returns their first cells."""
    rows, columns = label.shape
    parent = np.arange(rows * columns)
    for i in range(rows):
        for j in range(columns):
            cell = i * columns + j
            if j > 0 and label[i, j] == label[i, j - 1] and region[i, j] == region[i, j - 1]:
                parent[cell] = _root(parent, cell - 1)
            if i > 0 and label[i, j] == label[i - 1, j] and region[i, j] == region[i - 1, j]:
                one, other = _root(parent, cell), _root(parent, cell - columns)
                parent[max(one, other)] = min(one, other)
    first = np.empty(rows * columns, np.int64)
    count = 0
    for i in range(rows):
        for j in range(columns):
            if label[i, j] < 0 or region[i, j] < 0:
                continue
            cell = i * columns + j
            root = _root(parent, cell)
            if root == cell:
                first[count] = cell
                numbered[i, j] = count
                count += 1
            else:
                numbered[i, j] = numbered[root // columns, root % columns]
    return first[:count].copy()


@njit(nogil=True, cache=True)
def _add(label, values, total):  # type: ignore[no-untyped-def]
    for i in range(label.shape[0]):
        for j in range(label.shape[1]):
            if label[i, j] >= 0:
                total[label[i, j]] += values[i, j]


@njit(nogil=True, cache=True)
def _extents(name, edges):  # type: ignore[no-untyped-def]
    rows, columns = name.shape
    number = np.empty(rows * columns, np.int32)
    count = 0
    for i in range(rows):
        for j in range(columns):
            first = name[i, j] - 1
            if first < 0:
                continue
            if first == i * columns + j:
                number[first] = count
                edges[count] = i, i + 1, j, j + 1
                count += 1
                continue
            here = edges[number[first]]
            here[1] = i + 1
            here[2], here[3] = min(here[2], j), max(here[3], j + 1)
