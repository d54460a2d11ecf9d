"""Closed loops of three pairs: what three interferograms of three dates add up to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import Float32


def triplets(reference: ArrayLike, secondary: ArrayLike) -> NDArray[np.int64]:
    """Every loop of three pairs among dates a < b < c.

    Parameters
    ----------
    reference, secondary
        (pair,) integer date indices, reference earlier, each pair once.

    Returns
    -------
    int64 (triplet, 3): the indices of the pairs (a, b), (b, c) and (a, c), sorted by a, b, c.

    Raises
    ------
    TypeError
        If the indices are not integers.
    ValueError
        If their shapes differ or a pair is reversed or repeated.
    """
    first, last = np.asarray(reference), np.asarray(secondary)
    if not (np.issubdtype(first.dtype, np.integer) and np.issubdtype(last.dtype, np.integer)):
        raise TypeError(
            f"reference, secondary: found dtypes {first.dtype}, {last.dtype}, expected integer date indices"
        )
    if first.shape != last.shape or first.ndim != 1:
        raise ValueError(f"reference, secondary: found shapes {first.shape}, {last.shape}, expected one shape (pair,)")
    if not (first < last).all():
        raise ValueError("reference, secondary: expected reference < secondary in every pair; swap the reversed ones")
    row = {(int(a), int(b)): p for p, (a, b) in enumerate(zip(first, last, strict=True))}
    if len(row) < first.size:
        raise ValueError("reference, secondary: found a pair more than once, expected each once; drop the doubles")
    partners: dict[int, list[int]] = {}
    for a, b in sorted(row):
        partners.setdefault(a, []).append(b)
    loops = [(row[a, b], row[b, c], row[a, c]) for a, b in sorted(row) for c in partners.get(b, ()) if (a, c) in row]
    return np.array(loops, np.int64).reshape(-1, 3)


def closure(phase: Float32, loops: NDArray[np.int64]) -> Float32:
    """Closure phase ``phase_ab + phase_bc - phase_ac`` of each triplet.

    Parameters
    ----------
    phase
        (pair, ...) float32 rad, NaN = missing; unwrapped, or wrapped (the result is then not wrapped again).
    loops
        (triplet, 3) from `triplets`.

    Returns
    -------
    float32 (triplet, ...) rad, NaN where any of the three is missing. Of unwrapped phase it is a constant per triplet
    plus multiples of 2 pi where unwrapping went wrong plus the little that multilooking leaves.
    """
    ab, bc, ac = loops.T
    result: Float32 = phase[ab] + phase[bc] - phase[ac]
    return result
