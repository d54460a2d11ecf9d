"""Weights of factors from judgements in pairs (analytic hierarchy process), and how consistent the judgements are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float64

Method = Literal["column_mean", "geometric_mean", "eigenvector"]

RANDOM_INDEX: Final = (0.0, 0.0, 0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.52, 1.54, 1.56, 1.58, 1.59)
"""Mean consistency index of random reciprocal matrices of 1, 2, ... 15 rows on the scale 1/9 to 9 (Saaty's later table;
that of 1980 has .58, .90, 1.12 for 3, 4 and 5 rows and 1.51 for 11)."""
ACCEPTED: Final = 0.1
"""Consistency ratio above which judgements are to be made again (Saaty, 1980)."""
RECIPROCITY: Final = 0.005
"""How far the product of two opposite cells may be from 1: a third may be written .333, but not .33."""


class Priorities(NamedTuple):
    """Weights and how consistent the judgements behind them are.

    ``weights``: float64 (n,), positive, their sum 1. ``eigenvalue``: the largest one of the matrix, at least n.
    ``consistency_index``: ``(eigenvalue - n) / (n - 1)``. ``random_index``: what random judgements have instead.
    ``consistency_ratio``: the one over the other, 0 for up to two factors, which cannot contradict each other.
    """

    weights: Float64
    eigenvalue: float
    consistency_index: float
    random_index: float
    consistency_ratio: float


def priorities(
    matrix: ArrayLike,
    *,
    method: Method = "column_mean",
    names: Sequence[str] | None = None,
    random_index: float | None = None,
) -> Priorities:
    """Weights of factors from a matrix of judgements in pairs.

    Parameters
    ----------
    matrix
        (n, n), positive: how many times row outweighs column, so that opposite cells are each other's reciprocals.
    method
        ``column_mean``: mean over the columns, each divided by its sum. ``geometric_mean``: of the rows.
        ``eigenvector``: that of the largest eigenvalue. For consistent judgements all three agree. The consistency is
        that of the eigenvalue with each of them.
    names
        (n,) of the factors, for messages; by default C1, C2 and so on.
    random_index
        The consistency index of random judgements; by default that of `RANDOM_INDEX`.

    Raises
    ------
    ValueError
        If the matrix is not square, not positive or not reciprocal; every cell at fault is named. Also beyond 15
        factors without `random_index`.

    References
    ----------
    Saaty, T. L. (1980), The Analytic Hierarchy Process, McGraw-Hill; Saaty, T. L., Tran, L. T. (2007), On the
    invalidity of fuzzifying numerical judgments in the analytic hierarchy process, Math. Comput. Model. 46, 962-975,
    for the random index.
    """
    judged = _checked(matrix, names)
    count = len(judged)
    values, vectors = np.linalg.eig(judged)
    # A positive matrix has one largest eigenvalue, which is real, and a vector of one sign (Perron, 1907).
    top = int(np.argmax(values.real))
    if method == "column_mean":
        raw = (judged / judged.sum(axis=0)).mean(axis=1)
    elif method == "geometric_mean":
        raw = np.exp(np.log(judged).mean(axis=1))
    elif method == "eigenvector":
        raw = np.abs(vectors[:, top].real)
    else:
        raise ValueError(f"method: found {method!r}, expected column_mean, geometric_mean or eigenvector")
    # Rounding leaves a consistent matrix a few last digits below n.
    eigenvalue = max(float(values[top].real), float(count))
    index = (eigenvalue - count) / (count - 1) if count > 1 else 0.0
    by_chance = _random_index(count, random_index)
    return Priorities(raw / raw.sum(), eigenvalue, index, by_chance, index / by_chance if count > 2 else 0.0)


def unreciprocal(matrix: ArrayLike, *, tolerance: float = RECIPROCITY) -> list[tuple[int, int]]:
    """Cells (row, column) below the diagonal whose product with the opposite cell is not 1, and diagonal ones not 1."""
    judged = np.asarray(matrix, np.float64)
    wrong = np.abs(judged * judged.T - 1.0) > tolerance
    return [(int(row), int(column)) for row, column in np.argwhere(np.tril(wrong))]


def _checked(matrix: ArrayLike, names: Sequence[str] | None) -> Float64:
    judged = np.asarray(matrix, np.float64)
    if judged.ndim != 2 or judged.shape[0] != judged.shape[1] or not judged.size:
        raise ValueError(f"matrix: found shape {judged.shape}, expected as many rows as columns")
    called = [f"C{n + 1}" for n in range(len(judged))] if names is None else list(names)
    if len(called) != len(judged):
        raise ValueError(f"names: found {len(called)}, expected {len(judged)}, one for each row of the matrix")
    bad = np.argwhere(~(np.isfinite(judged) & (judged > 0.0)))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"matrix: {called[row]} against {called[column]} (row {row + 1}, column {column + 1}) is "
            f"{judged[row, column]:g}, expected a positive number such as 3 or 1/3"
        )
    cells = unreciprocal(judged)
    if cells:
        told = "; ".join(_told(judged, called, row, column) for row, column in cells)
        raise ValueError(f"matrix: not reciprocal: {told}. Correct one cell of each of these pairs")
    return judged


def _told(judged: Float64, called: Sequence[str], row: int, column: int) -> str:
    here, there = judged[row, column], judged[column, row]
    if row == column:
        return f"{called[row]} against itself (row and column {row + 1}) is {here:.4g}, expected 1"
    return (
        f"{called[row]} against {called[column]} (row {row + 1}, column {column + 1}) is {here:.4g} while the opposite "
        f"cell (row {column + 1}, column {row + 1}) is {there:.4g}, which expects {1.0 / there:.4g}"
    )


def _random_index(count: int, given: float | None) -> float:
    if given is not None:
        if not given > 0.0:
            raise ValueError(f"random_index: found {given}, expected a positive number")
        return float(given)
    if count > len(RANDOM_INDEX):
        raise ValueError(
            f"matrix: found {count} factors; the random index is known up to {len(RANDOM_INDEX)}: pass random_index, "
            "or judge groups of factors first"
        )
    return RANDOM_INDEX[count - 1]
